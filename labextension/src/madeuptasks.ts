/** Made-up pools: what their workers do in each quarter of a second. */

import { KB, MB } from './madeuprows';
import type { PoolRow, RunRow, Snapshot, TaskRow, WorkerRow } from './snapshot';

export type TaskScene = 'none' | 'main' | 'idle' | 'many' | 'one' | 'unseen';

const TICK_S = 0.25;
const CARRIERS = [
  'UA',
  'DL',
  'AA',
  'B6',
  'EV',
  'MQ',
  'US',
  'WN',
  '9E',
  'VX',
  'FL',
  'AS'
];

/** A function that is run, and what its tasks are like. */
interface Plan {
  name: string;
  pool: number;
  /** When it begins, seconds since the begin of all. */
  at: number;
  total: number;
  /** Seconds of a task; short ones are not told one by one. */
  takes: () => number;
  waits: (past: number, worker: number) => number;
  object: string;
  values: (task: number) => string;
  fails: (task: number) => boolean;
  saved: number;
}

interface Worker {
  row: WorkerRow;
  /** When it has begun, and when it is killed. */
  boot: number;
  killed: number;
  task: TaskRow | null;
  until: number;
}

export class MadeUpTasks {
  readonly pools: PoolRow[] = [];
  readonly runs: RunRow[] = [];
  tasks: TaskRow[] = [];
  private workers: Worker[] = [];
  private now = 0;
  private readonly plans = new Map<number, Plan>();
  private readonly waiting: Plan[] = [];

  constructor(
    private readonly scene: TaskScene,
    private readonly begin: number,
    private readonly chance: () => number
  ) {
    const few = (seconds: number, more: number): number =>
      seconds + this.chance() * this.chance() * more;
    const rest = { fails: () => false, saved: 0, object: 'conn' };
    if (scene === 'main' || scene === 'idle') {
      this.pool('Pool', 'ForkPoolWorker', 6, 41283, 0);
      const total = scene === 'idle' ? 700 : 4096;
      const load: Plan = {
        ...rest,
        name: 'load',
        pool: 1,
        at: 1,
        total: 36,
        takes: () => few(1.7, 4.2),
        waits: () => 0.06 + 0.1 * this.chance(),
        values: task => `'${CARRIERS[task % 12]}', ${1 + Math.floor(task / 12)}`
      };
      const score: Plan = {
        ...rest,
        name: 'score',
        pool: 1,
        at: 18,
        total,
        takes: () => 0.118,
        waits: (past, worker) =>
          (past > 43 ? (worker === 1 ? 0.74 : 0.4) : 0.09) *
          (0.7 + 0.6 * this.chance()),
        values: () => '',
        fails: task => task === 700,
        saved: 12 * MB
      };
      this.waiting.push(load, score);
      if (scene === 'main') {
        this.waiting.push({
          ...rest,
          name: 'fit',
          pool: 2,
          at: 14,
          total: 24,
          takes: () => few(4, 6.5),
          waits: past => (past % 7 < 0.6 ? 0.55 : 0),
          object: 'flights',
          values: task => `depth=${3 + (task % 8)}, lr=${[0.3, 0.1, 0.03][task % 3]}`,
          fails: task => task === 5,
          saved: 97.6 * MB
        });
      }
    } else if (scene === 'many') {
      this.pool('loky', 'LokyProcess', 64, 52100, 6);
      this.waiting.push({
        ...rest,
        name: 'price',
        pool: 1,
        at: 6,
        total: 100_000,
        takes: () => 0.033,
        waits: past => (past > 37 && past < 39.5 ? 0.93 : 0.05 * this.chance()),
        object: 'curve',
        values: () => '',
        fails: task => task % 1009 === 8,
        saved: 48 * KB
      });
    } else if (scene === 'one') {
      this.pool('ProcessPoolExecutor', 'SpawnProcess', 1, 60211, 1);
      this.waiting.push({
        ...rest,
        name: 'simulate',
        pool: 1,
        at: 3,
        total: 10,
        takes: () => few(4, 7),
        waits: past => (past % 8 > 3 && past % 8 < 4 ? 0.9 : 0),
        object: 'grid',
        values: task => `seed=${task + 1}, grid`,
        fails: task => task === 3,
        saved: 1.21 * KB * MB
      });
    } else if (scene === 'unseen') {
      this.pool('ProcessPoolExecutor', 'SpawnProcess', 4, 38811, 10, false);
    }
  }

