/** The one polite live region: what changed, for who cannot see it. */

import { Text } from './cells';
import { el } from './dom';

/** A reader is told one sentence in so many milliseconds at most. */
const PATIENCE_MS = 5000;
/** More sentences than this would be told long after what they tell of. */
const MOST_WAITING = 3;

export class Announcer {
  readonly #status = new Text(
    el('span', { class: 'sr', role: 'status', 'aria-live': 'polite' })
  );
  readonly element = this.#status.element;
  #said = '';
  #waiting: string[] = [];
  #at = -PATIENCE_MS;

  /** Tell a state: not again where only its numbers changed, and not too often. */
  state(words: string): void {
    words = words.replaceAll('`', '');
    const kind = words.replace(/[+\d].*$/, '').trim() || words;
    const now = performance.now();
    if (kind !== this.#said && now - this.#at > PATIENCE_MS) {
      this.#said = kind;
      this.#at = now;
      this.#status.set(words);
    }
  }

  /** Tell what happened, one sentence at a time; of many only the last ones. */
  news(sentences: readonly string[]): void {
    this.#waiting = [...this.#waiting, ...sentences].slice(-MOST_WAITING);
    const now = performance.now();
    const [next] = this.#waiting;
    if (next !== undefined && now - this.#at > PATIENCE_MS) {
      this.#waiting.shift();
      this.#at = now;
      this.#status.set(next);
    }
  }

  /** Answer what somebody just did: at once. */
  answer(words: string): void {
    this.#status.set(words);
  }
}
