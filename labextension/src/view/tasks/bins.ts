/**
 * What one worker did, in bins of time. Their number follows the span that is drawn,
 * whatever the number of tasks: 240 of a quarter of a second for a minute, as many longer
 * ones for five minutes and for fifteen.
 */

import { SPANS } from '../head';

/** Bins of a span. */
export const BINS = 240;

/** Seconds of a bin, for a span in seconds. */
export function stepOf(span: number): number {
  return span / BINS;
}

/** Seconds that were spent in one bin, and what happened in it. */
export interface Spell {
  computing: number;
  /** In calls of proxies. */
  waiting: number;
  starting: number;
  /** Tasks that ended, and those of them that failed. */
  tasks: number;
  failed: number;
  /** Seconds of the bin of which this is known. */
  known: number;
  /** The run that took most of it, and the number of the object waited on; or 0. */
  run: number;
  object: number;
}

const FIELDS = 8;
const [COMPUTING, WAITING, STARTING, TASKS, FAILED, KNOWN, RUN, OBJECT] = [
  0, 1, 2, 3, 4, 5, 6, 7
];

/** Bins of one length, in a ring. */
class Ring {
  readonly #values = new Float32Array(BINS * FIELDS);
  /** The number of the newest bin: seconds since the epoch by the length of a bin. */
  #last = -Infinity;

  constructor(readonly step: number) {}

  /** Where the values of a bin are; those of new bins are none. */
  #place(bin: number): number {
    if (bin > this.#last) {
      const from = Math.max(this.#last + 1, bin - BINS + 1);
      for (let fresh = from; fresh <= bin; fresh++) {
        const at = (fresh % BINS) * FIELDS;
        this.#values.fill(0, at, at + FIELDS);
      }
      this.#last = bin;
    }
    return bin > this.#last - BINS ? (bin % BINS) * FIELDS : -1;
  }

  add(from: number, to: number, spell: Spell): void {
    const { step } = this;
    const begin = Math.floor(from / step);
    const end = Math.max(begin, Math.ceil(to / step) - 1);
    for (let bin = Math.max(begin, end - BINS + 1); bin <= end; bin++) {
      const at = this.#place(bin);
      const overlap = Math.min(to, (bin + 1) * step) - Math.max(from, bin * step);
      if (at < 0 || overlap <= 0) {
        continue;
      }
      const share = overlap / (to - from);
      const values = this.#values;
      const add = (field: number, value: number): void => {
        values[at + field] = (values[at + field] ?? 0) + value;
      };
      add(COMPUTING, spell.computing * share);
      add(WAITING, spell.waiting * share);
      add(STARTING, spell.starting * share);
      add(KNOWN, spell.known * share);
      if (spell.run) {
        values[at + RUN] = spell.run;
      }
      if (spell.object) {
        values[at + OBJECT] = spell.object;
      }
      if (bin === end) {
        add(TASKS, spell.tasks);
        add(FAILED, spell.failed);
      }
    }
  }

  read(bin: number, into: Spell): boolean {
    const isHere = bin <= this.#last && bin > this.#last - BINS;
    const at = isHere ? (bin % BINS) * FIELDS : 0;
    const known = isHere ? (this.#values[at + KNOWN] ?? 0) : 0;
    if (known <= 0) {
      return false;
    }
    const of = (field: number): number => this.#values[at + field] ?? 0;
    // Of a bin that is not over yet as well: shares of what is known of it.
    into.computing = of(COMPUTING) / known;
    into.waiting = of(WAITING) / known;
    into.starting = of(STARTING) / known;
    into.tasks = of(TASKS);
    into.failed = of(FAILED);
    into.known = known;
    into.run = of(RUN);
    into.object = of(OBJECT);
    return true;
  }
}

export function noSpell(): Spell {
  return {
    computing: 0,
    waiting: 0,
    starting: 0,
    tasks: 0,
    failed: 0,
    known: 0,
    run: 0,
    object: 0
  };
}

/** The bins of one worker, for every span that can be chosen. */
export class Bins {
  readonly #rings = new Map(SPANS.map(span => [span, new Ring(stepOf(span))]));

  /** Spread what was spent between two moments evenly over them. */
  add(from: number, to: number, spell: Spell): void {
    if (to > from) {
      this.#rings.forEach(ring => ring.add(from, to, spell));
    }
  }

  /**
   * Read a bin: the times become shares of what is known of it.
   *
   * @param span - The span that is drawn, in seconds.
   * @param bin - Its number: seconds since the epoch by the length of a bin.
   * @param into - Where it is written: for hundreds of bins one object will do.
   * @returns Whether anything is known of it.
   */
  read(span: number, bin: number, into: Spell): boolean {
    return this.#rings.get(span)?.read(bin, into) ?? false;
  }
}
