/** The shared objects: a tree in the order of sharing, of which only what is seen is drawn. */

import { type PathRow, Paths, membersOf } from '../paths';
import type { ChainRow, ObjectRow } from '../snapshot';
import { OBJECT_COLUMNS } from './columns';
import type { List, ListContext, ListCount, ListState } from './context';
import { type Grid, onGridKey } from './gridkeys';
import { Kept } from './kept';
import { act, drag } from './objectacts';
import { CutRowView } from './cutrow';
import { ObjectRowView } from './objectrow';
import type { RowView } from './treerow';
import { ranksOf } from './objectsort';
import { description, sizeInWords } from './objectwords';
import { Opened } from './opened';
import { MOVE_EVERY_MS, type Order } from './sort';
import { Table } from './table';
import { type Branch, holds, type Line, linesOf, Tree } from './tree';

const EMPTY: ListState = {
  time: 0,
  objects: [],
  workers: [],
  ended: [],
  errors: [],
  errorKinds: 0,
  chains: [],
  clusters: []
};

export class ObjectList implements List, Grid, RowView {
  readonly element: HTMLElement;
  time = 0;
  sought = '';
  isLive = true;
  isSameSize = true;
  focusKey: string | null = null;

  readonly #table: Table<Line>;
  readonly #tree = new Tree();
  readonly #paths = new Paths();
  readonly #kept = new Kept();

  #state = EMPTY;
  #objects: readonly PathRow[] = [];
  #chains: readonly ChainRow[] = [];
  /** Which of the objects each line shows, and when that was found. */
  #places: number[] = [];
  #built = -Infinity;
  #ranks: ReadonlyMap<string, number> = new Map();
  readonly #opened = new Opened();
  #hoverKey: string | null = null;
  #isFocused = false;
  #described: HTMLElement | null = null;

