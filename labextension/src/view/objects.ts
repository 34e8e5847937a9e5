/** The shared objects: a tree in the order of sharing, of which only what is seen is drawn. */

import type { ChainRow, ErrorRow, ObjectRow } from '../snapshot';
import { Attribute } from './cells';
import { type Column, OBJECT_COLUMNS } from './columns';
import type { List, ListContext, ListCount, ListState } from './context';
import { el } from './dom';
import { ErrorsByText } from './errortexts';
import { type Grid, onGridKey } from './gridkeys';
import { HeaderRow } from './header';
import { Kept } from './kept';
import { act, drag, hintOf } from './objectacts';
import { CutRowView, ObjectRowView, type RowView } from './objectrow';
import { ranksOf } from './objectsort';
import { description, sizeInWords } from './objectwords';
import { Opened } from './opened';
import { Pane } from './pane';
import { Sight } from './sight';
import { MOVE_EVERY_MS, nextOrder, type Order, Pace } from './sort';
import { type Branch, holds, type Line, linesOf, Tree } from './tree';
import { VirtualRows } from './virtual';

const EMPTY: ListState = {
  time: 0,
  objects: [],
  workers: [],
  ended: [],
  errors: [],
  chains: []
};

export class ObjectList implements List, Grid, RowView {
  readonly element: HTMLElement;
  time = 0;
  sought = '';
  isLive = true;
  isSameSize = true;
  focusKey: string | null = null;

  readonly #pane: Pane;
  readonly #grid: HTMLElement;
  readonly #header: HeaderRow;
  readonly #rows: VirtualRows<Line>;
  readonly #sight: Sight;
  readonly #nothing = el('p', { class: 'nothing dim', hidden: true });
  readonly #rowCount: Attribute;
  readonly #tree = new Tree();
  readonly #kept = new Kept();
  readonly #pace = new Pace();

  #state = EMPTY;
  readonly #errors = new ErrorsByText();
  #objects: readonly ObjectRow[] = [];
  #chains: readonly ChainRow[] = [];
  /** Which of the objects each line shows, and when that was found. */
  #places: number[] = [];
  #built = -Infinity;
  #order: Order | null = null;
  #ranks: ReadonlyMap<string, number> = new Map();
  readonly #opened = new Opened();
  #isNarrow = false;
  #hoverKey: string | null = null;
  #isFocused = false;
  #described: HTMLElement | null = null;

