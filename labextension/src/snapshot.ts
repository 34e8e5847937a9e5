/**
 * What the kernel sends. `python -m tests.support.typescript` generates this file from
 * `duck_jupyter/session/snapshot.py` and from `rows.py`, `task_rows.py` and
 * `worker_rows.py` in `duck_jupyter/stats`: do not edit it.
 *
 * Times are seconds since the epoch, sizes are bytes, and null is what is not known.
 */

export const SCHEMA = 1;

/** The share of its limit at which a worker of Dask is paused. */
export const NEAR_LIMIT = 0.8;

/** The process that shares. */
export interface KernelRow {
  pid: number;
  python: string;
  /** Random, once for each process. */
  session: string;
}

/** What the notebook's main thread does. */
export interface Cell {
  running: boolean;
  /** The cell's number, In [number]. */
  number: number | null;
}

/**
 * Counts of all calls, including those to removed objects. A call is a request about an
 * object, also one of `locked`, `ref` or `fetch`.
 */
export interface Totals {
  gets: number;
  sets: number;
  executes: number;
  /** Bytes of requests, towards the kernel. */
  bytes_in: number;
  /** Bytes of answers, towards the workers. */
  bytes_out: number;
  /**
   * Bytes of the last frame and of the largest one that fitted the buffer. The fullest
   * of the connected threads counts; if none is connected, the last one to disconnect.
   */
  last: number;
  peak: number;
  /** Calls by latency; bucket i has those under 2**i / 4 microseconds. */
  latency: number[];
  /** Frames that were larger than the buffer, and were sent outside it. */
  beside: number;
  /**
   * How often objects were handed over to workers, and how many bytes of data this
   * saved from being copied.
   */
  handovers: number;
  handed_bytes: number;
  /** How many versions are kept. */
  versions: number;
}

/** One shared object, or one reached through it, and the traffic to it. */
export interface ObjectRow {
  idx: number;
  /** For a chained object: the number of the object it was first reached through. */
  parent: number | null;
  /** The shared name, or the path from it such as `df.groupby()`. */
  path: string;
  /** The shared name that it was reached through. */
  root: string;
  type: string;
  /** A description of its size, or empty. */
  size: string;
  mode: 'frozen' | 'inplace' | 'live' | 'read-only';
  level: number;
  max_level: number;
  /**
   * Bytes of the buffer that its calls use, the largest of all threads; before the
   * first call, of the buffer that it is shared with. `last` and `peak` fill it.
   */
  bufsize: number;
  gets: number;
  sets: number;
  executes: number;
  bytes_in: number;
  bytes_out: number;
  /** As in `Totals`. */
  last: number;
  peak: number;
  /** How many versions are kept for workers that fetch it, and their bytes. */
  versions: number;
  version_bytes: number;
  /** Bytes of the versions that a process maps. */
  mapped_bytes: number;
  /** Older versions that are kept for handles in transit. */
  awaited: number;
  /** The type and the message of its last error. */
  last_error: string | null;
  error: LastError | null;
  /** Processes that hold or call it, or hold a version of it. */
  pids: number[];
  since: number;
  /** As in `Totals`; a part of the object counts as the object. */
  beside: number;
  handovers: number;
  handed_bytes: number;
}

/** The last error of an object. */
export interface LastError {
  /** That of its kind, `ErrorRow.key`. */
  key: string;
  type: string;
  time: number;
}

/** One process that is connected, maps a version of an object, or works for a pool. */
export interface WorkerRow {
  /**
   * Its number. A process of another host, or one whose number is not known, has a
   * number above those of this host's; `ClusterWorker.pid` is its own.
   */
  pid: number;
  /** That of a worker of a cluster is `HOST:WORKER`, as in `ClusterWorker`. */
  name: string;
  since: number;
  /** How many of its threads are connected and have called. */
  threads: number;
  calls: number;
  bytes_in: number;
  bytes_out: number;
  /**
   * Seconds that its threads have waited for answers, added up: from the request to the
   * answer, by the worker's own clock.
   */
  waited: number;
  /** Seconds that its threads have been connected, added up. */
  connected: number;
  /** The paths of the objects that it calls, or waits for, right now. */
  calling: string[];
  /** Its memory in bytes, shared pages counted in parts. */
  pss: number | null;
  /** How many versions it maps. */
  holds: number;
  /** `PoolRow.id` of its pool, and `RunRow.id` of the task that it has. */
  pool: number | null;
  state: 'computing' | 'idle' | 'starting' | 'unseen' | 'waiting';
  run: number | null;
  /** When its task began. */
  task_since: number | null;
  /** The path of the object whose answer its task waits for. */
  waiting_on: string | null;
  /** Tasks that have ended, those that failed among them, and these. */
  tasks: number | null;
  failed_tasks: number | null;
  /**
   * Seconds in tasks without those in calls of proxies, and in these; a task that runs
   * counts until now. And seconds from its start to its first task.
   */
  t_computing: number | null;
  t_waiting: number | null;
  t_starting: number | null;
  /** The median of the durations of its tasks. */
  each_p50: number | null;
  /** The way of its newest connection; null if it has called nothing. */
  way: 'direct' | 'lane' | 'relay' | null;
  /** null for a process of this host that is in no cluster. */
  cluster: ClusterWorker | null;
}

