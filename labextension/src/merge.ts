/** The whole of a session again, from what it was and a tick. */

import type { Snapshot } from './snapshot';

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
