/** What is, and counts at earlier moments, of which all rates are differences. */

import { isBad, takesPart } from '../checks';
import type { ObjectRow, Snapshot, Totals, WorkerRow } from '../snapshot';

/** Seconds that are kept, and those of them of which every snapshot is. */
export const KEPT_S = 15 * 60;
const DENSE_S = 5 * 60;
/** Seconds from one snapshot to the next among the older ones. */
const SPARSE_S = 1;
/** Rates of rows are those of so many seconds. */
const ROW_WINDOW_S = 2;
/** Seconds from one note of the rows' counts to the next. */
const NOTE_EVERY_S = 1;
const NOTES_KEPT = 60;
/** Seconds without news after which a gap is drawn. */
export const GAP_S = 2;

/** Requests of all kinds. */
export function callsOf(row: Pick<ObjectRow, 'gets' | 'sets' | 'executes'>): number {
  return row.gets + row.sets + row.executes;
}

/** What happened between two moments, a second of it. */
export interface Rates {
  gets: number;
  sets: number;
  executes: number;
  bytesIn: number;
  bytesOut: number;
  /** Seconds, or null without calls. */
  p50: number | null;
  p99: number | null;
  /** Workers that computed; null where no task of theirs is seen. */
  computing: number | null;
  /** Workers that waited on the kernel; null without workers. */
  waiting: number | null;
  /** How many there were. */
  workers: number;
}

/** Something that happened to a worker. */
export interface WorkerEvent {
  time: number;
  what: string;
}

interface Sample {
  time: number;
  /** Nobody looked between the one before and this: that was no silence. */
  isAfterAway: boolean;
  totals: Totals;
  /** Seconds that workers computed and waited since the view began. */
  computed: number;
  waited: number;
  workers: number;
  /** Whether the tasks of any of them are seen. */
  isSeen: boolean;
}

/** What a worker had spent when it was last heard of, in seconds. */
interface Spent {
  computed: number;
  waited: number;
  /** Of how many threads the waiting is. */
  threads: number;
}

interface Note {
  time: number;
  calls: Map<number, number>;
  /** Frames that were larger than their buffer, by object. */
  beside: Map<number, number>;
  workerCalls: Map<number, number>;
}

export class History {
  /** The whole of now. */
  now: Snapshot | null = null;
  /** Counts at earlier moments, the oldest first. */
  samples: Sample[] = [];
  events: WorkerEvent[] = [];
  #notes: Note[] = [];
  #rows = new Map<number, ObjectRow>();
  #ended = new Set<number>();
  #spent = new Map<number, Spent>();

  /**
   * Take in what is now.
   *
   * @param wasAway - Nobody looked since the last one, and nothing was sent.
   */
  add(now: Snapshot, wasAway = false): void {
    const isKnown = this.now?.kernel.session === now.kernel.session;
    if (!isKnown) {
      this.clear();
    }
    this.now = now;
    this.#rows = new Map(now.objects.map(row => [row.idx, row]));
    this.#noteEvents(now, isKnown);
    this.#keep(now, wasAway);
  }

  /** Forget what was, and keep what is. */
  clear(): void {
    this.samples = [];
    this.events = [];
    this.#notes = [];
  }