  get rows(): Pick<Snapshot, 'pools' | 'runs' | 'run_count' | 'tasks'> & {
    workers: WorkerRow[];
    killed: number | null;
  } {
    const killed = this.workers.find(({ killed: at }) => at < Infinity);
    return {
      pools: this.pools.map(row => ({ ...row })),
      runs: this.runs.map(row => structuredClone(row)),
      run_count: this.runs.length + (this.scene === 'main' ? 12 : 0),
      tasks: this.tasks.map(row => ({ ...row })),
      workers: this.workers
        .filter(({ killed: at, row }) => at === Infinity && row.since <= this.now)
        .map(({ row }) => ({ ...row })),
      killed: killed?.killed ?? null
    };
  }

  /** Go on by a quarter of a second. */
  step(now: number): void {
    this.now = now;
    const past = now - this.begin;
    if (this.scene === 'main' && past === 14) {
      this.pool('ProcessPoolExecutor', 'SpawnProcess', 2, 41301, past, true, 2.4);
    }
    if (this.scene === 'main' && past === 39) {
      const third = this.workers[2];
      if (third) {
        third.killed = now;
        third.row = { ...third.row, run: null };
      }
      this.worker(1, 'ForkPoolWorker-7', 41344, now, 0.75);
      const score = this.runs.find(({ function: name }) => name === 'score');
      if (score) {
        score.lost = 1;
      }
    }
    for (const plan of [...this.waiting]) {
      const isFree = !this.runs.some(
        run => run.pool === plan.pool && run.ended === null
      );
      if (past >= plan.at && isFree) {
        this.waiting.splice(this.waiting.indexOf(plan), 1);
        this.run(plan, now);
      }
    }
    this.workers.forEach((worker, at) => this.work(worker, at, now, past));
    for (const run of this.runs) {
      run.in_hand = this.workers.filter(({ row }) => row.run === run.id).length;
      run.queued = Math.max(0, run.total - run.done - run.in_hand);
      if (run.ended === null && run.done >= run.total) {
        run.ended = run.last = now;
        run.in_hand = run.queued = 0;
        for (const task of this.tasks.filter(({ run: id }) => id === run.id)) {
          task.end ??= now;
        }
        this.workers.forEach(worker => (worker.task = null));
      }
    }
    this.tasks = this.tasks.filter(({ end }) => end === null || now - end < 10);
  }

  private pool(
    kind: PoolRow['kind'],
    name: string,
    size: number,
    pid: number,
    at: number,
    seen = true,
    boot = 0.5
  ): void {
    const since = this.begin + at;
    const id = this.pools.length + 1;
    this.pools.push({ id, kind, size, seen, since, ended: null, how: null });
    for (let n = 0; n < size; n++) {
      this.worker(id, `${name}-${n + 1}`, pid + n, since + n * 0.05, boot, seen);
    }
  }

  private worker(
    pool: number,
    name: string,
    pid: number,
    since: number,
    boot: number,
    seen = true
  ): void {
    const row: WorkerRow = {
      ...{ pid, name, since, threads: 1, calls: 0, bytes_in: 0, bytes_out: 0 },
      ...{ waited: 0, connected: 0, calling: [], holds: pid % 2 },
      pss: (58 + (pid % 9)) * MB,
      pool,
      state: seen ? 'starting' : 'unseen',
      run: null,
      task_since: null,
      waiting_on: null,
      tasks: seen ? 0 : null,
      failed_tasks: seen ? 0 : null,
      t_computing: seen ? 0 : null,
      t_waiting: seen ? 0 : null,
      t_starting: seen ? boot : null,
      each_p50: null,
      way: null,
      cluster: null
    };
    this.workers.push({
      row,
      boot: since + boot,
      killed: Infinity,
      task: null,
      until: 0
    });
  }

  private run(plan: Plan, now: number): void {
    const id = this.runs.length + 1;
    const size = this.pools[plan.pool - 1]?.size ?? 1;
    this.plans.set(id, plan);
    this.runs.push({
      ...{ id, pool: plan.pool, function: plan.name, module: '__main__' },
      ...{ total: plan.total, total_known: true, done: 0, failed: 0, lost: 0 },
      ...{ cancelled: 0, in_hand: 0, queued: plan.total, first: now, last: now },
      ...{ ended: null, cell: 7, each_p50: null, waited_on: [], slowest: [] },
      spent: {
        starting: 0,
        computing: 0,
        waiting: 0,
        no_task_queued: 0,
        no_task_empty: 0
      },
      ...{ handed_over: 0, not_copied: 0, size, failures: [], killed: [], advice: '' }
    });
  }

