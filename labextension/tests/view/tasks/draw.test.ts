import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../src/snapshot';
import { type Context, drawStream, type Picture } from '../../../src/view/tasks/draw';
import { Lanes } from '../../../src/view/tasks/lanes';
import { layOut } from '../../../src/view/tasks/layout';
import { fitting, valuesOf } from '../../../src/view/tasks/longtasks';
import { START } from '../support';
import { at, poolWorker, run, task } from './rows';

const COLOURS = {
  ...{ ground: 'ground', ink: 'ink', muted: 'muted', warn: 'warn', error: 'error' },
  ...{ hover: 'hover', line: 'line', starting: 'starting', hatch: 'hatch' },
  functions: ['fn0', 'fn1', 'fn2', 'fn3'],
  fills: ['fill0', 'fill1', 'fill2', 'fill3']
};

interface Drawn {
  readonly colour: string;
  readonly alpha: number;
  readonly box: readonly number[];
}

/** Notes what is filled, and what is written. */
function recorder(): { context: Context; drawn: Drawn[]; words: string[] } {
  const drawn: Drawn[] = [];
  const words: string[] = [];
  const context = {
    canvas: { width: 480, height: 100 },
    fillStyle: '',
    globalAlpha: 1,
    fillRect(...box: number[]) {
      drawn.push({ colour: context.fillStyle, alpha: context.globalAlpha, box });
    },
    fillText: (text: string) => words.push(text),
    measureText: (text: string) => ({ width: 6 * text.length })
  };
  for (const name of [
    ...['setTransform', 'clearRect', 'strokeText', 'strokeRect', 'setLineDash'],
    ...['beginPath', 'moveTo', 'lineTo', 'stroke']
  ]) {
    Object.assign(context, { [name]: () => undefined });
  }
  return { context: context as unknown as Context, drawn, words };
}

/** Draw a minute in 480 pixels: a bin has two. */
function draw(pictures: Snapshot[], values: Partial<Picture> = {}) {
  const known = new Lanes();
  pictures.forEach(picture => known.take(picture));
  const { context, drawn, words } = recorder();
  drawStream(context, {
    lanes: known.lanes,
    known,
    layout: layOut(known.lanes, 100),
    width: 480,
    ratio: 1,
    span: 60,
    now: pictures.at(-1)?.time ?? 0,
    only: null,
    colours: COLOURS,
    font: 'sans-serif',
    ...values
  });
  const of = (colour: string): Drawn[] => drawn.filter(each => each.colour === colour);
  return { drawn, words, of };
}

const busy = (t_computing: number, t_waiting = 0, values = {}) =>
  poolWorker(1, { t_computing, t_waiting, run: 1, state: 'computing', ...values });

describe('the stream', () => {
  it('draws equal bins beside each other as one rectangle', () => {
    const { of } = draw([
      at(0, { workers: [busy(0)] }),
      at(10, { workers: [busy(10)] })
    ]);
    expect(of('fill1')).toHaveLength(1);
    const [x = 0, , wide = 0] = of('fill1')[0]?.box ?? [];
    expect(wide).toBe(80);
    expect(x + wide).toBeLessThanOrEqual(480);
  });

  it('hatches the time that a worker waits, above what it computes', () => {
    const pictures = [
      at(0, { workers: [busy(0)] }),
      at(1, { workers: [busy(0.5, 0.5)] })
    ];
    const { of } = draw(pictures);
    const [, hatchTop = 0] = of('hatch')[0]?.box ?? [];
    const [, fillTop = 0] = of('fill1')[0]?.box ?? [];
    expect(of('hatch')).toHaveLength(4);
    expect(hatchTop).toBeLessThan(fillTop);
  });

  it('dims all but one function', () => {
    const pictures = [at(0, { workers: [busy(0)] }), at(1, { workers: [busy(1)] })];
    expect(draw(pictures, { only: 'score' }).of('fill1')[0]?.alpha).toBe(1);
    expect(draw(pictures, { only: 'fit' }).of('fill1')[0]?.alpha).toBeLessThan(0.5);
  });

  it('shows a failure among short tasks in red, higher than the lane', () => {
    const failed = busy(1, 0, { tasks: 9, failed_tasks: 1 });
    const { of } = draw([at(0, { workers: [busy(0)] }), at(1, { workers: [failed] })]);
    expect(of('error')).toHaveLength(1);
    expect(of('error')[0]?.box[3]).toBeGreaterThan(of('fill1')[0]?.box[3] ?? 0);
  });

  it('draws a long task up to now, with its arguments', () => {
    const tasks = [task(1, { arguments: "carrier='UA', 7" })];
    const { words, of } = draw([
      at(0, { workers: [busy(0)] }),
      at(20, { workers: [busy(20)], tasks })
    ]);
    expect(words).toEqual(['UA, 7']);
    expect(of('fn1').length).toBeGreaterThan(0);
  });

  it('draws a long task that failed in red, and no second time in its bin', () => {
    const failure = { type: 'ValueError', message: 'negative' };
    const tasks = [task(1, { end: START + 19.9, failed: failure })];
    const failed = busy(20, 0, { tasks: 1, failed_tasks: 1 });
    const { of, words } = draw([
      at(0, { workers: [busy(0)] }),
      at(20, { workers: [failed], tasks })
    ]);
    expect(words).toEqual(['✕']);
    expect(of('error')).toHaveLength(2);
  });

  it('draws a cell for each bin where lanes are low, and failures over all', () => {
    const row = (pid: number, computing: number, values = {}) => ({
      ...busy(computing, 0, values),
      pid
    });
    const pids = Array.from({ length: 64 }, (_, pid) => pid + 1);
    const { drawn, of } = draw([
      at(0, { workers: pids.map(pid => row(pid, 0)) }),
      at(1, {
        workers: pids.map(pid => row(pid, 1, { failed_tasks: pid === 9 ? 1 : 0 }))
      })
    ]);
    expect(of('fill1')).toEqual([]);
    expect(of('fn1').length).toBeGreaterThanOrEqual(64);
    expect(drawn.at(-1)).toMatchObject({
      colour: 'error',
      box: [expect.any(Number), 16, 3, 3]
    });
  });

  it('costs what workers and time are, whatever the number of tasks', () => {
    const some = [busy(0), busy(10, 0, { tasks: 10 })];
    const many = [busy(0), busy(10, 0, { tasks: 100_000 })];
    const count = (rows: typeof some): number =>
      draw(rows.map((row, nth) => at(10 * nth, { workers: [row] }))).drawn.length;
    expect(count(many)).toBe(count(some));
  });

  it('has functions without a colour of their own in a neutral one', () => {
    const runs = ['a', 'b', 'c', 'd'].map((name, id) =>
      run(id + 1, { function: name })
    );
    const of4 = (computing: number) => [{ ...busy(computing), run: 4 }];
    const { of } = draw([
      at(0, { runs, workers: of4(0) }),
      at(1, { runs, workers: of4(1) })
    ]);
    expect(of('fill0')).toHaveLength(1);
  });
});

describe('the arguments of a task', () => {
  it('are whole values, as many as fit', () => {
    const values = valuesOf("depth=8, 'a, b', (1, 2)");
    expect(values).toEqual(['8', 'a, b', '(1, 2)']);
    expect(fitting(values, false, text => text.length <= 7)).toBe('8, a, b');
    expect(fitting(values, true, text => text.length <= 4)).toBe('✕ 8');
    expect(fitting(values, true, text => text.length <= 1)).toBe('✕');
    expect(fitting(values, false, () => false)).toBe('');
  });
});
