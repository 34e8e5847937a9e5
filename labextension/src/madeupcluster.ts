/** A made-up cluster: workers of other hosts. */

import { MB, UNSEEN } from './madeuprows';
import type { ClusterRow, WorkerRow } from './snapshot';

export const CLUSTER: ClusterRow = {
  kind: 'Dask',
  dashboard: 'http://10.0.0.1:8787/status'
};

/** The first number that no process of this host has. */
const FIRST_FAR = 1 << 22;
const LIMIT = 2048 * MB;
const WAYS = ['direct', 'direct', 'relay', 'lane', null] as const;

/** Workers of a cluster, some of which have called nothing yet. */
export function clusterWorkers(count: number, since: number): WorkerRow[] {
  return Array.from({ length: count }, (_, at): WorkerRow => {
    const way = WAYS[at % WAYS.length] ?? null;
    const host = `10.0.0.${2 + Math.floor(at / 4)}`;
    const worker = at % 2 ? `gpu-${at}` : String(37000 + at);
    const running = at % 3;
    return {
      ...UNSEEN,
      pid: FIRST_FAR + at,
      name: `${host}:${worker}`,
      since: since + at / 10,
      threads: way ? 2 : 0,
      calls: way ? 9000 - 40 * at : 0,
      bytes_in: way ? 40000 : 0,
      bytes_out: way ? 900000 : 0,
      waited: way ? 4 : 0,
      connected: way ? 60 : 0,
      calling: [],
      pss: null,
      holds: 0,
      way,
      cluster: {
        host,
        worker,
        pid: way ? 71 + at : null,
        address: `tls://${host}:${37000 + at}`,
        running,
        waiting: running ? at % 4 : 0,
        memory: (300 + ((at * 217) % 1600)) * MB,
        memory_limit: LIMIT,
        state: at % 7 === 6 ? 'paused' : 'running'
      }
    };
  });
}