  constructor(private readonly context: ListContext) {
    this.#table = new Table<Line>({
      id: 'objects',
      title: 'Objects',
      role: 'treegrid',
      label: 'Shared objects',
      columns: OBJECT_COLUMNS,
      natural: 'as shared',
      key: line => line.key,
      kind: line => line.kind,
      isTall: line => line.kind === 'object',
      create: kind => (kind === 'cut' ? new CutRowView(this) : new ObjectRowView(this)),
      sorted: order => this.#sorted(order),
      layOut: () => this.#layOut(),
      draw: () => this.#draw()
    });
    this.element = this.#table.element;
    this.#listen();
    this.#layOut();
  }

  // What the view asks for --------------------------------------------------------

  update(state: ListState): void {
    this.#state = state;
    this.time = state.time;
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
    this.#table.setNarrow(isNarrow);
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
    this.#table.dispose();
  }

  /** Show an object by its path, and go to it. */
  reveal(path: string): void {
    const at = [...Array(this.length).keys()].find(place => {
      const line = this.at(place);
      return line?.kind === 'object' && line.row.path === path;
    });
    this.#table.unfold();
    if (at !== undefined) {
      this.focusRow(at);
    }
  }

  // What rows ask for --------------------------------------------------------------

  now(): number {
    return this.context.now();
  }

  rate(row: PathRow): number | null {
    const rates = membersOf(row).map(idx => this.context.rate(idx));
    return rates.reduce((all, rate) => (rate === null ? all : rate + (all ?? 0)), null);
  }

  beside(row: PathRow): number {
    return Math.max(...membersOf(row).map(idx => this.context.beside(idx)));
  }

  errorTime(row: ObjectRow): number | null {
    return row.error?.time ?? null;
  }

  isGone(row: ObjectRow): boolean {
    return this.#kept.isGone(row.idx);
  }

  // What keys ask for ---------------------------------------------------------------

  get length(): number {
    return this.#table.rows.length;
  }

  at(index: number): Line | undefined {
    return this.#table.rows.at(index);
  }

  indexOf(key: string): number {
    return this.#table.rows.indexOf(key);
  }

  elementOf(key: string): HTMLElement | null {
    return this.#table.rows.elementOf(key);
  }

  focusRow(index: number): void {
    const line = this.#table.rows.at(index);
    if (!line) {
      return;
    }
    this.focusKey = line.key;
    this.#table.viewport.show(...this.#table.rows.span(index));
    this.#draw();
    this.#table.rows.elementOf(line.key)?.focus({ preventScroll: true });
  }

  focusHeader(): void {
    this.#table.header.focus();
  }

  toggle(key: string, open: boolean): void {
    this.#opened.choose(key, open);
    this.#layOut();
  }

  page(): number {
    const { height, unit } = this.#table.viewport;
    return Math.max(1, Math.floor(height / (24 * unit)) - 2);
  }

  // Drawing ----------------------------------------------------------------------------

  get #isHeld(): boolean {
    return this.#hoverKey !== null || this.#isFocused;
  }

  #refresh(): void {
    const held = [this.#hoverKey, this.#isFocused ? this.focusKey : null].flatMap(
      key => {
        const line = this.#table.rows.at(this.#table.rows.indexOf(key ?? ''));
        return line?.kind === 'object' ? [line.row.idx] : [];
      }
    );
    const objects = this.#kept.merge(this.#paths.gather(this.#state.objects), held);
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
    this.#table.header.setText(
      'fill',
      this.isSameSize && size ? `Fill of ${sizeInWords(size)}` : 'Buffer fill'
    );
    const { order, pace } = this.#table;
    if (order && pace.mayMove(now, this.#isHeld)) {
      this.#ranks = ranksOf(this.#tree.roots, order, this);
    }
    this.#layOut();
  }

  /** Whether only numbers have changed, as with most ticks. */
  #isSameTree(objects: readonly PathRow[]): boolean {
    return (
      this.#chains === this.#state.chains &&
      objects.length === this.#objects.length &&
      objects.every(({ idx, parent }, at) => {
        const before = this.#objects[at];
        return idx === before?.idx && parent === before.parent;
      })
    );
  }

  /** Give the lines the numbers of now. */
  #renew(): void {
    this.#places.forEach((place, at) => {
      const line = this.#table.rows.at(at);
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
      compare: this.#table.order
        ? (a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b))
        : null,
      find: this.sought
    });
    const places = new Map(this.#objects.map((row, at) => [row.idx, at]));
    this.#places = lines.map(line =>
      line.kind === 'object' ? (places.get(line.row.idx) ?? -1) : -1
    );
    this.#table.setItems(lines, this.sought, '');
    this.#renew();
    if (this.#table.rows.indexOf(this.focusKey ?? '') < 0) {
      this.focusKey = lines[0]?.key ?? null;
    }
    this.#draw();
  }

  #draw(): void {
    if (!this.#table) {
      return; // the pane tells of its first state before all of this exists
    }
    const kept = [this.focusKey, this.#hoverKey].filter(key => key !== null);
    this.#table.draw(this.count(), this.element.isConnected ? kept : []);
  }

  #sorted(order: Order | null): void {
    this.#ranks = order ? ranksOf(this.#tree.roots, order, this) : new Map();
    this.#layOut();
  }

  // Pointer, focus and drag --------------------------------------------------------------

  #listen(): void {
    const { grid } = this.#table;
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

  /** Say of one row what it has no place for. */
  #describe(row: HTMLElement | null): void {
    if (this.#described !== row) {
      this.#described?.removeAttribute('aria-description');
      this.#described?.removeAttribute('title');
    }
    this.#described = null;
    const line = this.#lineOf(row);
    if (row && line?.kind === 'object') {
      const words = description(line.row);
      row.setAttribute('aria-description', words);
      if (this.#table.isNarrow) {
        row.title = words;
      }
      this.#described = row;
    }
  }

  #lineOf(target: EventTarget | null): Line | undefined {
    return this.#table.rows.at(
      this.#table.rows.indexOf(rowOf(target)?.dataset['key'] ?? '')
    );
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
        this.context.showError(line.chain.key);
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
