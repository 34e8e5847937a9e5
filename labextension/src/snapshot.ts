/**
 * What the kernel tells: `duck_jupyter/session/snapshot.py` and
 * `duck_jupyter/stats/rows.py` in TypeScript.
 *
 * Times are seconds since the epoch, sizes are bytes, and null is what is not known.
 * Both are checked against `tests/data/snapshot.json`.
 */

export const SCHEMA = 1;

export interface Totals {
  gets: number;
  sets: number;
  executes: number;
  bytes_in: number;
  bytes_out: number;
  last: number;
  peak: number;
  /** Calls by latency; bucket i is under 2**i / 4 microseconds. */
  latency: number[];
}

export type Mode = 'live' | 'frozen' | 'inplace' | 'read-only';

export interface ObjectRow {
  idx: number;
  parent: number | null;
  path: string;
  root: string;
  type: string;
  size: string;
  mode: Mode;
  level: number;
  max_level: number;
  bufsize: number;
  gets: number;
  sets: number;
  executes: number;
  bytes_in: number;
  bytes_out: number;
  last: number;
  peak: number;
  versions: number;
  version_bytes: number;
  mapped_bytes: number;
  /** Older versions that handles on their way stand for. */
  awaited: number;
  last_error: string | null;
  pids: number[];
  since: number;
}

export interface WorkerRow {
  pid: number;
  name: string;
  since: number;
  threads: number;
  calls: number;
  bytes_in: number;
  bytes_out: number;
  /** Seconds that its threads have waited for answers, all together. */
  waited: number;
  /** Seconds that its threads have been connected, all together. */
  connected: number;
  calling: string[];
  pss: number | null;
}

export interface EndedRow {
  pid: number;
  name: string;
  since: number;
  ended: number;
  exit_code: number | null;
  /** `gone` where nobody knows. */
  how: 'ended' | 'failed' | 'killed' | 'gone';
  /** The same, and by what. */
  words: string;
  calls: number;
}

/** Tell whether a process came to a bad end. */
export function isBad({ how }: EndedRow): boolean {
  return how === 'failed' || how === 'killed';
}

export interface ErrorRow {
  type: string;
  object: string;
  message: string;
  count: number;
  first: number;
  last: number;
  pids: number[];
  worker: string;
  /** A sentence, and a line to copy or an empty one. */
  ways_out: [string, string][];
  traceback: string;
}

export interface ChainRow {
  path: string;
  type: string;
  level: number;
  max_level: number;
  cuts: number;
}

export interface Finding {
  what: string;
  detail: string;
  line: string;
}

export interface MemoryRow {
  capacity: number | null;
  free: number | null;
  ours: number;
  spooled: number;
  spool_dir: string;
  findings: Finding[] | null;
}

/** A session at one moment; a tick where it is not whole. */
export interface Snapshot {
  schema: typeof SCHEMA;
  seq: number;
  /**
   * A tick has of the objects those that changed since the one before, and null for
   * errors and chains that did not change.
   */
  whole: boolean;
  time: number;
  since: number | null;
  state: 'serving' | 'empty' | 'stopped';
  kernel: { pid: number; python: string; session: string };
  cell: { running: boolean; number: number | null };
  busy_delay: number | null;
  totals: Totals;
  objects: ObjectRow[];
  gone: number[];
  object_count: number;
  workers: WorkerRow[];
  ended: EndedRow[];
  errors: ErrorRow[] | null;
  error_count: number;
  chains: ChainRow[] | null;
  memory: MemoryRow;
  /** Ids of the commands that were done lately. */
  done: string[];
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
