/** Rows of known heights of which only those in sight are in the document. */

import { el } from './dom';

/** How many pixels above and below what is seen are drawn too. */
const MARGIN = 120;

/** A range of rows, the last one not in it. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Find the rows in sight.
 *
 * @param tops - Where each row begins, and where the last one ends.
 * @param from - Where what is seen begins.
 * @param height - How much is seen.
 */
export function rangeInSight(
  tops: ArrayLike<number>,
  from: number,
  height: number
): Range {
  const count = tops.length - 1;
  if (count < 1 || height <= 0) {
    return { from: 0, to: 0 };
  }
  const first = Math.max(0, lastBefore(tops, from - MARGIN));
  const last = lastBefore(tops, from + height + MARGIN);
  return { from: Math.min(first, count), to: Math.min(count, last + 1) };
}

/** The last position whose value is at most this, or -1. */
function lastBefore(tops: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = tops.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tops[middle] ?? Infinity) <= value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

/** A row that can be given another thing to show. */
export interface VirtualRow<Item> {
  readonly element: HTMLElement;
  bind(item: Item, index: number): void;
}

/** What is to be shown, and how. */
export interface VirtualOptions<Item> {
  key(item: Item): string;
  height(item: Item): number;
  /** Rows of one kind can be used for one another. */
  kind(item: Item): string;
  create(kind: string): VirtualRow<Item>;
}

interface Placed<Item> {
  row: VirtualRow<Item>;
  kind: string;
  top: number;
}

/** The rows in sight of a list, in an element as high as all of them. */
export class VirtualRows<Item> {
  readonly element: HTMLElement;

  #items: readonly Item[] = [];
  #tops = new Float64Array(1);
  #positions = new Map<string, number>();
  readonly #placed = new Map<string, Placed<Item>>();
  readonly #spare = new Map<string, VirtualRow<Item>[]>();

  constructor(private readonly options: VirtualOptions<Item>) {
    this.element = el('div', { class: 'rows', role: 'rowgroup' });
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): Item | undefined {
    return this.#items[index];
  }

  indexOf(key: string): number {
    return this.#positions.get(key) ?? -1;
  }

  /** Where a row begins and ends in the element. */
  span(index: number): [top: number, bottom: number] {
    return [this.#tops[index] ?? 0, this.#tops[index + 1] ?? 0];
  }

  /** The element of a row that is in the document. */
  elementOf(key: string): HTMLElement | null {
    return this.#placed.get(key)?.row.element ?? null;
  }

  setItems(items: readonly Item[]): void {
    this.#items = items;
    const tops = new Float64Array(items.length + 1);
    this.#positions = new Map();
    items.forEach((item, at) => {
      tops[at + 1] = (tops[at] ?? 0) + this.options.height(item);
      this.#positions.set(this.options.key(item), at);
    });
    this.#tops = tops;
    const height = `${tops[items.length] ?? 0}px`;
    if (this.element.style.height !== height) {
      this.element.style.height = height;
    }
  }

  /**
   * Draw what is in sight.
   *
   * @param from - Where what is seen begins, from the top of the element.
   * @param height - How much is seen.
   * @param kept - Keys of rows that stay in the document even when they are not in sight.
   */
  draw(from: number, height: number, kept: readonly string[]): void {
    const range = rangeInSight(this.#tops, from, height);
    const wanted = new Set<number>();
    for (let at = range.from; at < range.to; at += 1) {
      wanted.add(at);
    }
    for (const key of kept) {
      const at = this.#positions.get(key);
      if (at !== undefined) {
        wanted.add(at);
      }
    }
    const order = [...wanted].sort((a, b) => a - b);
    const keys = new Set(order.map(at => this.#keyAt(at)));
    for (const [key, { row, kind }] of this.#placed) {
      const at = this.#positions.get(key);
      const item = at === undefined ? undefined : this.#items[at];
      if (!keys.has(key) || !item || this.options.kind(item) !== kind) {
        this.#placed.delete(key);
        row.element.remove();
        this.#spareOf(kind).push(row);
      }
    }
    const elements = order.map(at => this.#place(at));
    putInOrder(this.element, elements);
  }

  #keyAt(at: number): string {
    return this.options.key(this.#items[at] as Item);
  }

  #place(at: number): HTMLElement {
    const item = this.#items[at] as Item;
    const key = this.options.key(item);
    const kind = this.options.kind(item);
    let placed = this.#placed.get(key);
    if (!placed) {
      const row = this.#spareOf(kind).pop() ?? this.options.create(kind);
      placed = { row, kind, top: -1 };
      this.#placed.set(key, placed);
    }
    const top = this.#tops[at] ?? 0;
    if (placed.top !== top) {
      placed.top = top;
      placed.row.element.style.top = `${top}px`;
    }
    placed.row.bind(item, at);
    return placed.row.element;
  }

  #spareOf(kind: string): VirtualRow<Item>[] {
    let rows = this.#spare.get(kind);
    if (!rows) {
      rows = [];
      this.#spare.set(kind, rows);
    }
    return rows;
  }
}

/**
 * Make these the children of an element, in this order. The one that has the focus is
 * never taken out, which would take the focus away.
 */
export function putInOrder(
  parent: HTMLElement,
  elements: readonly HTMLElement[]
): void {
  const root = parent.getRootNode() as Document | ShadowRoot;
  const focus = root.activeElement ?? null;
  let next: Element | null = null;
  for (let at = elements.length - 1; at >= 0; at -= 1) {
    const element = elements[at] as HTMLElement;
    const isFree = element.parentNode !== parent || !element.contains(focus);
    if (
      isFree &&
      (element.parentNode !== parent || element.nextElementSibling !== next)
    ) {
      parent.insertBefore(element, next);
    }
    next = element;
  }
}