/**
 * What is known of a process that works for a cluster, or is on another host. The
 * cluster counts the tasks and measures the memory. Only while somebody looks is it
 * asked for them.
 */
export interface ClusterWorker {
  host: string;
  /**
   * Its name in its cluster, else the port of its address. The number of a process that
   * is in no cluster.
   */
  worker: string;
  /** Its number on its host. */
  pid: number | null;
  /** The address by which its cluster knows it, or empty. */
  address: string;
  /** How many tasks it runs now, and how many wait there to be run. */
  running: number | null;
  waiting: number | null;
  /**
   * Its resident memory, which counts shared pages in each process, and the limit at
   * which its cluster ends it.
   */
  memory: number | null;
  memory_limit: number | null;
  /** What the cluster calls its state, such as "running" or "paused"; or empty. */
  state: string;
}

/** A process that was connected and has disconnected. */
export interface EndedRow {
  /** As in `WorkerRow`. */
  pid: number;
  name: string;
  since: number;
  ended: number;
  /**
   * The exit code, or the negative number of the signal. null if only the code that
   * started the process can know it, or if the process still runs.
   */
  exit_code: number | null;
  /** `"gone"` if it is not known. */
  how: 'ended' | 'failed' | 'gone' | 'killed';
  /** The same as text, with the exit code or the signal. */
  words: string;
  calls: number;
  /** Tasks that it ended as a pool's worker; null if it was none, or is not known. */
  tasks: number | null;
  /** As in `WorkerRow`. */
  cluster: ClusterWorker | null;
}

/** One kind of error: exceptions of one type and message, with the same ways out. */
export interface ErrorRow {
  /** Identifies the kind, in every kernel. */
  key: string;
  type: string;
  /**
   * The path and the number of the object that raised the last one; 0 if there was
   * none.
   */
  object: string;
  idx: number;
  /** How many objects raised one. */
  objects: number;
  message: string;
  /** The path that was cut, for a `LimitedProxyChaining`; empty for others. */
  cut: string;
  count: number;
  first: number;
  last: number;
  /** The processes that got one; only the newest 100. */
  pids: number[];
  /** The name of the process that got the last one. */
  worker: string;
  /** What to do next: a sentence, and lines to copy or none. */
  ways_out: [string, string][];
  traceback: string;
  /**
   * "task": a task of a pool raised it, and `object` is its function. "lost": a worker
   * was killed at a task.
   */
  kind: 'call' | 'lost' | 'task';
  /** `RunRow.id` of the last such task, and its arguments in short. */
  run: number | null;
  arguments: string;
}

/** A path that was cut because it grew longer than allowed. */
export interface ChainRow {
  /** That of its error, `ErrorRow.key`. */
  key: string;
  path: string;
  type: string;
  /** The level it would have had, and the highest allowed. */
  level: number;
  max_level: number;
  cuts: number;
}

/** The folder of shared memory, in bytes. */
export interface MemoryRow {
  capacity: number | null;
  free: number | null;
  /** What the lanes and versions of this server take, there or in the spool folder. */
  ours: number;
  /** The part of it in the spool folder. */
  spooled: number;
  spool_dir: string;
  /** null if the doctor has not run. */
  findings: Finding[] | null;
}

/** A state of shared memory that may need an action of the user. */
export interface Finding {
  what: string;
  detail: string;
  /** A line to copy, or empty. */
  line: string;
}

/** A pool that was given a task. */
export interface PoolRow {
  id: number;
  kind: 'Pool' | 'ProcessPoolExecutor' | 'joblib' | 'loky';
  /** How many workers it has at most. */
  size: number;
  /**
   * False where it was made before the extension was loaded: its tasks are not seen.
   */
  seen: boolean;
  since: number;
  ended: number | null;
  how: 'broken' | 'closed' | 'interrupted' | null;
}

