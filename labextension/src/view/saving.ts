/** What is shown, as a file and as text. */

import type { Snapshot } from '../snapshot';
import * as format from './format';
import { memoryOf, pidIn } from './workerwords';

/** Let the browser save a snapshot as JSON. */
export function saveAs(snapshot: Snapshot): void {
  const url = URL.createObjectURL(
    new Blob([JSON.stringify(snapshot, null, 2)], { type: 'application/json' })
  );
  const when = new Date(snapshot.time * 1000).toISOString().slice(0, 19);
  const link = document.createElement('a');
  link.href = url;
  link.download = `duck-${when.replaceAll(':', '')}.json`;
  link.click();
  URL.revokeObjectURL(url);
}

/** Write a snapshot as tables of text. */
export function asText(snapshot: Snapshot): string {
  const table = (rows: string[][]): string[] => {
    const widths = (rows[0] ?? []).map((_, at) =>
      Math.max(...rows.map(row => (row[at] ?? '').length))
    );
    return rows.map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()
    );
  };
  const objects = snapshot.objects.map(row => [
    row.path,
    row.type,
    row.mode,
    String(row.gets + row.sets + row.executes),
    `${format.percent(row.last / row.bufsize)} of ${format.bytes(row.bufsize)}`,
    row.last_error ?? ''
  ]);
  const workers = snapshot.workers.map(row => [
    pidIn(row),
    row.name,
    String(row.calls),
    format.bytes(memoryOf(row)),
    row.cluster ? (row.way ?? '') : ''
  ]);
  return [
    ...table([['Object', 'Type', 'Mode', 'Calls', 'Buffer', 'Last error'], ...objects]),
    '',
    ...table([['pid', 'Worker', 'Calls', 'Memory', 'Way'], ...workers])
  ].join('\n');
}
