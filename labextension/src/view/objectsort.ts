/** What objects are sorted by: a parent by what happens in the whole of its tree. */

import type { PathRow } from '../paths';
import type { ObjectRow } from '../snapshot';
import { share } from './objectwords';
import { compareValues, type Order } from './sort';
import type { Branch } from './tree';

type Value = string | number | null;

/** Where the numbers that are not in a row come from. */
export interface SortView {
  rate(row: PathRow): number | null;
  /** When its last error was, seconds since the epoch. */
  errorTime(row: ObjectRow): number | null;
}

/** Numbers that are added up over a tree. */
const SUMS: Readonly<Record<string, (row: PathRow, view: SortView) => number>> = {
  rate: (row, view) => view.rate(row) ?? 0,
  over: row => row.handed_bytes + row.handovers,
  bytes: row => row.bytes_in + row.bytes_out,
  versions: row => row.version_bytes + row.versions
};

/** Numbers of which the largest of a tree counts. */
const LARGEST: Readonly<
  Record<string, (row: ObjectRow, view: SortView) => number | null>
> = {
  fill: row => share(row.last, row),
  error: (row, view) => view.errorTime(row)
};

function valueOf(branch: Branch, column: string, view: SortView): Value {
  const { row } = branch;
  const sum = SUMS[column];
  const largest = LARGEST[column];
  if (sum) {
    return branch.branches.reduce(
      (all, child) => all + Number(valueOf(child, column, view)),
      sum(row, view)
    );
  }
  if (largest) {
    return branch.branches.reduce<number | null>(
      (most, child) => {
        const value = valueOf(child, column, view) as number | null;
        return most === null || (value !== null && value > most) ? value : most;
      },
      largest(row, view)
    );
  }
  return column === 'type' ? row.type : column === 'mode' ? row.mode : branch.label;
}

/**
 * Rank all objects of a tree. Ranks are kept while rows may not move.
 *
 * @returns The rank of each branch by its key.
 */
export function ranksOf(
  roots: readonly Branch[],
  order: Order,
  view: SortView
): Map<string, number> {
  const values: [key: string, value: Value][] = [];
  const add = (branch: Branch): void => {
    values.push([branch.key, valueOf(branch, order.column, view)]);
    branch.branches.forEach(add);
  };
  roots.forEach(add);
  values.sort(([, a], [, b]) => compareValues(a, b, order.direction));
  return new Map(values.map(([key], rank) => [key, rank]));
}