/**
 * One function in one pool, until none of its tasks is queued or in hand for 2 s. A
 * task is an item, also where the pool sends several together. Each is counted as one
 * of `done`, `lost`, `cancelled`, `in_hand` and `queued`.
 */
export interface RunRow {
  id: number;
  pool: number;
  /** Its `__qualname__`. */
  function: string;
  module: string;
  /** How many tasks the pool was given until now. */
  total: number;
  /** False while more may come. */
  total_known: boolean;
  /** Tasks that have ended, those that failed among them. */
  done: number;
  /** Tasks that raised. */
  failed: number;
  /** Tasks whose worker was killed. */
  lost: number;
  /** Tasks that were never begun, and will not be. */
  cancelled: number;
  in_hand: number;
  queued: number;
  /** When its first task was submitted, and when its last one began or ended. */
  first: number;
  last: number;
  /** null while it goes on. */
  ended: number | null;
  /** The number of the cell that submitted its first task, In [number]. */
  cell: number | null;
  /** The median of the durations of tasks that ended. */
  each_p50: number | null;
  spent: Spent;
  /** The first three. */
  waited_on: WaitedOn[];
  /** The slowest five that ended, the slowest first. */
  slowest: Slow[];
  /**
   * How often its tasks were handed a shared object, and the bytes that were not copied
   * for it.
   */
  handed_over: number;
  not_copied: number;
  /** Workers of its pool that take part, at most at once. */
  size: number;
  /** Failed tasks by the type of their error, the most first. */
  failures: [string, number][];
  /** Workers that were killed at its tasks, in words. */
  killed: string[];
  /** One sentence about why it is not faster; empty where there is nothing to say. */
  advice: string;
}

/** Where the time of a run's workers went, in seconds of all workers together. */
export interface Spent {
  /** From the start of a process to its first task: imports and unpickling. */
  starting: number;
  computing: number;
  /** In calls of proxies. */
  waiting: number;
  /** Without a task, while the pool had some that no worker had begun. */
  no_task_queued: number;
  /** The same, while it had none. */
  no_task_empty: number;
}

/** How long a run's workers waited on a shared object, in seconds of all together. */
export interface WaitedOn {
  /** The path of the object. */
  object: string;
  seconds: number;
}

/** One of the slowest tasks of a run. */
export interface Slow {
  seconds: number;
  /** In short, as `'UA', 7`; empty where they are not known. */
  arguments: string;
  pid: number;
  /** When it ended. */
  when: number;
}

/** A task that took half a second or longer, or has been running for as long. */
export interface TaskRow {
  pid: number;
  run: number;
  start: number;
  /** null while it runs. */
  end: number | null;
  /** In calls of proxies. */
  waited: number;
  arguments: string;
  failed: TaskFailure | null;
}

/** The error that a task raised. */
export interface TaskFailure {
  type: string;
  message: string;
}

/** A cluster that names are shared on. */
export interface ClusterRow {
  /** What runs it, such as "Dask". */
  kind: string;
  /** The link to the page that shows it, or empty. */
  dashboard: string;
}

/** A session at one moment; a tick where it is not whole. */
export interface Snapshot {
  schema: 1;
  seq: number;
  /**
   * A tick has of the objects those that changed since the one before, and null for
   * errors and chains that did not change.
   */
  whole: boolean;
  time: number;
  since: number | null;
  /** `"empty"` where nothing is shared, `"stopped"` where its server has ended. */
  state: 'empty' | 'serving' | 'stopped';
  kernel: KernelRow;
  cell: Cell;
  busy_delay: number | null;
  totals: Totals;
  objects: ObjectRow[];
  /** Numbers of objects that went since the snapshot before. */
  gone: number[];
  object_count: number;
  workers: WorkerRow[];
  ended: EndedRow[];
  errors: ErrorRow[] | null;
  error_count: number;
  /** How many kinds of error there were; `errors` has the newest of them. */
  error_kinds: number;
  chains: ChainRow[] | null;
  memory: MemoryRow;
  /** Ids of the commands that were done lately. */
  done: string[];
  /** Pools that were given a task, in the order of their first ones. */
  pools: PoolRow[];
  /** Those that go on, and the last ones that have ended, in the order of starting. */
  runs: RunRow[];
  /** How many runs there were in all. */
  run_count: number;
  /** Long tasks: those that run, and those that ended in the last ten seconds. */
  tasks: TaskRow[];
  /** Clusters that names are shared on. */
  clusters: ClusterRow[];
}
