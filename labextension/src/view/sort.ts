/** Sorting by the columns' headers, so that what is read does not jump. */

export type Direction = 'ascending' | 'descending';

export interface Order {
  readonly column: string;
  readonly direction: Direction;
}

/** Rows that are sorted by a number that changes move at most so often. */
export const MOVE_EVERY_MS = 2000;

/** What a header's click makes of the order: the third one undoes the sorting. */
export function nextOrder(
  order: Order | null,
  column: string,
  isNumber: boolean
): Order | null {
  const first: Direction = isNumber ? 'descending' : 'ascending';
  if (order === null || order.column !== column) {
    return { column, direction: first };
  }
  return order.direction === first
    ? { column, direction: first === 'ascending' ? 'descending' : 'ascending' }
    : null;
}

/** Compare two values of a column; what is not known comes last either way. */
export function compareValues(
  a: string | number | null,
  b: string | number | null,
  direction: Direction
): number {
  if (a === null || b === null) {
    return Number(a === null) - Number(b === null);
  }
  const sign = direction === 'ascending' ? 1 : -1;
  if (typeof a === 'string' || typeof b === 'string') {
    return sign * collator.compare(String(a), String(b));
  }
  return sign * (a - b);
}

const collator = new Intl.Collator(undefined, {
  numeric: true,
  sensitivity: 'base'
});

/**
 * Says when rows may move: every two seconds, and never while the user is in the table.
 */
export class Pace {
  #moved = -Infinity;

  mayMove(now: number, isHeld: boolean): boolean {
    if (isHeld || now - this.#moved < MOVE_EVERY_MS) {
      return false;
    }
    this.#moved = now;
    return true;
  }

  /** Let them move at once: the user asks for it. */
  reset(): void {
    this.#moved = -Infinity;
  }
}
