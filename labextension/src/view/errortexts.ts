/** Which group of errors an object's last error belongs to. */

import type { ErrorRow, ObjectRow } from '../snapshot';

export class ErrorsByText {
  #list: readonly ErrorRow[] = [];
  readonly #groups = new Map<string, ErrorRow[]>();

  update(list: readonly ErrorRow[]): void {
    if (list === this.#list) {
      return;
    }
    this.#list = list;
    this.#groups.clear();
    for (const error of list) {
      const text = `${error.type}: ${error.message}`;
      const group = this.#groups.get(text);
      if (group) {
        group.push(error);
      } else {
        this.#groups.set(text, [error]);
      }
    }
  }

  of(row: ObjectRow): ErrorRow | null {
    const groups = this.#groups.get(row.last_error ?? '') ?? [];
    const own = groups.find(({ object }) => object === row.path || object === row.root);
    return own ?? groups[0] ?? null;
  }
}
