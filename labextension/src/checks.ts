/** What is asked of what the kernel sends. */

import { type EndedRow, SCHEMA, type Snapshot, type WorkerRow } from './snapshot';

/** Tell whether a process came to a bad end. */
export function isBad({ how }: EndedRow): boolean {
  return how === 'failed' || how === 'killed';
}

/** Tell whether a worker takes part: one of a cluster may never have used what is shared. */
export function takesPart({ cluster, connected, holds }: WorkerRow): boolean {
  return cluster === null || connected > 0 || holds > 0;
}

/** Tell whether a message holds a snapshot that this view can draw. */
export function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const found = value as Partial<Snapshot>;
  return (
    found.schema === SCHEMA &&
    typeof found.seq === 'number' &&
    typeof found.time === 'number' &&
    Array.isArray(found.objects) &&
    Array.isArray(found.workers) &&
    typeof found.totals === 'object' &&
    found.totals !== null
  );
}
