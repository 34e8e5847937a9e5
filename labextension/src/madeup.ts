/** A made-up session: a minute of it at once, then four ticks a second. */

import { CLUSTER, clusterWorkers } from './madeupcluster';
import {
  chance,
  errorsAt,
  KB,
  type Made,
  MB,
  OBJECTS,
  rowOf,
  UNSEEN
} from './madeuprows';
import { MadeUpTasks, type TaskScene } from './madeuptasks';
import type { ClusterRow, ErrorRow, ObjectRow, Snapshot, WorkerRow } from './snapshot';
import type { Command, Source, Update } from './source';

export type Scene =
  | 'live'
  | 'idle'
  | 'silent'
  | 'saved'
  | 'empty'
  | 'stopped'
  | 'waiting'
  | 'not-loaded'
  | 'language'
  | 'no-kernel'
  | 'dead'
  | 'pending';

const HZ = 4;
const MINUTE = 60 * HZ;
export class MadeUp implements Source {
  readonly host: Source['host'] = {
    title: 'flights.ipynb · Python 3',
    insertCell: () => undefined,
    changeKernel: () => undefined
  };
  readonly commands: Command[] = [];
  private readonly chance = chance(7);
  private readonly listeners = new Set<(update: Update) => void>();
  private readonly objects: ObjectRow[];
  private readonly rates: number[];
  private readonly workers: WorkerRow[];
  private readonly latency = new Array<number>(32).fill(0);
  private readonly begin: number;
  private readonly tasks: MadeUpTasks;
  private readonly errors: ErrorRow[];
  private readonly clusters: ClusterRow[];
  private time: number;
  private seq = 0;
  private timer: number | undefined;
  private isVisible = true;

  constructor(
    private readonly scene: Scene,
    more: number,
    workers: number,
    tasks: TaskScene = 'none',
    far = 0
  ) {
    // Quarters of a second are whole ones, for events to come when they are planned.
    this.begin = Math.floor(Date.now() / 1000) - 60;
    this.time = this.begin;
    this.tasks = new MadeUpTasks(tasks, this.begin, chance(11));
    this.errors = errorsAt(this.begin + 60);
    const made = OBJECTS.map((values, at) => rowOf(values, at + 1, this.begin - 100));
    for (let at = made.length; at < more; at++) {
      const values: Made = [
        `item_${at}`,
        null,
        'dict',
        `${at} keys`,
        'live',
        0,
        1,
        at * 10,
        at * 1000,
        at % 110,
        at % 130
      ];
      made.push(rowOf(values, at + 1, this.begin - 100));
    }
    this.objects = made;
    this.rates = made.map((_, at) => OBJECTS[at]?.[6] ?? 1);
    this.workers = Array.from(
      { length: tasks === 'none' ? workers : 0 },
      (_, at): WorkerRow => ({
        pid: 41283 + at,
        name: `ForkPoolWorker-${at + 1}`,
        since: this.begin - 101,
        threads: 1,
        calls: 500000 - 4000 * at,
        bytes_in: 0,
        bytes_out: 0,
        waited: 0,
        connected: 0,
        calling: [['results'], ['conn'], ['model']][at % 3] ?? [],
        pss: (61.2 + (at % 9)) * MB,
        holds: at % 2,
        ...UNSEEN
      })
    ).concat(clusterWorkers(far, this.begin - 90));
    this.clusters = far ? [CLUSTER] : [];
  }

  current(): Update {
    return this.words() ?? { kind: 'absence', absence: { kind: 'waiting' } };
  }

  private words(): Update | null {
    switch (this.scene) {
      case 'waiting':
      case 'not-loaded':
      case 'no-kernel':
      case 'dead':
        return { kind: 'absence', absence: { kind: this.scene } };
      case 'language':
        return { kind: 'absence', absence: { kind: 'language', language: 'R' } };
      default:
        return null;
    }
  }

  /** Tell the minute that was, then go on so many milliseconds apart; never where 0. */
  start(every: number): void {
    if (this.words()) {
      return;
    }
    const until = this.scene === 'silent' ? MINUTE - 6 * HZ : MINUTE;
    for (let at = 0; at < until; at++) {
      this.tick();
    }
    if (this.scene === 'saved') {
      const snapshot = this.snapshot();
      this.emit({ kind: 'absence', absence: { kind: 'saved', snapshot } });
    } else if (every && this.scene !== 'silent') {
      this.timer = window.setInterval(() => this.isVisible && this.tick(), every);
    }
  }

