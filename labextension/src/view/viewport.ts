/** What of a list can be seen, and the redraw when that changes. */

import { el } from './dom';
import type { Pane } from './pane';

export class Viewport {
  /** Pixels of what is one pixel at the smallest text; rows grow with the text. */
  unit = 1;
  /** Where what is seen begins, from the top of the rows, and how much it is. */
  from = 0;
  height = 0;

  #isNarrow = false;
  #frame = 0;
  readonly #observer: ResizeObserver | null;
  readonly #probe = el('span', { class: 'sr', 'aria-hidden': 'true' });
  readonly #stop = new AbortController();

  /**
   * To measure makes the browser lay the page out, so that is done only when it may give
   * something else: where something was scrolled or has another size.
   *
   * @param pane - The pane, which scrolls in a wide view; in a narrow one its parent does.
   * @param rows - The element that holds the rows.
   * @param redraw - Called when other rows may be in sight.
   */
  constructor(
    private readonly pane: Pane,
    private readonly rows: HTMLElement,
    private readonly redraw: () => void
  ) {
    pane.element.append(this.#probe);
    this.#observer =
      typeof ResizeObserver === 'undefined'
        ? null
        : new ResizeObserver(() => this.#onChange());
  }

  get scroller(): HTMLElement {
    const { element } = this.pane;
    return (this.#isNarrow && element.parentElement) || element;
  }

  /** Follow what scrolls; the pane must be where it belongs by now. */
  setNarrow(isNarrow: boolean): void {
    this.#isNarrow = isNarrow;
    const { element } = this.pane;
    const options = { passive: true, signal: this.#stop.signal };
    // Both are listened to: to add a listener that is there already does nothing.
    element.addEventListener('scroll', this.#onScroll, options);
    element.parentElement?.addEventListener('scroll', this.#onScroll, options);
    // In a narrow view the sections above move this one when they grow.
    for (const pane of element.parentElement?.children ?? [element]) {
      this.#observer?.observe(pane);
    }
    this.measure();
  }

  /** Measure anew. */
  measure(): void {
    const size = parseFloat(getComputedStyle(this.#probe).fontSize);
    this.unit = size > 0 ? size / 13 : 1;
    const box = this.scroller.getBoundingClientRect();
    const own = this.rows.getBoundingClientRect();
    this.from = box.top - own.top;
    this.height = own.width > 0 ? box.height : 0;
  }

  /** Scroll as little as needed for a part of the rows to be seen. */
  show(top: number, bottom: number): void {
    this.measure();
    const { from, height } = this;
    // The headers, or the section's head, stay on top of what is scrolled.
    const covered = (this.#isNarrow ? 32 : 25) * this.unit;
    if (top < from + covered) {
      this.scroller.scrollTop += top - from - covered;
    } else if (bottom > from + height) {
      this.scroller.scrollTop += bottom - from - height;
    }
    this.measure();
  }

  dispose(): void {
    this.#observer?.disconnect();
    this.#stop.abort();
    cancelAnimationFrame(this.#frame);
  }

  #onChange(): void {
    this.measure();
    this.redraw();
  }

  readonly #onScroll = (): void => {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#onChange());
  };
}
