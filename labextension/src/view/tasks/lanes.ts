/** A lane for each worker: what it did, and its long tasks. */

import { isBad, takesPart } from '../../checks';
import type { EndedRow, RunRow, Snapshot, TaskRow, WorkerRow } from '../../snapshot';
import { KEPT_S } from '../history';
import { BINS, Bins, noSpell, stepOf } from './bins';
import type { WorkerShares } from './spent';

/** A worker: what is known of it now, and what it did. */
export interface Lane {
  readonly key: string;
  readonly bins: Bins;
  /** The last row that was heard of it, and how it ended, where it has. */
  row: WorkerRow;
  end: EndedRow | null;
  /** When it was no longer there, whether or not it is known how it ended. */
  goneAt: number | null;
  /** Single tasks, where they took half a second or more; the oldest first. */
  tasks: TaskRow[];
  /** Until when it is known what it did, and until when it was starting. */
  until: number;
  startedUntil: number;
}

/** A function, whatever runs it: it has one colour for the whole session. */
export interface FunctionStyle {
  readonly name: string;
  /** From 1 to 3, and 0 for all others. */
  readonly colour: number;
}

/** How many functions have a colour of their own. */
const COLOURS = 3;

/** Where a worker without a pool stands: after all others. */
const NO_POOL = Infinity;

export class Lanes {
  /** By pool, then by start. */
  lanes: Lane[] = [];
  /** Of workers that are there, by pid; when one began is known better later. */
  readonly #here = new Map<number, Lane>();
  #gone: Lane[] = [];
  #count = 0;
  readonly #styles = new Map<string, FunctionStyle>();
  readonly #runs = new Map<number, RunRow>();
  readonly #objects: string[] = [''];
  #session = '';
  #time = -Infinity;

  /** Take in what is now. */
  take(now: Snapshot): void {
    if (now.kernel.session !== this.#session) {
      this.clear();
      this.#styles.clear();
      this.#runs.clear();
      this.#session = now.kernel.session;
    }
    if (now.time <= this.#time) {
      return;
    }
    for (const run of now.runs) {
      this.#runs.set(run.id, run);
      this.#styleOf(run);
    }
    const workers = now.workers.filter(takesPart);
    workers.forEach(row => this.#step(row, now.time));
    this.#noteTasks(now);
    this.#end(now, workers);
    this.#time = now.time;
    this.lanes = [...this.#gone, ...this.#here.values()].sort(
      (a, b) =>
        (a.row.pool ?? NO_POOL) - (b.row.pool ?? NO_POOL) ||
        a.row.since - b.row.since ||
        a.row.pid - b.row.pid ||
        0
    );
  }

  /** Forget what was drawn; colours stay. */
  clear(): void {
    this.#here.clear();
    this.#gone = [];
    this.lanes = [];
    this.#time = -Infinity;
  }

  run(id: number | null): RunRow | null {
    return (id !== null && this.#runs.get(id)) || null;
  }

  /** The function of a run and its colour. */
  style(id: number | null): FunctionStyle | null {
    const run = this.run(id);
    return run && this.#styleOf(run);
  }

  object(number: number): string {
    return this.#objects[number] ?? '';
  }

  /** What a worker's time went into over a span; null before anything is known. */
  spent(row: WorkerRow, span: number): WorkerShares | null {
    const lane = this.#here.get(row.pid);
    const shares = lane ? sharesOf(lane, span, this.#time) : null;
    return (
      shares && {
        computing: isUnseen(row) ? null : shares.computing,
        waiting: shares.waiting
      }
    );
  }

  /** Lanes that have a place in a span: those of workers that are there or were in it. */
  seen(span: number, now: number): Lane[] {
    return this.lanes.filter(({ goneAt }) => goneAt === null || now - goneAt < span);
  }

  #styleOf({ module, function: name }: RunRow): FunctionStyle {
    const key = `${module}.${name}`;
    let style = this.#styles.get(key);
    if (!style) {
      const count = this.#styles.size;
      style = { name, colour: count < COLOURS ? count + 1 : 0 };
      this.#styles.set(key, style);
    }
    return style;
  }

  #step(row: WorkerRow, now: number): void {
    let lane = this.#here.get(row.pid) ?? this.#back(row);
    if (lane && lane.row.name !== row.name) {
      // Another process has its number.
      this.#leave(lane, lane.until);
      lane = undefined;
    }
    if (!lane) {
      // Of one that came since the last picture all is known; of others nothing yet.
      const isNew = this.#time > -Infinity;
      const nothing = {
        t_computing: 0,
        t_waiting: 0,
        waited: 0,
        tasks: 0,
        failed_tasks: 0
      };
      const begin = isNew ? Math.min(row.since, now) : now;
      lane = {
        key: `${row.pid}:${(this.#count += 1)}`,
        bins: new Bins(),
        row: isNew ? { ...row, ...nothing } : row,
        end: null,
        goneAt: null,
        tasks: [],
        until: begin,
        startedUntil: begin
      };
      this.#here.set(row.pid, lane);
    }
    this.#spend(lane, row, now);
    // One whose pool has ended stays where it was.
    lane.row = { ...row, pool: row.pool ?? lane.row.pool };
    lane.until = now;
  }

  /** Work out what was done since the last picture: its counters only grow. */
  #spend(lane: Lane, row: WorkerRow, now: number): void {
    const { row: before, until } = lane;
    const passed = now - until;
    if (passed <= 0) {
      return;
    }
    const spell = noSpell();
    const more = (after: number | null, was: number | null): number =>
      Math.max(0, (after ?? 0) - (was ?? 0));
    spell.computing = more(row.t_computing, before.t_computing);
    spell.waiting = isUnseen(row)
      ? more(row.waited, before.waited) / Math.max(1, row.threads)
      : more(row.t_waiting, before.t_waiting);
    // A worker reads its clock a little before or after the kernel does.
    const most = Math.max(1, (spell.computing + spell.waiting) / passed);
    spell.computing /= most;
    spell.waiting /= most;
    spell.tasks = more(row.tasks, before.tasks);
    spell.failed = more(row.failed_tasks, before.failed_tasks);
    spell.known = passed;
    // The task of before is over where it has none now, and is the one that took the time.
    const isBusy = spell.computing + spell.waiting > 0 || spell.tasks > 0;
    spell.run = isBusy ? (row.run ?? before.run ?? 0) : 0;
    spell.object = spell.waiting > 0 ? this.#objectOf(row, before, spell.run) : 0;
    lane.bins.add(until, now, spell);
    this.#start(lane, row, now);
  }

