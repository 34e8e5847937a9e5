/** What the rows of objects and those of cut chains have in common. */

import type { PathRow } from '../paths';
import type { ObjectRow } from '../snapshot';
import { Attribute, Style, Text } from './cells';
import { el } from './dom';
import type { Line } from './tree';
import type { VirtualRow } from './virtual';

/** What rows need to know besides their line. */
export interface RowView {
  readonly time: number;
  readonly sought: string;
  readonly isLive: boolean;
  /** Whether all buffers are of one size, which the header then says. */
  readonly isSameSize: boolean;
  now(): number;
  rate(row: PathRow): number | null;
  /** Share of the last minute's frames that were larger than the buffer. */
  beside(row: PathRow): number;
  isGone(row: ObjectRow): boolean;
  focusKey: string | null;
}

/** What all rows have, whatever they show. */
export abstract class TreeRow implements VirtualRow<Line> {
  readonly element: HTMLElement;

  protected readonly front: Text;
  protected readonly tail: Text;
  readonly #depth: Style;
  readonly #key: Attribute;
  readonly #level: Attribute;
  readonly #position: Attribute;
  readonly #siblings: Attribute;
  readonly #index: Attribute;
  readonly #stop: Attribute;

  constructor(
    className: string,
    protected readonly name: HTMLElement,
    protected readonly view: RowView
  ) {
    const front = el('span', { class: 'front' });
    const tail = el('span', { class: 'tail' });
    name.append(el('span', { class: 'id' }, front, tail));
    this.element = el('div', { class: className, role: 'row' }, name);
    this.front = new Text(front);
    this.tail = new Text(tail);
    this.#depth = new Style(name, '--d');
    this.#key = new Attribute(this.element, 'data-key');
    this.#level = new Attribute(this.element, 'aria-level');
    this.#position = new Attribute(this.element, 'aria-posinset');
    this.#siblings = new Attribute(this.element, 'aria-setsize');
    this.#index = new Attribute(this.element, 'aria-rowindex');
    this.#stop = new Attribute(this.element, 'tabindex');
  }

  bind(line: Line, index: number): void {
    this.#depth.set(String(line.depth));
    this.#key.set(line.key);
    this.#level.set(String(line.depth + 1));
    this.#position.set(String(line.position));
    this.#siblings.set(String(line.siblings));
    this.#index.set(String(index + 2)); // the headers are the first
    this.#stop.set(line.key === this.view.focusKey ? '0' : '-1');
  }
}
