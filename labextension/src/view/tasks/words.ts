/** What is said of tasks: in the sentence, on the tabs, in the status bar. */

import type { PoolRow, RunRow, Snapshot, WorkerRow } from '../../snapshot';
import * as format from '../format';

/** Of what is counted from the kernel on; a picture of before has none of it. */
export type Now = Pick<Snapshot, 'time' | 'runs' | 'pools' | 'workers'>;

/** The time left is said from so many tasks on, and from so much of them. */
const LEAST_TASKS = 3;
const LEAST_SHARE = 0.02;

/** A longer name keeps its head and its tail. */
const NAME_CHARS = 24;

export function shortName(name: string): string {
  return name.length > NAME_CHARS ? `${name.slice(0, 11)}…${name.slice(-12)}` : name;
}

/** Runs that go on, the one with most tasks first. */
export function runningOf({ runs }: Pick<Now, 'runs'>): RunRow[] {
  return runs.filter(({ ended }) => ended === null).sort((a, b) => b.total - a.total);
}

export function poolOf(run: RunRow, { pools }: Now): PoolRow | undefined {
  return pools.find(({ id }) => id === run.pool);
}

/** Whether a worker has a task now. */
export function isAtWork({ state }: WorkerRow): boolean {
  return state === 'computing' || state === 'waiting';
}

/** Seconds that a run has taken. */
export function elapsedOf(run: RunRow, time: number): number {
  return Math.max(0, (run.ended === null ? time : run.last) - run.first);
}

/** Seconds that are left, or null where that cannot be told. */
export function leftOf(run: RunRow, { time, workers }: Now): number | null {
  const { done, total, total_known: isKnown, each_p50: typical, id, size } = run;
  const elapsed = elapsedOf(run, time);
  if (!isKnown || done < LEAST_TASKS || done < LEAST_SHARE * total || elapsed <= 0) {
    return null;
  }
  const byMean = ((total - done) * elapsed) / done;
  if (done >= size || typical === null) {
    return byMean;
  }
  const ages = workers.flatMap(({ run: at, task_since: since }) =>
    at === id && since !== null ? [time - since] : []
  );
  const age = ages.reduce((sum, each) => sum + each, 0) / Math.max(1, ages.length);
  return Math.max(byMean, typical - age);
}

/** The longest time that is left of any, or null where none can be told. */
function longestLeft(running: readonly RunRow[], now: Now): number | null {
  return running.reduce<number | null>((most, run) => {
    const left = leftOf(run, now);
    return left === null ? most : Math.max(left, most ?? 0);
  }, null);
}

/** Workers of the pools in which something runs. */
function workersOf(running: readonly RunRow[], { workers }: Now): WorkerRow[] {
  const pools = new Set(running.map(({ pool }) => pool));
  return workers.filter(({ pool }) => pool !== null && pools.has(pool));
}

/** How many tasks of the runs that are listed have failed. */
export function failedOf({ runs }: Pick<Now, 'runs'>): number {
  return runs.reduce((sum, { failed }) => sum + failed, 0);
}

/** The share that is done, in words, or nothing where that is not known. */
function doneOf({ done, total, total_known: isKnown }: RunRow): string {
  return isKnown && total > 0 ? format.percent(done / total) : '';
}

/** What the sentence says while something runs: names are code. */
export function runningWords(now: Now): { sentence: string; left: string } | null {
  const running = runningOf(now);
  const [first, second, ...others] = running;
  if (!first) {
    return null;
  }
  const named = (run: RunRow): string => `\`${shortName(run.function)}\``;
  const what = others.length
    ? format.many(running.length, 'function')
    : second
      ? `${named(first)} and ${named(second)}`
      : named(first);
  const count = workersOf(running, now).length;
  const left = longestLeft(running, now);
  const words = [
    second ? '' : doneOf(first),
    left === null ? '' : `${format.left(left)} left`
  ];
  return {
    sentence: `Running ${what}${count ? ` on ${format.many(count, 'worker')}` : ''}`,
    left: words.filter(Boolean).join(', ')
  };
}

/** What the sentence says between two runs, while a pool has workers. */
export function restingWords(now: Now): { sentence: string; took: string } | null {
  const pools = new Set(now.pools.filter(({ seen }) => seen).map(({ id }) => id));
  const count = now.workers.filter(
    ({ pool }) => pool !== null && pools.has(pool)
  ).length;
  const last = lastOver(now);
  return count && last
    ? { sentence: `${format.many(count, 'worker')}, no task`, took: lastTook(now) }
    : null;
}

/** Whether there is a pool to tell of, its tasks seen or not. */
export function hasTasks({ runs, pools }: Pick<Now, 'runs' | 'pools'>): boolean {
  return runs.length > 0 || pools.length > 0;
}

/** How long the last run took, or nothing. */
export function lastTook(now: Pick<Now, 'runs' | 'time'>): string {
  const last = lastOver(now);
  return last
    ? `\`${shortName(last.function)}\` took ${format.took(elapsedOf(last, now.time))}`
    : '';
}

/** The run that was over last. */
export function lastOver({ runs }: Pick<Now, 'runs'>): RunRow | null {
  return runs.reduce<RunRow | null>(
    (last, run) => (run.ended !== null && run.ended >= (last?.ended ?? 0) ? run : last),
    null
  );
}

export interface StatusWords {
  readonly name: string;
  readonly parts: readonly string[];
}

/** What the status bar says while something runs: the name, and the rest in parts. */
export function statusWords(now: Now): StatusWords | null {
  const running = runningOf(now);
  const [first] = running;
  if (!first) {
    return null;
  }
  const left = longestLeft(running, now);
  const more = running.length > 1 ? ` +${running.length - 1}` : '';
  return {
    name: shortName(first.function) + more,
    parts: [
      doneOf(first) || `${format.exact(first.done)} so far`,
      left === null ? '' : `${format.left(left)} left`
    ].filter(Boolean)
  };
}
