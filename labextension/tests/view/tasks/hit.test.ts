import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../src/snapshot';
import { type Hit, hitAt } from '../../../src/view/tasks/hit';
import { Lanes } from '../../../src/view/tasks/lanes';
import { START, worker } from '../support';
import { at, poolWorker, run, task } from './rows';

function hit(pictures: Snapshot[], ago: number, queued = 0): Hit {
  const known = new Lanes();
  pictures.forEach(picture => known.take(picture));
  const [lane] = known.lanes;
  const now = pictures.at(-1)?.time ?? 0;
  if (!lane) {
    throw new Error('There is no lane.');
  }
  return hitAt(lane, known, now - ago, now, 60, queued);
}

const told = ({ lines, last }: Hit): string[] =>
  [...lines, last].map(line => line.replaceAll('\u00a0', ' '));

const first = at(0, { workers: [poolWorker(1)] });
const later = (values: object, more: Partial<Snapshot> = {}): Snapshot =>
  at(8, { workers: [poolWorker(1, { run: 1, ...values })], ...more });

describe('what lies under the cursor', () => {
  it('of a bin is its function, its tasks and its waiting', () => {
    const found = hit(
      [first, later({ t_computing: 3, t_waiting: 5, tasks: 8, waiting_on: 'conn' })],
      4
    );
    expect(told(found)).toEqual([
      '`score`, 0 tasks in this second',
      'waiting on `conn` 63 % of it',
      'ForkPoolWorker-1, 4 s ago; click for `conn`'
    ]);
    expect(found.goal).toEqual({ kind: 'object', path: 'conn' });
  });

  it('goes to the error where a task has failed', () => {
    const found = hit(
      [first, later({ t_computing: 8, tasks: 8, failed_tasks: 1 })],
      0.1
    );
    expect(told(found)[0]).toBe('`score`, 8 tasks in this second, 1 failed');
    expect(found.goal).toEqual({ kind: 'error', run: 1 });
  });

  it('of a long task is its call, how long it takes, and how it failed', () => {
    const runs = [run(1, { waited_on: [{ object: 'flights', seconds: 3 }] })];
    const running = task(1, { waited: 0.32, arguments: 'depth=8, lr=0.03' });
    expect(told(hit([first, later({}, { runs, tasks: [running] })], 2))).toEqual([
      '`score(depth=8, lr=0.03)`',
      '8.0 s so far, of it 4 % waiting on `flights`',
      'ForkPoolWorker-1, 2 s ago; click for `flights`'
    ]);
    const failed = { type: 'ValueError', message: 'negative weight' };
    const ended = task(1, { end: START + 7, failed });
    const found = hit([first, later({}, { runs, tasks: [ended] })], 2);
    expect(told(found).slice(1)).toEqual([
      '7.0 s, no waiting',
      'failed: ValueError: negative weight',
      'ForkPoolWorker-1, 2 s ago; click for the error'
    ]);
  });

  it('says that there was no task, and how many are queued now', () => {
    expect(told(hit([first, later({})], 4))[0]).toBe('no task');
    expect(told(hit([first, later({})], 0.1, 12))[0]).toBe('no task, 12 queued');
  });

  it('says that a worker was starting, or not there', () => {
    const row = poolWorker(1, { since: START + 2, t_starting: 4 });
    const pictures = [at(0), at(8, { workers: [row] })];
    expect(told(hit(pictures, 4))[0]).toBe('starting: imports, no task yet');
    expect(told(hit(pictures, 7.5))[0]).toBe('not started yet');
    const { pid, name, since } = poolWorker(1);
    const end = {
      pid,
      name,
      since,
      ended: START + 4,
      calls: 0,
      tasks: 0,
      exit_code: -9
    };
    const ended = [{ ...end, how: 'killed', words: 'killed by SIGKILL' } as const];
    expect(told(hit([first, at(8, { ended })], 2))[0]).toBe('killed by SIGKILL');
  });

  it('says that tasks are not seen', () => {
    const pictures = [
      at(0, { workers: [worker(1)] }),
      at(8, { workers: [worker(1, { waited: 1, calling: ['conn'] })] })
    ];
    expect(told(hit(pictures, 4)).slice(0, 2)).toEqual([
      'waiting on `conn` 13 % of it',
      'its tasks are not seen'
    ]);
  });
});
