/** Rows of pools, runs and tasks, as a test wants them. */

import type {
  PoolRow,
  RunRow,
  Snapshot,
  TaskRow,
  WorkerRow
} from '../../../src/snapshot';
import { serving, START, worker } from '../support';

export function pool(id: number, values: Partial<PoolRow> = {}): PoolRow {
  return {
    id,
    kind: 'Pool',
    size: 6,
    seen: true,
    since: START,
    ended: null,
    how: null,
    ...values
  };
}

export function run(id: number, values: Partial<RunRow> = {}): RunRow {
  return {
    id,
    pool: 1,
    function: 'score',
    module: '__main__',
    total: 4096,
    total_known: true,
    done: 0,
    failed: 0,
    lost: 0,
    cancelled: 0,
    in_hand: 0,
    queued: 0,
    first: START,
    last: START,
    ended: null,
    cell: 7,
    each_p50: null,
    spent: {
      starting: 0,
      computing: 0,
      waiting: 0,
      no_task_queued: 0,
      no_task_empty: 0
    },
    waited_on: [],
    slowest: [],
    handed_over: 0,
    not_copied: 0,
    size: 6,
    failures: [],
    killed: [],
    advice: '',
    ...values
  };
}

export function task(pid: number, values: Partial<TaskRow> = {}): TaskRow {
  return {
    pid,
    run: 1,
    start: START,
    end: null,
    waited: 0,
    arguments: '',
    failed: null,
    ...values
  };
}

/** A worker of a pool, whose tasks are seen. */
export function poolWorker(pid: number, values: Partial<WorkerRow> = {}): WorkerRow {
  return worker(pid, {
    name: `ForkPoolWorker-${pid}`,
    since: START - 10,
    pool: 1,
    state: 'idle',
    tasks: 0,
    failed_tasks: 0,
    t_computing: 0,
    t_waiting: 0,
    t_starting: 0.5,
    ...values
  });
}

/** What there is so many seconds after the begin. */
export function at(seconds: number, values: Partial<Snapshot> = {}): Snapshot {
  return {
    ...serving,
    seq: Math.round(seconds * 4) + 1,
    time: START + seconds,
    ended: [],
    pools: [pool(1)],
    runs: [run(1)],
    run_count: 1,
    workers: [],
    tasks: [],
    ...values
  };
}
