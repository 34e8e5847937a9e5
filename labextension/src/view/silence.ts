/** When something was last heard of the kernel, and of a call. */

import type { Snapshot } from '../snapshot';

export class Silence {
  #at = performance.now();
  #calls = -1;
  #lastCall: number | null = null;

  take({ time, totals: { gets, sets, executes } }: Snapshot): void {
    this.#at = performance.now();
    const calls = gets + sets + executes;
    if (this.#calls >= 0 && calls > this.#calls) {
      this.#lastCall = time;
    }
    this.#calls = calls;
  }

  /** Begin to wait anew: while nobody looked nothing was sent. */
  resume(): void {
    this.#at = performance.now();
  }

  /** Seconds since something was heard, or since somebody looks again. */
  get seconds(): number {
    return (performance.now() - this.#at) / 1000;
  }

  /** Seconds from the last call to a moment, or null where no call was seen. */
  idleAt(time: number): number | null {
    return this.#lastCall === null ? null : Math.max(0, time - this.#lastCall);
  }
}
