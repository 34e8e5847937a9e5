/** Objects that are gone but still under the pointer or the focus: they stay until left. */

import type { PathRow } from '../paths';

export class Kept {
  #rows: readonly PathRow[] = [];
  #gone = new Set<number>();

  isGone(idx: number): boolean {
    return this.#gone.has(idx);
  }

  /**
   * Put back what is held and not there any more, each with what it was reached through.
   *
   * @param rows - The objects of now.
   * @param held - Numbers of those that must not vanish.
   * @returns The objects, the held ones where they were.
   */
  merge(rows: readonly PathRow[], held: readonly number[]): readonly PathRow[] {
    this.#gone = new Set();
    if (held.length === 0) {
      this.#rows = rows;
      return rows;
    }
    const here = new Set(rows.map(row => row.idx));
    if (held.some(idx => !here.has(idx))) {
      const before = new Map(this.#rows.map(row => [row.idx, row]));
      for (const idx of held) {
        let row = before.get(idx);
        while (row && !here.has(row.idx)) {
          this.#gone.add(row.idx);
          row = row.parent === null ? undefined : before.get(row.parent);
        }
      }
    }
    if (this.#gone.size === 0) {
      this.#rows = rows;
      return rows;
    }
    const merged = [...rows];
    this.#rows.forEach((row, at) => {
      if (this.#gone.has(row.idx)) {
        merged.splice(Math.min(at, merged.length), 0, row);
      }
    });
    this.#rows = merged;
    return merged;
  }
}
