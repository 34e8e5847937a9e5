/**
 * What the objects and the workers have in common: a pane with headers that sort, and rows
 * of which only those in sight are drawn.
 */

import { Attribute } from './cells';
import type { Column } from './columns';
import type { ListCount } from './context';
import { el } from './dom';
import { HeaderRow } from './header';
import { Pane } from './pane';
import { Viewport } from './viewport';
import { nextOrder, type Order, Pace } from './sort';
import { VirtualRows, type VirtualRow } from './virtual';

interface Parts<Item> {
  readonly id: string;
  readonly title: string;
  readonly role: 'table' | 'treegrid';
  readonly label: string;
  readonly columns: readonly Column[];
  /** What the order is called that nobody chose. */
  readonly natural: string;
  key(item: Item): string;
  kind(item: Item): string;
  /** Whether an item has two lines where there is little room. */
  isTall(item: Item): boolean;
  create(kind: string): VirtualRow<Item>;
  /** Find the ranks for an order that was chosen, and the items anew. */
  sorted(order: Order | null): void;
  layOut(): void;
  draw(): void;
}

export class Table<Item> {
  readonly element: HTMLElement;
  readonly grid: HTMLElement;
  readonly header: HeaderRow;
  readonly rows: VirtualRows<Item>;
  readonly viewport: Viewport;
  readonly pace = new Pace();
  order: Order | null = null;
  isNarrow = false;

  readonly #pane: Pane;
  readonly #nothing = el('p', { class: 'nothing dim', hidden: true });
  readonly #rowCount: Attribute;

  constructor(private readonly parts: Parts<Item>) {
    const { id, title, role, label, columns } = parts;
    this.#pane = new Pane(id, title, () => parts.draw());
    this.element = this.#pane.element;
    this.header = new HeaderRow(columns, ({ id: column, isNumber }) =>
      this.sort(nextOrder(this.order, column, isNumber))
    );
    this.rows = new VirtualRows<Item>({
      key: parts.key,
      kind: parts.kind,
      height: item =>
        (this.isNarrow && parts.isTall(item) ? 38 : 24) * this.viewport.unit,
      create: parts.create
    });
    this.grid = el(
      'div',
      { role, 'aria-label': label },
      this.header.element,
      this.rows.element
    );
    this.#rowCount = new Attribute(this.grid, 'aria-rowcount');
    this.element.append(this.grid, this.#nothing);
    this.viewport = new Viewport(this.#pane, this.rows.element, () => parts.layOut());
    this.#pane.by.addEventListener('click', () => this.#sortByNext());
  }

  setNarrow(isNarrow: boolean): void {
    this.isNarrow = isNarrow;
    this.#pane.setNarrow(isNarrow);
    this.viewport.setNarrow(isNarrow);
  }

  /** Open the section of a narrow view. */
  unfold(): void {
    this.#pane.setFolded(false);
  }

  sort(order: Order | null): void {
    this.order = order;
    this.header.setOrder(order);
    this.pace.reset();
    this.parts.sorted(order);
  }

  /** In a narrow view one button goes through the orders that there are. */
  #sortByNext(): void {
    const offered = this.parts.columns.filter(({ narrow }) => narrow);
    const next = offered[offered.findIndex(({ id }) => id === this.order?.column) + 1];
    this.sort(next ? nextOrder(null, next.id, next.isNumber) : null);
  }

  /** Have these for rows, or else a word on why there are none. */
  setItems(items: Item[], sought: string, nothing: string): void {
    this.rows.setItems(items);
    this.#rowCount.set(String(items.length + 1));
    const words = sought ? `Nothing here matches “${sought}”.` : nothing;
    this.#nothing.hidden = items.length > 0 || !words;
    this.#nothing.textContent = words;
  }

  /** Draw what is in sight, and some rows though they are not. */
  draw({ text, trouble }: ListCount, kept: string[]): void {
    const by = this.parts.columns.find(({ id }) => id === this.order?.column);
    this.#pane.setWords(text, trouble, by?.narrow ?? this.parts.natural);
    this.rows.draw(this.viewport.from, this.viewport.height, kept);
  }

  dispose(): void {
    this.viewport.dispose();
  }
}
