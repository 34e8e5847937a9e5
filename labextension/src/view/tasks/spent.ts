/** One bar of what a worker's time went into, with both numbers beside it. */

import { Attribute, Flag, Style, Text } from '../cells';
import { el } from '../dom';
import { percent } from '../format';

/** Shares of a worker's time, from 0 to 1; computing is null where tasks are not seen. */
export interface WorkerShares {
  readonly computing: number | null;
  readonly waiting: number;
}

/** From so much of its time on a worker waits a lot. */
const MUCH = 0.5;
const LEAST = 0.01;

export class SpentBar {
  readonly element: HTMLElement;
  readonly #work: Style;
  readonly #wait: Style;
  readonly #value = new Text(el('span', { class: 'val' }));
  readonly #waits = new Text(el('span', { class: 'w' }));
  readonly #isMuch: Flag;
  readonly #now: Attribute;
  readonly #spoken: Attribute;

  constructor() {
    const work = el('i', { class: 'work' });
    const wait = el('i', { class: 'hatch' });
    const bar = el(
      'div',
      {
        class: 'shares',
        role: 'meter',
        'aria-label': 'Computing, waiting on the kernel',
        'aria-valuemin': 0,
        'aria-valuemax': 100
      },
      work,
      wait
    );
    this.element = el(
      'div',
      { class: 'spent' },
      bar,
      this.#value.element,
      this.#waits.element
    );
    this.#work = new Style(work, '--v');
    this.#wait = new Style(wait, '--v');
    this.#isMuch = new Flag(this.#waits.element, 'warn');
    this.#now = new Attribute(bar, 'aria-valuenow');
    this.#spoken = new Attribute(bar, 'aria-valuetext');
  }

  set({ computing, waiting }: WorkerShares): void {
    this.#work.set((100 * (computing ?? 0)).toFixed(1));
    this.#wait.set((100 * waiting).toFixed(1));
    this.#now.set(String(Math.round(100 * (computing ?? waiting))));
    const waits = `waiting ${percent(waiting)}`;
    this.#spoken.set(
      computing === null ? waits : `computing ${percent(computing)}, ${waits}`
    );
    this.#isMuch.set(waiting >= MUCH);
    // Where tasks are not seen, what is known is how much it waits.
    this.#value.set(percent(computing ?? waiting));
    this.#waits.set(
      computing === null
        ? 'waiting'
        : waiting >= LEAST
          ? `waits ${percent(waiting)}`
          : ''
    );
  }
}