  constructor(private readonly context: ListContext) {
    this.#pane = new Pane('objects', 'Objects', () => this.#draw());
    this.element = this.#pane.element;
    this.#header = new HeaderRow(OBJECT_COLUMNS, column => this.#sortBy(column));
    this.#rows = new VirtualRows<Line>({
      key: line => line.key,
      kind: line => line.kind,
      height: line =>
        (this.#isNarrow && line.kind === 'object' ? 38 : 24) * this.#sight.unit,
      create: kind => (kind === 'cut' ? new CutRowView(this) : new ObjectRowView(this))
    });
    this.#grid = el(
      'div',
      { role: 'treegrid', 'aria-label': 'Shared objects' },
      this.#header.element,
      this.#rows.element
    );
    this.#rowCount = new Attribute(this.#grid, 'aria-rowcount');
    this.element.append(this.#grid, this.#nothing);
    this.#sight = new Sight(this.#pane, this.#rows.element, () => this.#layOut());
    this.#pane.by.addEventListener('click', () => this.#sortByNext());
    this.#listen();
    this.#layOut();
  }

  // What the view asks for --------------------------------------------------------

  update(state: ListState): void {
    this.#state = state;
    this.time = state.time;
    this.#errors.update(state.errors);
    this.#refresh();
  }

  find(text: string): void {
    this.sought = text.trim().toLowerCase();
    this.#layOut();
  }

  count(): ListCount {
    const all = this.#tree.roots.length;
    const found = this.sought
      ? this.#tree.roots.filter(root => holds(root, this.sought)).length
      : all;
    return { text: this.sought ? `${found} of ${all}` : String(all), trouble: '' };
  }

  setNarrow(isNarrow: boolean): void {
    this.#isNarrow = isNarrow;
    this.#pane.setNarrow(isNarrow);
    this.#sight.setNarrow(isNarrow);
    this.#describe(null);
    this.#layOut();
  }

  setLive(isLive: boolean): void {
    if (isLive !== this.isLive) {
      this.isLive = isLive;
      this.#draw();
    }
  }

  clear(): void {
    this.#refresh();
  }

  dispose(): void {
    this.#sight.dispose();
  }

  // What rows ask for --------------------------------------------------------------

  now(): number {
    return this.context.now();
  }

  rate(idx: number): number | null {
    return this.context.rate(idx);
  }

  errorOf(row: ObjectRow): ErrorRow | null {
    return this.#errors.of(row);
  }

  errorTime(row: ObjectRow): number | null {
    return row.last_error === null ? null : (this.errorOf(row)?.last ?? 0);
  }

  isGone(row: ObjectRow): boolean {
    return this.#kept.isGone(row.idx);
  }

  // What keys ask for ---------------------------------------------------------------

  get length(): number {
    return this.#rows.length;
  }

  at(index: number): Line | undefined {
    return this.#rows.at(index);
  }

  indexOf(key: string): number {
    return this.#rows.indexOf(key);
  }

  elementOf(key: string): HTMLElement | null {
    return this.#rows.elementOf(key);
  }

  focusRow(index: number): void {
    const line = this.#rows.at(index);
    if (!line) {
      return;
    }
    this.focusKey = line.key;
    this.#sight.show(...this.#rows.span(index));
    this.#draw();
    this.#rows.elementOf(line.key)?.focus({ preventScroll: true });
  }

  focusHeader(): void {
    this.#header.focus();
  }

  toggle(key: string, open: boolean): void {
    this.#opened.choose(key, open);
    this.#layOut();
  }

  page(): number {
    return Math.max(1, Math.floor(this.#sight.height / (24 * this.#sight.unit)) - 2);
  }

  // Drawing ----------------------------------------------------------------------------

  get #isHeld(): boolean {
    return this.#hoverKey !== null || this.#isFocused;
  }

  #refresh(): void {
    const held = [this.#hoverKey, this.#isFocused ? this.focusKey : null].flatMap(
      key => {
        const line = this.#rows.at(this.#rows.indexOf(key ?? ''));
        return line?.kind === 'object' ? [line.row.idx] : [];
      }
    );
    const objects = this.#kept.merge(this.#state.objects, held);
    const now = this.context.now();
    if (now - this.#built < MOVE_EVERY_MS && this.#isSameTree(objects)) {
      this.#objects = objects;
      this.#renew();
      this.#draw();
      return;
    }
    this.#built = now;
    this.#objects = objects;
    this.#chains = this.#state.chains;
    this.#tree.update(objects, this.#chains);
    const size = objects[0]?.bufsize ?? 0;
    this.isSameSize = objects.every(row => row.bufsize === size);
    this.#header.setText(
      'fill',
      this.isSameSize && size ? `Fill of ${sizeInWords(size)} buffer` : 'Buffer fill'
    );
    if (this.#order && this.#pace.mayMove(now, this.#isHeld)) {
      this.#ranks = ranksOf(this.#tree.roots, this.#order, this);
    }
    this.#layOut();
  }

  /** Whether only numbers have changed, as with most ticks. */
  #isSameTree(objects: readonly ObjectRow[]): boolean {
    return (
      this.#chains === this.#state.chains &&
      objects.length === this.#objects.length &&
      objects.every((row, at) => row.idx === this.#objects[at]?.idx)
    );
  }

  /** Give the lines the numbers of now. */
  #renew(): void {
    this.#places.forEach((place, at) => {
      const line = this.#rows.at(at);
      const row = this.#objects[place];
      if (line?.kind === 'object' && row) {
        line.row = row;
      }
    });
  }

  /** Find the lines anew, and draw those that are seen. */
  #layOut(): void {
    const rank = (branch: Branch): number => this.#ranks.get(branch.key) ?? Infinity;
    const lines = linesOf(this.#tree.roots, {
      isOpen: branch => this.#opened.isOpen(branch, this.#isHeld),
      // A new object has no rank before the rows may move again, and comes last.
      compare: this.#order
        ? (a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b))
        : null,
      find: this.sought
    });
    const places = new Map(this.#objects.map((row, at) => [row.idx, at]));
    this.#places = lines.map(line =>
      line.kind === 'object' ? (places.get(line.row.idx) ?? -1) : -1
    );
    this.#rows.setItems(lines);
    this.#renew();
    this.#rowCount.set(String(lines.length + 1));
    if (this.#rows.indexOf(this.focusKey ?? '') < 0) {
      this.focusKey = lines[0]?.key ?? null;
    }
    const isNothing = this.sought !== '' && lines.length === 0;
    this.#nothing.hidden = !isNothing;
    if (isNothing) {
      this.#nothing.textContent = `Nothing here matches “${this.sought}”.`;
    }
    this.#draw();
  }

  #draw(): void {
    if (!this.#sight) {
      return; // the pane tells of its first state before all of this exists
    }
    const { text, trouble } = this.count();
    const by = OBJECT_COLUMNS.find(({ id }) => id === this.#order?.column);
    this.#pane.setWords(text, trouble, by?.narrow ?? 'as shared');
    const { from, height } = this.#sight;
    const kept = [this.focusKey, this.#hoverKey].filter(key => key !== null);
    this.#rows.draw(from, height, this.element.isConnected ? kept : []);
  }

  #sortBy(column: Column): void {
    this.#setOrder(nextOrder(this.#order, column.id, column.isNumber));
  }

  /** In a narrow view one button goes through the orders that there are. */
  #sortByNext(): void {
    const offered = OBJECT_COLUMNS.filter(({ narrow }) => narrow);
    const at = offered.findIndex(({ id }) => id === this.#order?.column);
    const next = offered[at + 1];
    this.#setOrder(next ? nextOrder(null, next.id, next.isNumber) : null);
  }

  #setOrder(order: Order | null): void {
    this.#order = order;
    this.#header.setOrder(order);
    this.#pace.reset();
    this.#ranks = order ? ranksOf(this.#tree.roots, order, this) : new Map();
    this.#layOut();
  }

  // Pointer, focus and drag --------------------------------------------------------------

  #listen(): void {
    const grid = this.#grid;
    grid.addEventListener('keydown', event => onGridKey(event, this));
    grid.addEventListener('click', event => this.#onClick(event));
    grid.addEventListener('dragstart', event => {
      const line = this.#lineOf(event.target);
      if (line?.kind === 'object') {
        drag(event, line.row);
      }
    });
    grid.addEventListener('pointerover', event => {
      const row = rowOf(event.target);
      this.#hoverKey = row?.dataset['key'] ?? this.#hoverKey ?? '';
      this.#describe(row);
    });
    grid.addEventListener('pointerleave', () => {
      this.#hoverKey = null;
      this.#refresh();
    });
    grid.addEventListener('focusin', event => {
      this.#isFocused = true;
      const row = rowOf(event.target);
      if (row?.dataset['key']) {
        this.focusKey = row.dataset['key'];
        this.#describe(row);
        this.#draw();
      }
    });
    grid.addEventListener('focusout', event => {
      if (!grid.contains(event.relatedTarget as Node | null)) {
        this.#isFocused = false;
        this.#refresh();
      }
    });
  }

  /** Say of one row what a narrow view leaves out. */
  #describe(row: HTMLElement | null): void {
    if (this.#described !== row) {
      this.#described?.removeAttribute('aria-description');
      this.#described?.removeAttribute('title');
    }
    this.#described = null;
    const line = this.#lineOf(row);
    if (row && line?.kind === 'object' && this.#isNarrow) {
      const words = description(line.row);
      row.setAttribute('aria-description', words);
      row.title = words;
      this.#described = row;
    }
  }

  #lineOf(target: EventTarget | null): Line | undefined {
    return this.#rows.at(this.#rows.indexOf(rowOf(target)?.dataset['key'] ?? ''));
  }

  #onClick(event: Event): void {
    const target = event.target as Element;
    const line = this.#lineOf(target);
    if (!line) {
      return;
    }
    const what = target.closest<HTMLElement>('[data-do]')?.dataset['do'];
    if (line.kind === 'cut') {
      if (what) {
        this.context.showError(hintOf(line.chain));
      }
    } else if (what) {
      act(what, line.row, this.context);
    } else if (line.branch && target.closest('.tw')) {
      this.toggle(line.key, !line.open);
    }
  }
}

function rowOf(target: EventTarget | null): HTMLElement | null {
  return (target as Element | null)?.closest<HTMLElement>('.row') ?? null;
}