  private work(worker: Worker, at: number, now: number, past: number): void {
    const { row } = worker;
    if (now >= worker.killed || now < row.since) {
      return;
    }
    if (row.t_computing === null) {
      const share = 0.09 + (at === 2 ? 0.3 : 0.1 * this.chance());
      worker.row = {
        ...row,
        waited: row.waited + share * TICK_S,
        calls: row.calls + 5
      };
      return;
    }
    const run = this.runs.find(
      ({ pool, ended }) => pool === row.pool && ended === null
    );
    const plan = run && this.plans.get(run.id);
    if (now < worker.boot) {
      if (run) {
        run.spent.starting += TICK_S;
      }
      return;
    }
    if (!run || !plan || run.done + run.in_hand > run.total) {
      worker.row = {
        ...row,
        state: 'idle',
        run: null,
        waiting_on: null,
        task_since: null
      };
      return;
    }
    const share = Math.min(0.95, plan.waits(past, at));
    const idle = plan.takes() < 1 ? 0.04 : 0;
    const computing = Math.max(0, 1 - share - idle);
    const ended = this.end(worker, run, plan, now, computing);
    const failed = ended.filter(task => plan.fails(task)).length;
    run.done += ended.length;
    run.failed += failed;
    run.last = now;
    run.spent.computing += computing * TICK_S;
    run.spent.waiting += share * TICK_S;
    run.spent.no_task_queued += idle * TICK_S;
    run.waited_on = [{ object: plan.object, seconds: run.spent.waiting }];
    run.each_p50 = plan.name === 'fit' ? 7.6 : plan.takes() * 1.1;
    run.handed_over += ended.length;
    run.not_copied += plan.saved * ended.length;
    run.advice =
      run.spent.waiting > 0.25 * run.spent.computing
        ? `Its workers wait on \`${plan.object}\` for a quarter of their time, one call at a ` +
          'time runs in the kernel. Take fewer and larger calls, or work on a copy: ' +
          `\`fetch(shared.${plan.object})\`.`
        : '';
    run.slowest =
      run.done > 5
        ? [7, 12, 2].map((n, nth) => ({
            seconds: 3.1 - nth * 0.3,
            arguments: plan.values(n) || `'UA', ${n}`,
            pid: row.pid,
            when: now
          }))
        : [];
    const isWaiting = share > 0.45;
    worker.row = {
      ...row,
      state: isWaiting ? 'waiting' : 'computing',
      run: run.id,
      task_since: worker.task?.start ?? now - 0.1,
      waiting_on: isWaiting ? plan.object : null,
      calling: isWaiting ? [plan.object] : [],
      calls: row.calls + Math.round(9 * this.chance()),
      tasks: (row.tasks ?? 0) + ended.length,
      failed_tasks: (row.failed_tasks ?? 0) + failed,
      t_computing: row.t_computing + computing * TICK_S,
      t_waiting: (row.t_waiting ?? 0) + share * TICK_S,
      each_p50: run.each_p50
    };
  }

  /** Give the numbers of the tasks that end now. */
  private end(
    worker: Worker,
    run: RunRow,
    plan: Plan,
    now: number,
    computing: number
  ): number[] {
    const takes = plan.takes();
    if (takes < 0.5) {
      const count = Math.floor((computing * TICK_S) / takes + this.chance());
      const most = Math.min(count, run.total - run.done);
      return Array.from({ length: most }, (_, n) => run.done + n);
    }
    const number = run.done + this.tasks.filter(({ end }) => end === null).length;
    const task = worker.task;
    if (task && now < worker.until) {
      task.waited += (1 - computing) * TICK_S;
      return [];
    }
    const ended = task ? [run.done] : [];
    if (task) {
      task.end = now;
      const isFailed = plan.fails(run.done);
      task.failed = isFailed
        ? { type: 'ValueError', message: 'negative weight' }
        : null;
    }
    worker.task = {
      ...{ pid: worker.row.pid, run: run.id, start: now, end: null, waited: 0 },
      ...{ arguments: plan.values(number), failed: null }
    };
    worker.until = now + takes;
    if (run.done + ended.length < run.total) {
      this.tasks.push(worker.task);
    }
    return ended;
  }
}
