/** Which branches of the tree are open. */

import type { Branch } from './tree';

/** Objects with more below them than this are closed at first. */
const OPEN_UP_TO = 10;

export class Opened {
  readonly #chosen = new Map<string, boolean>();
  readonly #first = new Map<string, boolean>();

  /** Open or close one, as the user wants it. */
  choose(key: string, isOpen: boolean): void {
    this.#chosen.set(key, isOpen);
  }

  /**
   * Tell whether a branch is open.
   *
   * @param branch - The branch.
   * @param isHeld - Whether the user is in the table, where nothing closes by itself.
   */
  isOpen(branch: Branch, isHeld: boolean): boolean {
    const chosen = this.#chosen.get(branch.key);
    if (chosen !== undefined || branch.branches.length + branch.cuts.length === 0) {
      return chosen ?? false;
    }
    const known = this.#first.get(branch.key);
    if (known !== undefined && isHeld) {
      return known;
    }
    // Where a chain was cut, it is to be seen.
    const isOpen = branch.isCut || branch.below <= OPEN_UP_TO;
    this.#first.set(branch.key, isOpen);
    return isOpen;
  }
}