  subscribe(listener: (update: Update) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      clearInterval(this.timer);
    };
  }

  setVisible(visible: boolean): void {
    this.isVisible = visible;
  }

  send(command: Command, withdrawn?: AbortSignal): Promise<void> {
    this.commands.push(command);
    if (this.scene !== 'pending') {
      return Promise.resolve();
    }
    return new Promise((_, reject) => {
      withdrawn?.addEventListener('abort', () => reject(new Error('Withdrawn.')));
    });
  }

  /** Go on by a quarter of a second, and tell it. */
  tick(): void {
    this.time += 1 / HZ;
    const past = this.time - this.begin;
    const isCalm =
      this.scene === 'empty' ||
      this.scene === 'stopped' ||
      (this.scene === 'idle' && past > 22);
    const isBusy = past > 43;
    this.tasks.step(this.time);
    if (!isCalm) {
      this.objects.forEach((row, at) => this.call(row, (this.rates[at] ?? 0) / HZ));
      for (const worker of this.workers) {
        worker.calls += Math.round(120 + 40 * this.chance());
        worker.waited += ((isBusy ? 0.38 : 0.09) * (0.7 + 0.6 * this.chance())) / HZ;
      }
      const usual = isBusy ? 6 : 4;
      for (let n = 0; n < 280; n++) {
        const late = this.chance() < 0.02;
        const bucket = late ? (isBusy ? 15 : 9) : usual + Math.floor(2 * this.chance());
        this.latency[bucket] = (this.latency[bucket] ?? 0) + 1;
      }
    }
    this.emit({ kind: 'snapshot', snapshot: this.snapshot() });
  }

  private call(row: ObjectRow, calls: number): void {
    const many = calls * (0.7 + 0.6 * this.chance());
    row.gets += Math.round(many * 0.45);
    row.sets += Math.round(many * 0.1);
    row.executes += Math.round(many * 0.45);
    row.bytes_out += Math.round(many * 3000);
    row.bytes_in += Math.round(many * 1900);
  }

  private snapshot(): Snapshot {
    const isEmpty = this.scene === 'empty' || this.scene === 'stopped';
    const objects = isEmpty ? [] : this.objects.map(row => ({ ...row }));
    const sum = (of: (row: ObjectRow) => number): number =>
      objects.reduce((total, row) => total + of(row), 0);
    const isBusy = this.time - this.begin > 43 && this.scene !== 'idle';
    const { workers, killed, ...tasks } = this.tasks.rows;
    return {
      ...tasks,
      schema: 1,
      seq: ++this.seq,
      whole: true,
      time: this.time,
      since: this.begin - 100,
      state:
        this.scene === 'empty'
          ? 'empty'
          : this.scene === 'stopped'
            ? 'stopped'
            : 'serving',
      kernel: { pid: 41000, python: '3.11.7', session: 'made-up' },
      cell: { running: true, number: 7 },
      busy_delay: isBusy ? 0.009 : null,
      totals: {
        gets: sum(row => row.gets),
        sets: sum(row => row.sets),
        executes: sum(row => row.executes),
        bytes_in: sum(row => row.bytes_in),
        bytes_out: sum(row => row.bytes_out),
        last: 0,
        peak: 0,
        latency: [...this.latency],
        beside: 0,
        handovers: sum(row => row.handovers),
        handed_bytes: sum(row => row.handed_bytes),
        versions: sum(row => row.versions)
      },
      objects,
      gone: [],
      object_count: objects.length,
      workers: isEmpty
        ? workers
        : [...this.workers.map(row => ({ ...row })), ...workers],
      ended:
        killed === null && (isEmpty || this.time - this.begin < 39 || workers.length)
          ? []
          : [
              {
                pid: killed === null ? 41299 : 41285,
                name: killed === null ? 'ForkPoolWorker-9' : 'ForkPoolWorker-3',
                since: this.begin + (killed === null ? -101 : 0.1),
                ended: this.begin + 39,
                exit_code: -9,
                how: 'killed',
                words: 'killed by SIGKILL',
                calls: 305796,
                tasks: 774,
                cluster: null
              }
            ],
      errors: isEmpty ? [] : this.errors,
      error_count: isEmpty ? 0 : 154,
      error_kinds: isEmpty ? 0 : 4,
      chains: isEmpty
        ? []
        : [
            {
              key: 'LimitedProxyChaining',
              path: 'model.named_steps.forest.estimators_[0].tree_.value.T.flat.base',
              type: 'LimitedProxyChaining',
              level: 8,
              max_level: 7,
              cuts: 37
            }
          ],
      memory: {
        capacity: 2 * KB * MB,
        free: 1.6 * KB * MB,
        ours: isEmpty ? 0 : 106 * MB,
        spooled: 0,
        spool_dir: '/var/tmp',
        findings: isEmpty
          ? []
          : [
              {
                what: '2 left-over blocks',
                detail: 'Blocks of processes that are gone.',
                line: '%duck doctor --clean'
              }
            ]
      },
      done: [],
      clusters: this.clusters
    };
  }

  private emit(update: Update): void {
    this.listeners.forEach(listener => listener(update));
  }
}