  #start(lane: Lane, row: WorkerRow, now: number): void {
    const until =
      row.state === 'starting'
        ? now
        : Math.min(now, row.since + Math.max(0, row.t_starting ?? 0));
    const begin = lane.startedUntil;
    if (until > begin) {
      lane.bins.add(begin, until, { ...noSpell(), starting: until - begin });
      lane.startedUntil = until;
    }
  }

  #objectOf(row: WorkerRow, before: WorkerRow, run: number): number {
    const name =
      row.waiting_on ??
      row.calling[0] ??
      before.waiting_on ??
      this.#runs.get(run)?.waited_on[0]?.object ??
      '';
    const known = this.#objects.indexOf(name);
    return known >= 0 ? known : this.#objects.push(name) - 1;
  }

  #noteTasks(now: Snapshot): void {
    const told = new Set<TaskRow>();
    for (const task of now.tasks) {
      const lane =
        this.#here.get(task.pid) ??
        this.#gone.findLast(({ row }) => row.pid === task.pid);
      const tasks = lane?.tasks;
      const at = tasks?.findLastIndex(({ start }) => start === task.start) ?? -1;
      told.add(task);
      if (tasks && at >= 0) {
        tasks[at] = task;
      } else {
        tasks?.push(task);
      }
    }
    for (const { tasks } of [...this.#gone, ...this.#here.values()]) {
      tasks.forEach((task, at) => {
        if (task.end === null && !told.has(task)) {
          // It ended while nobody looked, or with its worker.
          tasks[at] = { ...task, end: this.#time };
        }
      });
      while (tasks[0] && now.time - (tasks[0].end ?? now.time) > KEPT_S) {
        tasks.shift();
      }
    }
  }

  /** Note who is not there any more, and forget those that no span shows. */
  #end(now: Snapshot, workers: readonly WorkerRow[]): void {
    const here = new Set(workers.map(({ pid }) => pid));
    for (const [pid, lane] of this.#here) {
      if (!here.has(pid)) {
        this.#leave(lane, now.time);
      }
    }
    for (const lane of this.#gone) {
      // How it ended is known a little later than that it did.
      lane.end ??=
        now.ended.findLast(
          ({ pid, ended }) => pid === lane.row.pid && ended >= lane.row.since
        ) ?? null;
      lane.goneAt = Math.min(lane.goneAt ?? now.time, lane.end?.ended ?? now.time);
    }
    this.#gone = this.#gone.filter(({ goneAt }) => now.time - (goneAt ?? 0) <= KEPT_S);
  }

  /** A worker that was missing in a picture, and is there again. */
  #back(row: WorkerRow): Lane | undefined {
    const lane = this.#gone.findLast(
      ({ end, row: { name, pid } }) =>
        end === null && pid === row.pid && name === row.name
    );
    if (lane) {
      this.#gone.splice(this.#gone.indexOf(lane), 1);
      this.#here.set(row.pid, lane);
      lane.goneAt = null;
    }
    return lane;
  }

  #leave(lane: Lane, when: number): void {
    lane.goneAt = when;
    this.#here.delete(lane.row.pid);
    this.#gone.push(lane);
  }
}

/** Whether the tasks of a worker are not seen: it has no pool, or one made before. */
export function isUnseen(row: WorkerRow): boolean {
  return row.t_computing === null;
}

/** Whether a worker came to a bad end. */
export function isLost({ end }: Lane): boolean {
  return end !== null && isBad(end);
}

/** Shares of a worker's time over a span, from 0 to 1; what is not known counts not. */
export interface Shares {
  computing: number;
  waiting: number;
  starting: number;
}

export function sharesOf(lane: Lane, span: number, now: number): Shares | null {
  const last = Math.floor(now / stepOf(span));
  const spell = noSpell();
  const sum = { computing: 0, waiting: 0, starting: 0 };
  let known = 0;
  for (let bin = last - BINS + 1; bin <= last; bin++) {
    if (lane.bins.read(span, bin, spell)) {
      known += spell.known;
      sum.computing += spell.computing * spell.known;
      sum.waiting += spell.waiting * spell.known;
      sum.starting += spell.starting * spell.known;
    }
  }
  return known > 0
    ? {
        computing: sum.computing / known,
        waiting: sum.waiting / known,
        starting: sum.starting / known
      }
    : null;
}
