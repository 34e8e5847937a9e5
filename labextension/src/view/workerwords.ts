/** What a worker is called, which numbers are told of it, and what it does, in words. */

import { NEAR_LIMIT } from '../snapshot';
import type { ClusterWorker, EndedRow, WorkerRow } from '../snapshot';
import { bytes, exact, many, plainBytes, took, UNKNOWN } from './format';

/** A task that has run for so long says for how long. */
const LONG_S = 1;

/** From so much of its time on a worker is said to wait rather than to call. */
const WAITS = 0.5;

/** The number of a process on its host; null where it is not known. */
export function pidOf({ pid, cluster }: WorkerRow | EndedRow): number | null {
  return cluster ? cluster.pid : pid;
}

/** The same in words. */
export function pidIn(row: WorkerRow | EndedRow): string {
  const pid = pidOf(row);
  return pid === null ? UNKNOWN : String(pid);
}

/** Its memory in bytes, that of a cluster's worker as the cluster measures it. */
export function memoryOf({ pss, cluster }: WorkerRow): number | null {
  return cluster ? cluster.memory : pss;
}

/** Its memory and the limit of that, where there is one. */
export function memoryIn(memory: number | null, limit: number | null): string {
  return limit === null ? bytes(memory) : `${bytes(memory)} of ${plainBytes(limit)}`;
}

/** Whether there is little left of what a worker may use. */
export function isNearLimit({ memory, memory_limit: limit }: ClusterWorker): boolean {
  return memory !== null && limit !== null && memory >= NEAR_LIMIT * limit;
}

/** What a cluster says of its worker, or nothing. */
export function clusterDoing({
  state,
  running,
  waiting
}: Pick<ClusterWorker, 'state' | 'running' | 'waiting'>): string {
  const parts = [];
  if (state && state !== 'running') {
    parts.push(state.replaceAll('_', ' '));
  }
  if (running !== null) {
    parts.push(running ? many(running, 'task') : 'no task');
  }
  if (waiting) {
    parts.push(`${exact(waiting)} waiting`);
  }
  return parts.join(', ');
}

/** What a worker does: its mark, in words with code between backticks, and what follows. */
export interface Doing {
  readonly mark: string;
  readonly words: string;
  readonly more: string;
}

export function doingOf(
  worker: WorkerRow,
  name: string | null,
  now: number,
  calls: number | null,
  waiting: number
): Doing {
  const { calling, state, task_since: since, waiting_on: object } = worker;
  switch (state) {
    case 'starting':
      return { mark: 'boot', words: 'starting', more: '' };
    case 'idle':
      return { mark: 'idle', words: 'no task', more: '' };
    case 'waiting': {
      const on = object ?? calling[0];
      const words = `\`${name ?? 'a task'}\`, waiting on ${on ? `\`${on}\`` : 'the kernel'}`;
      return { mark: state, words, more: '' };
    }
    case 'computing': {
      const age = since === null ? 0 : now - since;
      const long = age >= LONG_S ? ` for ${took(age)}` : '';
      return { mark: state, words: `\`${name ?? 'a task'}\``, more: long };
    }
    case 'unseen':
      return unseenDoing(worker, calls, waiting);
  }
}

function unseenDoing(
  { calling, holds, pool, cluster }: WorkerRow,
  calls: number | null,
  waiting: number
): Doing {
  const [first, ...others] = calling;
  if (first !== undefined) {
    const more = others.length ? ` +${others.length}` : '';
    return waiting >= WAITS
      ? { mark: 'waiting', words: `waiting on \`${first}\``, more }
      : { mark: 'calling', words: `calling \`${first}\``, more };
  }
  const told = cluster ? clusterDoing(cluster) : '';
  if (told) {
    return { mark: cluster?.running ? 'computing' : 'idle', words: told, more: '' };
  }
  if (pool !== null) {
    return { mark: 'idle', words: 'its tasks are not seen', more: '' };
  }
  // Most calls are over before anybody looks.
  if (calls) {
    return { mark: 'calling', words: 'between calls', more: '' };
  }
  const words = holds ? `holds ${many(holds, 'version')}` : 'idle';
  return { mark: 'idle', words, more: '' };
}
