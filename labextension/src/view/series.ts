/** What each chart draws of the samples: columns of numbers, one clock for all. */

import type { History, Rates } from './history';
import { GAP_S } from './history';

/** Lines are those of so many seconds, so that a line is a line and no noise. */
const SMOOTH_S = 1;
/** Points of a line. */
const POINTS = 240;

/** Columns by moment; null where nothing is known, or nothing was called. */
export interface Columns {
  /** Seconds before now, negative. */
  x: number[];
  /** Times without news, from and to. */
  gaps: [number, number][];
  gets: (number | null)[];
  /** Stacked: GET and SET, and all three. */
  getsSets: (number | null)[];
  calls: (number | null)[];
  out: (number | null)[];
  /** Below zero: towards the kernel. */
  in: (number | null)[];
  p50: (number | null)[];
  p99: (number | null)[];
  /** Whether tasks are seen at the end. */
  isSeen: boolean;
  /** Stacked: workers that compute, and those that wait. */
  computing: (number | null)[];
  busy: (number | null)[];
  waiting: (number | null)[];
  workers: (number | null)[];
}

const EMPTY = (): Columns => ({
  x: [],
  gaps: [],
  gets: [],
  getsSets: [],
  calls: [],
  out: [],
  in: [],
  p50: [],
  p99: [],
  isSeen: false,
  computing: [],
  busy: [],
  waiting: [],
  workers: []
});

/** Work out the columns of the last seconds. */
export function columnsOf(history: History, span: number, now: number): Columns {
  const columns = EMPTY();
  const samples = history.samples;
  const step = span / POINTS;
  const smooth = Math.max(SMOOTH_S, step);
  let from = 0;
  for (let to = 1; to < samples.length; to++) {
    const time = samples[to]?.time ?? 0;
    const before = samples[to - 1]?.time ?? time;
    if (time - before > GAP_S && time <= now && now - time <= span) {
      from = to - 1;
      // What was counted while nobody looked is drawn as its mean; silence is a gap.
      const isAway = samples[to]?.isAfterAway ?? false;
      push(
        columns,
        before - now + 0.001,
        isAway ? history.ratesBetween(from, to) : null
      );
      if (!isAway) {
        columns.gaps.push([before - now, time - now]);
      }
    }
    const next = samples[to + 1]?.time ?? Infinity;
    // A point for each step of the clock: the same ones with the next picture.
    if (
      time > now ||
      now - time > span ||
      (next <= now && Math.floor(next / step) === Math.floor(time / step))
    ) {
      continue;
    }
    while (from < to - 1 && (samples[from + 1]?.time ?? 0) <= time - smooth) {
      from++;
    }
    push(columns, time - now, history.ratesBetween(from, to));
  }
  return columns;
}

function push(columns: Columns, x: number, rates: Rates | null): void {
  columns.x.push(x);
  columns.gets.push(rates && rates.gets);
  columns.getsSets.push(rates && rates.gets + rates.sets);
  columns.calls.push(rates && rates.gets + rates.sets + rates.executes);
  columns.out.push(rates && rates.bytesOut);
  columns.in.push(rates && -rates.bytesIn);
  columns.p50.push(rates && rates.p50);
  columns.p99.push(rates && rates.p99);
  columns.computing.push(rates?.waiting == null ? null : (rates.computing ?? 0));
  columns.isSeen = rates === null ? columns.isSeen : rates.computing !== null;
  columns.waiting.push(rates && rates.waiting);
  columns.busy.push(
    rates?.waiting == null ? null : (rates.computing ?? 0) + rates.waiting
  );
  columns.workers.push(rates && rates.workers);
}

const STEPS = [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** A round number that is not less. */
export function roundUp(value: number): number {
  if (!(value > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  return (STEPS.find(step => step * power >= value) ?? 10) * power;
}

/** The end of a scale: round, and shrinking only after some seconds below half. */
export class Scale {
  #top = 0;
  #lowSince: number | null = null;

  /**
   * @param unit - What a thousand is: 1024 for bytes, so that 8 MB is round.
   * @param patience - Seconds before it shrinks.
   */
  constructor(
    private readonly unit = 1,
    private readonly patience = 5
  ) {}

  /** Give the end for a largest value, at a moment in seconds. */
  fit(largest: number, now: number): number {
    const power = Math.floor(Math.log(Math.max(1, largest)) / Math.log(this.unit));
    const unit = this.unit > 1 ? this.unit ** power : 1;
    const wanted = roundUp((largest * 1.02) / unit) * unit;
    if (wanted >= this.#top) {
      this.#top = wanted;
      this.#lowSince = null;
    } else if (wanted <= this.#top / 2) {
      this.#lowSince ??= now;
      if (now - this.#lowSince > this.patience) {
        this.#top = wanted;
        this.#lowSince = null;
      }
    } else {
      this.#lowSince = null;
    }
    return this.#top;
  }
}
