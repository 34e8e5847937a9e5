/** When to draw: lines as often as something comes, words and numbers once a second. */

/** Words and numbers change this often. */
const WORDS_MS = 1000;
/** A hair less, since pictures come a little early or late. */
const ALMOST_MS = WORDS_MS - 20;

export class Pictures {
  #due = 0;
  #wordsAt = -WORDS_MS;
  /** Who wants no motion gets a picture a second. */
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #timer = setInterval(() => this.want(true), WORDS_MS);

  /**
   * @param draw - Draws; words only where they are due, which it is told.
   * @param isSeen - Whether anybody would see it.
   */
  constructor(
    private readonly draw: (withWords: () => boolean) => void,
    private readonly isSeen: () => boolean
  ) {}

  /** Draw with the next picture; words as well where they may have changed. */
  want(words: boolean): void {
    if (words) {
      this.#wordsAt = -WORDS_MS;
    } else if (this.#isCalm.matches && !this.#isTime()) {
      return;
    }
    if (!this.#due && this.isSeen()) {
      this.#due = requestAnimationFrame(() => {
        this.#due = 0;
        this.draw(() => this.#takeTurn());
      });
    }
  }

  dispose(): void {
    cancelAnimationFrame(this.#due);
    clearInterval(this.#timer);
  }

  #isTime(): boolean {
    return performance.now() - this.#wordsAt >= ALMOST_MS;
  }

  /** Whether words are due; then they are drawn, and not again for a second. */
  #takeTurn(): boolean {
    const isTime = this.#isTime();
    if (isTime) {
      this.#wordsAt = performance.now();
    }
    return isTime;
  }
}
