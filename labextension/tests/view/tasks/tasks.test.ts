import '../browser';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Snapshot } from '../../../src/snapshot';
import { TaskList } from '../../../src/view/tasks/tasks';
import { mount, press, START, textOf } from '../support';
import { at, pool, poolWorker, run } from './rows';

const context = {
  copy: vi.fn(),
  showErrorsOf: vi.fn(),
  showObject: vi.fn(),
  point: vi.fn(),
  say: vi.fn()
};
let list: TaskList;

beforeEach(() => {
  vi.clearAllMocks();
  // jsdom lays nothing out: let the lanes have a place.
  for (const [name, value] of [
    ['clientWidth', 480],
    ['clientHeight', 202]
  ] as const) {
    vi.spyOn(HTMLElement.prototype, name, 'get').mockReturnValue(value);
  }
  vi.spyOn(HTMLElement.prototype, 'offsetParent', 'get').mockReturnValue(document.body);
  list = mount(new TaskList(context));
});

afterEach(() => {
  list.dispose();
  vi.restoreAllMocks();
});

function show(now: Snapshot): void {
  list.take(now);
  list.draw({ now, span: 60, time: now.time, events: [] }, true);
}

const row = (pid: number, t_waiting: number, values = {}) =>
  poolWorker(pid, {
    ...{ t_computing: 0, t_waiting, run: 1, state: 'waiting', waiting_on: 'conn' },
    ...values
  });

function showTwo(): void {
  show(at(0, { workers: [row(1, 0), row(2, 0, { t_computing: 0 })] }));
  const second = { state: 'computing', t_computing: 8 };
  show(at(8, { workers: [row(1, 6), row(2, 0, second)] }));
}

function stream(): HTMLElement {
  return list.element.querySelector('.stream') as HTMLElement;
}

describe('the tab of tasks', () => {
  it('says what there is to see before a pool has run', () => {
    show(at(0, { pools: [], runs: [], run_count: 0 }));
    expect(list.element.querySelector<HTMLElement>('.notasks')?.hidden).toBe(false);
    expect(list.element.querySelector('.split')?.className).toBe('split quieted alone');
    list.element.querySelector<HTMLElement>('.notasks .btn')?.click();
    expect(context.copy).toHaveBeenCalledWith('list(pool.map(score, items))');
    expect([list.hasRun, list.count().text]).toEqual([false, '0']);
  });

  it.each<[string, Partial<Snapshot>, string, string]>([
    ['what runs', { runs: [run(1), run(2, { failed: 2 })] }, '2 running', '2 failed'],
    ['what is listed', { runs: [run(1, { ended: START })] }, '1', ''],
    ['what is not seen', { runs: [], pools: [pool(1, { seen: false })] }, '–', '']
  ])('counts %s', (_, values, text, trouble) => {
    show(at(0, values));
    expect(list.count()).toEqual({ text, trouble });
    expect(list.hasRun).toBe(true);
  });

  it('says what matches what is looked for', () => {
    show(at(0, { runs: [run(1), run(2, { function: 'fit' })] }));
    list.find('FIT');
    expect(list.count().text).toBe('1 of 2');
  });
});

describe('the stream', () => {
  it('has a name and a share of waiting for each lane', () => {
    showTwo();
    const names = [...stream().querySelectorAll('.ln')];
    expect(names.map(name => name.textContent)).toEqual([
      'ForkPoolWorker-1',
      'ForkPoolWorker-2'
    ]);
    expect(stream().querySelector<HTMLElement>('.st')?.dataset['s']).toBe('waiting');
    const waits = [...stream().querySelectorAll<HTMLElement>('.busyness > div')];
    expect(waits.map(wait => wait.textContent?.replaceAll('\u00a0', ' '))).toEqual([
      '75 %',
      '0'
    ]);
    expect(waits[0]?.className).toBe('warn');
    expect(textOf(list.element, '.busy')).toBe('2 of 2 at work');
    expect(stream().getAttribute('aria-label')).toBe(
      'Workers over the last 60 seconds: 2 of 2 at work, 1 waiting on the kernel. ' +
        'Arrow keys read it.'
    );
  });

  it('has the names of pools where lanes are low', () => {
    const workers = Array.from({ length: 64 }, (_, pid) => row(pid + 1, 0));
    show(at(0, { pools: [pool(1, { kind: 'loky' })], workers }));
    expect(stream().classList.contains('small')).toBe(true);
    expect(textOf(stream(), '.blk')).toBe('loky64 workers');
  });

  it('is read with the arrow keys, which speak what lies under the cursor', () => {
    showTwo();
    press(stream(), 'ArrowLeft');
    expect(context.point).toHaveBeenLastCalledWith(1);
    expect(context.say.mock.lastCall?.[0].replaceAll('\u00a0', ' ')).toBe(
      'score, 0 tasks in this second, waiting on conn 75 % of it, ' +
        'ForkPoolWorker-1, 1 s ago; click for conn'
    );
    press(stream(), 'ArrowDown');
    expect(context.say.mock.lastCall?.[0]).toContain('ForkPoolWorker-2');
    stream().dispatchEvent(
      new KeyboardEvent('keydown', { key: 'ArrowLeft', shiftKey: true })
    );
    expect(context.point).toHaveBeenLastCalledWith(11);
    press(stream(), 'ArrowRight');
    expect(context.point).toHaveBeenLastCalledWith(10);
  });

  it('goes with Enter where a click goes, and Escape leaves', () => {
    showTwo();
    press(stream(), 'ArrowLeft');
    press(stream(), 'Enter');
    expect(context.showObject).toHaveBeenCalledWith('conn');
    expect(stream().querySelector<HTMLElement>('.tip')?.hidden).toBe(false);
    press(stream(), 'Escape');
    expect(context.point).toHaveBeenLastCalledWith(null);
    expect(stream().querySelector<HTMLElement>('.tip')?.hidden).toBe(true);
  });

  it('marks the function of the lane under the cursor', () => {
    showTwo();
    press(stream(), 'ArrowLeft');
    expect(list.element.querySelector('.run.is-hover')).not.toBeNull();
  });

  it('hatches the time without news', () => {
    showTwo();
    const now = at(8, { workers: [row(1, 6)] });
    list.draw({ now, span: 60, time: now.time + 6, events: [] }, true);
    expect(list.element.querySelector<HTMLElement>('.marks .gap')?.style.left).toBe(
      '90%'
    );
  });

  it('has the events of the charts, and their cursor', () => {
    const now = at(8, { workers: [row(1, 6)] });
    list.take(now);
    const events = [{ time: now.time - 30, what: 'a worker was killed' }];
    list.draw({ now, span: 60, time: now.time, events }, true);
    list.point(15);
    const [event, cursor] = list.element.querySelectorAll<HTMLElement>('.marks > *');
    expect([event?.className, event?.style.left]).toEqual(['event', '50%']);
    expect([cursor?.className, cursor?.style.left]).toEqual(['cursor', '75%']);
  });
});
