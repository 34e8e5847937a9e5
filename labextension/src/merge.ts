/** The whole of a session, put together from what came. */

import type { Snapshot } from './snapshot';

export class Whole {
  /** What is known, or null before a whole snapshot came. */
  now: Snapshot | null = null;

  /**
   * Take in what came; tell whether it was news. A tick says nothing without what it
   * follows, which comes soon; an answer and what is broadcast overtake each other.
   */
  take(came: Snapshot): boolean {
    const last = this.now;
    // Counting begins anew where the extension was loaded again; time does not.
    const isNews =
      last?.kernel.session === came.kernel.session
        ? came.seq > last.seq || (came.whole && came.time > last.time)
        : came.whole;
    if (isNews) {
      this.now = came.whole || last === null ? came : merge(last, came);
    }
    return isNews;
  }
}

export function merge(before: Snapshot, tick: Snapshot): Snapshot {
  const gone = new Set(tick.gone);
  const rows = new Map(before.objects.map(row => [row.idx, row]));
  for (const row of tick.objects) {
    rows.set(row.idx, row);
  }
  return {
    ...tick,
    whole: true,
    objects: [...rows.values()].filter(row => !gone.has(row.idx)),
    gone: [],
    errors: tick.errors ?? before.errors,
    chains: tick.chains ?? before.chains
  };
}
