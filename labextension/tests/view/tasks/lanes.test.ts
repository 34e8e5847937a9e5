import { beforeEach, describe, expect, it } from 'vitest';
import { noSpell, stepOf } from '../../../src/view/tasks/bins';
import { isLost, type Lane, Lanes } from '../../../src/view/tasks/lanes';
import { serving, START, worker } from '../support';
import { at, poolWorker, run, task } from './rows';

let lanes: Lanes;

beforeEach(() => {
  lanes = new Lanes();
});

function spellAt(lane: Lane | undefined, seconds: number) {
  const into = noSpell();
  const bin = Math.floor((START + seconds) / stepOf(60));
  return lane?.bins.read(60, bin, into) ? into : null;
}

describe('lanes', () => {
  it('are the differences of counters, so that a late picture loses nothing', () => {
    const row = (t_computing: number, t_waiting: number, tasks: number) =>
      poolWorker(1, { t_computing, t_waiting, tasks, run: 1, state: 'computing' });
    lanes.take(at(0, { workers: [row(30, 9, 100)] }));
    lanes.take(at(8, { workers: [row(34, 11, 140)] }));
    const [lane] = lanes.lanes;
    for (const seconds of [0.1, 4, 7.9]) {
      expect(spellAt(lane, seconds)).toMatchObject({ run: 1 });
      expect(spellAt(lane, seconds)?.computing).toBeCloseTo(0.5);
      expect(spellAt(lane, seconds)?.waiting).toBeCloseTo(0.25);
    }
    expect(spellAt(lane, 7.9)?.tasks).toBe(40);
  });

  it('know nothing of the time before the view was opened', () => {
    lanes.take(at(0, { workers: [poolWorker(1, { t_computing: 30 })] }));
    expect(spellAt(lanes.lanes[0], -1)).toBeNull();
  });

  it('know all of a worker that came since, its start included', () => {
    lanes.take(at(0));
    const row = {
      since: START + 1,
      t_starting: 1,
      state: 'computing',
      run: 1
    } as const;
    lanes.take(at(3, { workers: [poolWorker(1, { ...row, t_computing: 1 })] }));
    const [lane] = lanes.lanes;
    expect(spellAt(lane, 0.5)).toBeNull();
    expect(spellAt(lane, 1.5)?.starting).toBeCloseTo(1);
    expect(spellAt(lane, 2.5)?.starting).toBe(0);
  });

  it('never show more than the time that there was', () => {
    lanes.take(at(0, { workers: [poolWorker(1)] }));
    lanes.take(
      at(1, { workers: [poolWorker(1, { t_computing: 1.5, t_waiting: 0.5 })] })
    );
    const spell = spellAt(lanes.lanes[0], 0.5);
    expect(spell?.computing).toBeCloseTo(0.75);
    expect(spell?.waiting).toBeCloseTo(0.25);
  });

  it('name the object that is waited on', () => {
    lanes.take(at(0, { workers: [poolWorker(1)] }));
    const row = {
      t_waiting: 0.6,
      run: 1,
      state: 'waiting',
      waiting_on: 'conn'
    } as const;
    lanes.take(at(1, { workers: [poolWorker(1, row)] }));
    expect(lanes.object(spellAt(lanes.lanes[0], 0.5)?.object ?? 0)).toBe('conn');
  });

  it('show the waiting of workers whose tasks are not seen, a thread’s share of it', () => {
    lanes.take(at(0, { workers: [worker(1, { waited: 5, threads: 2 })] }));
    lanes.take(at(1, { workers: [worker(1, { waited: 6, threads: 2 })] }));
    expect(spellAt(lanes.lanes[0], 0.5)?.waiting).toBeCloseTo(0.5);
    const shares = lanes.spent(worker(1), 60);
    expect(shares?.computing).toBeNull();
    expect(shares?.waiting).toBeCloseTo(0.5);
  });

  it('are in the order of pools, and then of starting', () => {
    const workers = [
      worker(9),
      poolWorker(4, { pool: 2 }),
      poolWorker(3, { since: START - 5 }),
      poolWorker(2, { since: START - 9 })
    ];
    lanes.take(at(0, { workers }));
    expect(lanes.lanes.map(({ row }) => row.pid)).toEqual([2, 3, 4, 9]);
  });

  it('are one though it is known better later when a worker began', () => {
    lanes.take(at(0, { workers: [poolWorker(1, { since: START - 3 })] }));
    lanes.take(at(1, { workers: [poolWorker(1, { since: START - 4 })] }));
    lanes.take(at(2));
    lanes.take(at(3, { workers: [poolWorker(1, { since: START + 2, pool: null })] }));
    expect(lanes.lanes.map(({ goneAt, row }) => [goneAt, row.pool])).toEqual([
      [null, 1]
    ]);
  });

  it('are two where another process has the number of one that is gone', () => {
    lanes.take(at(0, { workers: [poolWorker(1)] }));
    lanes.take(at(2, { workers: [poolWorker(1, { name: 'other' })] }));
    expect(lanes.lanes.map(({ goneAt }) => goneAt)).toEqual([START, null]);
  });

  it('stay with how a worker ended until they leave the span', () => {
    lanes.take(at(0, { workers: [poolWorker(1)] }));
    const { pid, name, since } = poolWorker(1);
    const end = { pid, name, since, ended: START + 1, calls: 0, tasks: 0 };
    const ended = [{ ...end, exit_code: -9, how: 'killed', words: 'killed' } as const];
    lanes.take(at(2, { ended }));
    const [lane] = lanes.seen(60, START + 2);
    expect(lane?.goneAt).toBe(START + 1);
    expect(lane && isLost(lane)).toBe(true);
    expect(lanes.seen(60, START + 62)).toEqual([]);
    expect(lanes.seen(300, START + 62)).toHaveLength(1);
  });

  it('keep long tasks, which are told of as long as they run and a little longer', () => {
    const workers = [poolWorker(1)];
    lanes.take(at(1, { workers, tasks: [task(1)] }));
    lanes.take(at(2, { workers, tasks: [task(1, { end: START + 1.5 })] }));
    lanes.take(at(20, { workers }));
    expect(lanes.lanes[0]?.tasks.map(({ end }) => end)).toEqual([START + 1.5]);
  });

  it('end a task whose end was not told', () => {
    lanes.take(at(1, { workers: [poolWorker(1)], tasks: [task(1)] }));
    lanes.take(at(60, { workers: [poolWorker(1)] }));
    expect(lanes.lanes[0]?.tasks[0]?.end).toBe(START + 1);
  });
});

describe('functions', () => {
  const named = (id: number, name: string) => run(id, { function: name });

  it('have a colour each, the first three of the session; the others have none', () => {
    const names = ['a', 'b', 'c', 'd'];
    lanes.take(at(0, { runs: names.map((name, id) => named(id + 1, name)) }));
    expect([1, 2, 3, 4].map(id => lanes.style(id)?.colour)).toEqual([1, 2, 3, 0]);
  });

  it('keep their colour in every run, until the kernel is another one', () => {
    lanes.take(at(0, { runs: [named(1, 'a'), named(2, 'b')] }));
    lanes.clear();
    lanes.take(at(1, { runs: [named(3, 'b')] }));
    expect(lanes.style(3)?.colour).toBe(2);
    const kernel = { ...serving.kernel, session: 'restarted' };
    lanes.take(at(2, { kernel, runs: [named(1, 'b')] }));
    expect(lanes.style(1)?.colour).toBe(1);
  });
});
