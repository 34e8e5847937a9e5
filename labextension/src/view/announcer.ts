/** The one polite live region: what changed, for who cannot see it. */

import { Text } from './cells';
import { el } from './dom';

/** A reader is told one sentence in so many milliseconds at most. */
const PATIENCE_MS = 5000;

export class Announcer {
  readonly #status = new Text(
    el('span', { class: 'sr', role: 'status', 'aria-live': 'polite' })
  );
  readonly element = this.#status.element;
  #said = '';
  #at = -PATIENCE_MS;

  /** Tell a state: not again where only its numbers changed, and not too often. */
  state(words: string): void {
    const kind = words.replace(/[+\d].*$/, '').trim() || words;
    const now = performance.now();
    if (kind !== this.#said && now - this.#at > PATIENCE_MS) {
      this.#said = kind;
      this.#at = now;
      this.#status.set(words);
    }
  }

  /** Answer what somebody just did: at once. */
  answer(words: string): void {
    this.#status.set(words);
  }
}