  #noteEvents(now: Snapshot, known: boolean): void {
    for (const end of now.ended) {
      // How it ended is known a little later than that it did.
      if (end.how === 'gone' || this.#ended.has(end.pid)) {
        continue;
      }
      this.#ended.add(end.pid);
      if (known && isBad(end)) {
        this.events.push({ time: end.ended, what: `${end.name} ${end.words}` });
      }
    }
    this.events = this.events.filter(event => now.time - event.time < KEPT_S);
  }

  #keep(now: Snapshot, isAfterAway: boolean): void {
    const last = this.samples.at(-1);
    if (last && now.time <= last.time) {
      return;
    }
    const passed = now.time - (last?.time ?? now.time);
    const spent = new Map(now.workers.map(row => [row.pid, spentBy(row)]));
    let computed = last?.computed ?? 0;
    let waited = last?.waited ?? 0;
    for (const [pid, after] of spent) {
      const before = this.#spent.get(pid) ?? after;
      const more = (after: number, before: number): number =>
        Math.min(passed, Math.max(0, after - before));
      computed += more(after.computed, before.computed);
      waited += more(after.waited / after.threads, before.waited / after.threads);
    }
    this.#spent = spent;
    this.samples.push({
      time: now.time,
      isAfterAway,
      totals: now.totals,
      computed,
      waited,
      workers: now.workers.filter(takesPart).length,
      isSeen: now.workers.some(row => row.t_computing !== null)
    });
    this.#thin(now.time);
    const note = this.#notes.at(-1);
    if (!note || now.time - note.time >= NOTE_EVERY_S) {
      this.#notes.push({
        time: now.time,
        calls: new Map(now.objects.map(row => [row.idx, callsOf(row)])),
        beside: new Map(now.objects.map(row => [row.idx, row.beside])),
        workerCalls: new Map(now.workers.map(row => [row.pid, row.calls]))
      });
      if (this.#notes.length > NOTES_KEPT) {
        this.#notes.shift();
      }
    }
  }

  /** Keep of the older samples one a second, and none of the oldest. */
  #thin(time: number): void {
    while (time - (this.samples[0]?.time ?? time) > KEPT_S) {
      this.samples.shift();
    }
    let at = this.samples.findIndex(sample => time - sample.time <= DENSE_S) - 1;
    for (; at > 0; at--) {
      const { time: between } = this.samples[at] as Sample;
      if (between - (this.samples[at - 1]?.time ?? 0) >= SPARSE_S) {
        break;
      }
      this.samples.splice(at, 1);
    }
  }

  /** The note that is so many seconds old, or the oldest. */
  #noteBefore(seconds: number): Note | undefined {
    const until = (this.now?.time ?? 0) - seconds;
    return this.#notes.findLast(note => note.time <= until) ?? this.#notes[0];
  }

  /** Calls to an object in a second. */
  rateOf(idx: number): number {
    const note = this.#noteBefore(ROW_WINDOW_S);
    const row = this.#rows.get(idx);
    if (!note || !row || !this.now || this.now.time <= note.time) {
      return 0;
    }
    const before = note.calls.get(idx) ?? 0;
    return Math.max(0, callsOf(row) - before) / (this.now.time - note.time);
  }

  /** Share of an object's frames of the last minute that were larger than its buffer. */
  besideOf(idx: number): number {
    const note = this.#noteBefore(NOTES_KEPT);
    const row = this.#rows.get(idx);
    const calls = row && note ? callsOf(row) - (note.calls.get(idx) ?? 0) : 0;
    const beside = row && note ? row.beside - (note.beside.get(idx) ?? 0) : 0;
    return calls > 0 && beside > 0 ? Math.min(1, beside / calls) : 0;
  }

  /** Calls of a worker in a second. */
  workerRateOf(pid: number): number {
    const note = this.#noteBefore(ROW_WINDOW_S);
    const row = this.now?.workers.find(worker => worker.pid === pid);
    if (!note || !row || !this.now || this.now.time <= note.time) {
      return 0;
    }
    const count = row.calls - (note.workerCalls.get(pid) ?? 0);
    return Math.max(0, count) / (this.now.time - note.time);
  }

  /** What happened between two samples. */
  ratesBetween(from: number, to: number): Rates | null {
    const a = this.samples[from];
    const b = this.samples[to];
    if (!a || !b || b.time <= a.time) {
      return null;
    }
    const passed = b.time - a.time;
    const each = (after: number, before: number): number =>
      Math.max(0, after - before) / passed;
    const counts = b.totals.latency.map((count, bucket) =>
      Math.max(0, count - (a.totals.latency[bucket] ?? 0))
    );
    return {
      gets: each(b.totals.gets, a.totals.gets),
      sets: each(b.totals.sets, a.totals.sets),
      executes: each(b.totals.executes, a.totals.executes),
      bytesIn: each(b.totals.bytes_in, a.totals.bytes_in),
      bytesOut: each(b.totals.bytes_out, a.totals.bytes_out),
      p50: quantile(counts, 0.5),
      p99: quantile(counts, 0.99),
      computing: b.isSeen ? each(b.computed, a.computed) : null,
      waiting: b.workers ? each(b.waited, a.waited) : null,
      workers: b.workers
    };
  }

  /** What happened in the seconds before a moment. */
  ratesOfLast(seconds: number, until: number): Rates | null {
    const last = this.samples.findLastIndex(sample => sample.time <= until);
    const since = (this.samples[last]?.time ?? 0) - seconds;
    let from = last;
    while (from > 0 && (this.samples[from]?.time ?? 0) > since) {
      from--;
    }
    return this.ratesBetween(from, last);
  }
}

/** What a worker has spent: in tasks, where they are seen, or else in calls. */
function spentBy({
  t_computing: computed,
  t_waiting: inTasks,
  threads,
  waited
}: WorkerRow): Spent {
  return {
    computed: computed ?? 0,
    waited: inTasks ?? waited,
    threads: inTasks === null ? Math.max(1, threads) : 1
  };
}

/** The latency in seconds under which a share of the calls lies, as near as buckets say. */
export function quantile(counts: number[], share: number): number | null {
  const wanted = counts.reduce((sum, count) => sum + count, 0) * share;
  if (wanted <= 0) {
    return null;
  }
  let seen = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count && seen + count >= wanted) {
      // Buckets double: between their ends, calls are taken to lie evenly by logarithm.
      return 2 ** (bucket - 1 + (wanted - seen) / count) / 4e6;
    }
    seen += count;
  }
  return null;
}
