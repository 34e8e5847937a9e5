import { describe, expect, it } from 'vitest';
import type { RunRow, Snapshot } from '../../../src/snapshot';
import { sayOf } from '../../../src/view/state';
import {
  leftOf,
  restingWords,
  runningWords,
  shortName,
  statusWords
} from '../../../src/view/tasks/words';
import { START } from '../support';
import { at, pool, poolWorker, run } from './rows';

const plain = (text: string | undefined): string =>
  (text ?? '').replaceAll('\u00a0', ' ');

function now(runs: RunRow[], values: Partial<Snapshot> = {}): Snapshot {
  const workers = [1, 2, 3].map(pid => poolWorker(pid, { state: 'computing', run: 1 }));
  return at(60, { runs, workers, busy_delay: null, ...values });
}

const some = { total: 100, done: 40, size: 3 };

describe('the time that is left', () => {
  it('is that of the mean of the run', () => {
    expect(leftOf(run(1, some), now([]))).toBeCloseTo(90);
  });

  it('is not known of the first tasks, nor where more may come', () => {
    expect(leftOf(run(1, { ...some, done: 2 }), now([]))).toBeNull();
    expect(leftOf(run(1, { ...some, total: 1000, done: 19 }), now([]))).toBeNull();
    expect(leftOf(run(1, { ...some, total_known: false }), now([]))).toBeNull();
  });

  it('is that of one task at least while fewer have ended than there are workers', () => {
    const slow = run(1, { total: 4, done: 3, size: 8, each_p50: 200, first: START });
    const workers = [poolWorker(1, { run: 1, task_since: START + 50 })];
    expect(leftOf(slow, now([slow], { workers }))).toBeCloseTo(190);
  });
});

describe('the sentence while tasks run', () => {
  it.each([
    [1, 'Running `f1` on 3 workers'],
    [2, 'Running `f2` and `f1` on 3 workers'],
    [3, 'Running 3 functions on 3 workers']
  ])('names what %d of them run', (count, words) => {
    const runs = Array.from({ length: count }, (_, id) =>
      run(id + 1, { function: `f${id + 1}`, total: 100 + id })
    );
    expect(runningWords(now(runs))?.sentence).toBe(words);
  });

  it('says how far one is, and how long the longest takes', () => {
    expect(plain(runningWords(now([run(1, some)]))?.left)).toBe('40 %, 1 m 30 s left');
    const two = [run(1, some), run(2, { ...some, done: 20 })];
    expect(plain(runningWords(now(two))?.left)).toBe('4 m left');
  });

  it('keeps head and tail of a long name', () => {
    expect(shortName('a_function_with_a_very_long_name')).toBe(
      'a_function_…ry_long_name'
    );
    expect(shortName('score')).toBe('score');
  });

  it('goes before what is served, and the kernel’s delay before the time left', () => {
    const say = sayOf(now([run(1, some)], { busy_delay: 0.009 }), 'live', 0, 0);
    expect(say.sentence).toBe('Running `score` on 3 workers');
    expect(plain(say.aside)).toBe('kernel busy, +9 ms a call');
    expect(plain(say.more)).toBe('40 %, 1 m 30 s left');
  });

  it('is there though nothing is shared', () => {
    const say = sayOf(now([run(1, some)], { state: 'empty' }), 'live', 0, null);
    expect([say.state, say.sentence]).toEqual(['live', 'Running `score` on 3 workers']);
  });

  it('says between two runs that there is no task, and what the last one took', () => {
    const over = run(1, { ...some, ended: START + 24, last: START + 22 });
    expect(restingWords(now([over]))?.sentence).toBe('3 workers, no task');
    expect(plain(sayOf(now([over]), 'live', 0, null).more)).toBe('`score` took 22 s');
    const gone = now([over], { workers: [], state: 'empty' });
    const say = sayOf(gone, 'live', 0, null);
    expect(plain(say.more)).toBe('`score` took 22 s');
    expect(say.sentence).toBe('Ready, nothing shared yet');
  });
});

describe('the words of the status bar', () => {
  it('say how far what runs is', () => {
    const words = statusWords(now([run(1, some), run(2, { total: 3 })]));
    expect(words?.name).toBe('score +1');
    expect(words?.parts.map(plain)).toEqual(['40 %', '1 m 30 s left']);
  });

  it('say what is done where more may come', () => {
    const words = statusWords(now([run(1, { ...some, total_known: false })]));
    expect(words?.parts).toEqual(['40 so far']);
  });

  it('are not there where nothing runs', () => {
    expect(
      statusWords(now([run(1, { ended: START })], { pools: [pool(1)] }))
    ).toBeNull();
  });
});
