/** What can be done to an object from its row. */

import type { PathRow } from '../paths';
import type { ObjectRow } from '../snapshot';
import type { ListContext } from './context';
import { fetchLine } from './objectwords';

/**
 * Do what a button of a row is for.
 *
 * @param what - The button: "copy", "reset", "unshare" or "fault".
 */
export function act(what: string, row: PathRow, context: ListContext): void {
  if (what === 'copy') {
    context.copy(fetchLine(row));
  } else if (what === 'reset') {
    context.send({ name: 'reset_peaks', args: { idx: row.members ?? row.idx } });
  } else if (what === 'unshare') {
    context.send({ name: 'unshare', args: { object: row.path } });
  } else if (row.error !== null) {
    context.showError(row.error.key);
  }
}

/** Let a name be dropped into a cell as the line that fetches the object. */
export function drag(event: DragEvent, row: ObjectRow): void {
  if (event.dataTransfer) {
    event.dataTransfer.setData('text/plain', fetchLine(row));
    event.dataTransfer.effectAllowed = 'copy';
  }
}
