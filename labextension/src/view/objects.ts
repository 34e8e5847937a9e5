/** The shared objects: a tree in the order of sharing, of which only what is seen is drawn. */

import type { ErrorRow, ObjectRow } from '../snapshot';
import { Attribute } from './cells';
import { type Column, OBJECT_COLUMNS } from './columns';
import type { List, ListContext, ListCount, ListState } from './context';
import { el } from './dom';
import { type Grid, onGridKey } from './gridkeys';
import { HeaderRow } from './header';
import { Kept } from './kept';
import {
  CutRowView,
  description,
  errorType,
  fetchLine,
  ObjectRowView,
  type RowView,
  sizeInWords
} from './objectrow';
import { ranksOf } from './objectsort';
import { Pane } from './pane';
import { Sight } from './sight';
import { nextOrder, type Order, Pace } from './sort';
import { type Branch, holds, type Line, linesOf, Tree } from './tree';
import { VirtualRows } from './virtual';

/** Objects with more below them than this are closed at first. */
const OPEN_UP_TO = 10;

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

  private readonly pane: Pane;
  private readonly grid: HTMLElement;
  private readonly header: HeaderRow;
  private readonly rows: VirtualRows<Line>;
  private readonly sight: Sight;
  private readonly nothing = el('p', { class: 'nothing dim', hidden: true });
  private readonly rowCount: Attribute;
  private readonly tree = new Tree();
  private readonly kept = new Kept();
  private readonly pace = new Pace();

  private state = EMPTY;
  private errors: { list: readonly ErrorRow[]; byText: Map<string, ErrorRow[]> } = {
    list: [],
    byText: new Map()
  };
  private order: Order | null = null;
  private ranks: ReadonlyMap<string, number> = new Map();
  private readonly chosen = new Map<string, boolean>();
  private readonly first = new Map<string, boolean>();
  private isNarrow = false;
  private hoverKey: string | null = null;
  private isFocused = false;
  private described: HTMLElement | null = null;

  constructor(private readonly context: ListContext) {
    this.pane = new Pane('objects', 'Objects', () => this.draw());
    this.element = this.pane.element;
    this.header = new HeaderRow(OBJECT_COLUMNS, column => this.sortBy(column));
    this.rows = new VirtualRows<Line>({
      key: line => line.key,
      kind: line => line.kind,
      height: line =>
        (this.isNarrow && line.kind === 'object' ? 38 : 24) * this.sight.unit,
      create: kind => (kind === 'cut' ? new CutRowView(this) : new ObjectRowView(this))
    });
    this.grid = el(
      'div',
      { role: 'treegrid', 'aria-label': 'Shared objects' },
      this.header.element,
      this.rows.element
    );
    this.rowCount = new Attribute(this.grid, 'aria-rowcount');
    this.element.append(this.grid, this.nothing);
    this.sight = new Sight(this.pane, this.rows.element, () => this.layOut());
    this.pane.by.addEventListener('click', () => this.sortByNext());
    this.listen();
    this.layOut();
  }

  // What the view asks for --------------------------------------------------------

  update(state: ListState): void {
    this.state = state;
    this.time = state.time;
    if (state.errors !== this.errors.list) {
      this.errors = { list: state.errors, byText: byText(state.errors) };
    }
    this.refresh();
  }

  find(text: string): void {
    this.sought = text.trim().toLowerCase();
    this.refresh();
  }

  count(): ListCount {
    const all = this.tree.roots.length;
    const found = this.sought
      ? this.tree.roots.filter(root => holds(root, this.sought)).length
      : all;
    return { text: this.sought ? `${found} of ${all}` : String(all), trouble: '' };
  }

  setNarrow(isNarrow: boolean): void {
    this.isNarrow = isNarrow;
    this.pane.setNarrow(isNarrow);
    this.sight.setNarrow(isNarrow);
    this.describe(null);
    this.layOut();
  }

  setLive(isLive: boolean): void {
    this.isLive = isLive;
    this.draw();
  }

  clear(): void {
    this.refresh();
  }

  dispose(): void {
    this.sight.dispose();
  }

  // What rows ask for --------------------------------------------------------------

  now(): number {
    return this.context.now();
  }

  rate(idx: number): number | null {
    return this.context.rate(idx);
  }

  errorOf(row: ObjectRow): ErrorRow | null {
    const groups = this.errors.byText.get(row.last_error ?? '') ?? [];
    const own = groups.find(({ object }) => object === row.path || object === row.root);
    return own ?? groups[0] ?? null;
  }

  errorTime(row: ObjectRow): number | null {
    return row.last_error === null ? null : (this.errorOf(row)?.last ?? 0);
  }

  isGone(row: ObjectRow): boolean {
    return this.kept.isGone(row.idx);
  }

  // What keys ask for ---------------------------------------------------------------

  get length(): number {
    return this.rows.length;
  }

  at(index: number): Line | undefined {
    return this.rows.at(index);
  }

  indexOf(key: string): number {
    return this.rows.indexOf(key);
  }

  elementOf(key: string): HTMLElement | null {
    return this.rows.elementOf(key);
  }

  focusRow(index: number): void {
    const line = this.rows.at(index);
    if (!line) {
      return;
    }
    this.focusKey = line.key;
    this.sight.show(...this.rows.span(index));
    this.draw();
    this.rows.elementOf(line.key)?.focus({ preventScroll: true });
  }

  focusHeader(): void {
    this.header.focus();
  }

  toggle(key: string, open: boolean): void {
    this.chosen.set(key, open);
    this.layOut();
  }

  page(): number {
    return Math.max(
      1,
      Math.floor(this.sight.now().height / (24 * this.sight.unit)) - 2
    );
  }

  // Drawing ----------------------------------------------------------------------------

  private get isHeld(): boolean {
    return this.hoverKey !== null || this.isFocused;
  }

  private refresh(): void {
    const held = [this.hoverKey, this.isFocused ? this.focusKey : null].flatMap(key => {
      const line = this.rows.at(this.rows.indexOf(key ?? ''));
      return line?.kind === 'object' ? [line.row.idx] : [];
    });
    const objects = this.kept.merge(this.state.objects, held);
    this.tree.update(objects, this.state.chains);
    const size = objects[0]?.bufsize ?? 0;
    this.isSameSize = objects.every(row => row.bufsize === size);
    this.header.setText(
      'fill',
      this.isSameSize && size ? `Fill of ${sizeInWords(size)} buffer` : 'Buffer fill'
    );
    if (this.order && this.pace.mayMove(this.context.now(), this.isHeld)) {
      this.ranks = ranksOf(this.tree.roots, this.order, this);
    }
    this.layOut();
  }

  /** Find the lines anew, and draw those that are seen. */
  private layOut(): void {
    const rank = (branch: Branch): number => this.ranks.get(branch.key) ?? Infinity;
    const lines = linesOf(this.tree.roots, {
      isOpen: branch => this.isOpen(branch),
      // A new object has no rank before the rows may move again, and comes last.
      compare: this.order
        ? (a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b))
        : null,
      find: this.sought
    });
    this.rows.setItems(lines);
    this.rowCount.set(String(lines.length + 1));
    if (this.rows.indexOf(this.focusKey ?? '') < 0) {
      this.focusKey = lines[0]?.key ?? null;
    }
    const isNothing = this.sought !== '' && lines.length === 0;
    this.nothing.hidden = !isNothing;
    if (isNothing) {
      this.nothing.textContent = `Nothing here matches “${this.sought}”.`;
    }
    this.draw();
  }

  private draw(): void {
    if (!this.sight) {
      return; // the pane tells of its first state before all of this exists
    }
    const { text, trouble } = this.count();
    const by = OBJECT_COLUMNS.find(({ id }) => id === this.order?.column);
    this.pane.setWords(text, trouble, by?.narrow ?? 'as shared');
    const { from, height } = this.sight.now();
    const kept = [this.focusKey, this.hoverKey].filter(key => key !== null);
    this.rows.draw(from, height, this.element.isConnected ? kept : []);
  }

  private isOpen(branch: Branch): boolean {
    const chosen = this.chosen.get(branch.key);
    if (chosen !== undefined) {
      return chosen;
    }
    let first = this.first.get(branch.key);
    if (first === undefined || !this.isHeld) {
      // Where a chain was cut, it is to be seen.
      first = branch.isCut || branch.below <= OPEN_UP_TO;
      this.first.set(branch.key, first);
    }
    return first;
  }

  private sortBy(column: Column): void {
    this.setOrder(nextOrder(this.order, column.id, column.isNumber));
  }

  /** In a narrow view one button goes through the orders that there are. */
  private sortByNext(): void {
    const offered = OBJECT_COLUMNS.filter(({ narrow }) => narrow);
    const at = offered.findIndex(({ id }) => id === this.order?.column);
    const next = offered[at + 1];
    this.setOrder(next ? nextOrder(null, next.id, next.isNumber) : null);
  }

  private setOrder(order: Order | null): void {
    this.order = order;
    this.header.setOrder(order);
    this.pace.reset();
    this.ranks = order ? ranksOf(this.tree.roots, order, this) : new Map();
    this.layOut();
  }

  // Pointer, focus and drag --------------------------------------------------------------

  private listen(): void {
    const { grid } = this;
    grid.addEventListener('keydown', event => onGridKey(event, this));
    grid.addEventListener('click', event => this.onClick(event));
    grid.addEventListener('dragstart', event => this.onDrag(event));
    grid.addEventListener('pointerover', event => {
      const row = rowOf(event.target);
      this.hoverKey = row?.dataset['key'] ?? this.hoverKey ?? '';
      this.describe(row);
    });
    grid.addEventListener('pointerleave', () => {
      this.hoverKey = null;
      this.refresh();
    });
    grid.addEventListener('focusin', event => {
      this.isFocused = true;
      const row = rowOf(event.target);
      if (row?.dataset['key']) {
        this.focusKey = row.dataset['key'];
        this.describe(row);
        this.draw();
      }
    });
    grid.addEventListener('focusout', event => {
      if (!grid.contains(event.relatedTarget as Node | null)) {
        this.isFocused = false;
        this.refresh();
      }
    });
  }

  /** Say of one row what a narrow view leaves out. */
  private describe(row: HTMLElement | null): void {
    if (this.described !== row) {
      this.described?.removeAttribute('aria-description');
      this.described?.removeAttribute('title');
    }
    this.described = null;
    const line = this.rows.at(this.rows.indexOf(row?.dataset['key'] ?? ''));
    if (row && line?.kind === 'object' && this.isNarrow) {
      const words = description(line.row);
      row.setAttribute('aria-description', words);
      row.title = words;
      this.described = row;
    }
  }

  private onClick(event: Event): void {
    const target = event.target as Element;
    const key = rowOf(target)?.dataset['key'] ?? '';
    const line = this.rows.at(this.rows.indexOf(key));
    if (!line) {
      return;
    }
    const what = target.closest<HTMLElement>('[data-do]')?.dataset['do'];
    if (line.kind === 'cut') {
      if (what) {
        const { path } = line.chain;
        this.context.showError({ type: 'LimitedProxyChaining', message: path });
      }
    } else if (what) {
      this.act(what, line.row);
    } else if (line.branch && target.closest('.tw')) {
      this.toggle(key, !line.open);
    }
  }

  private act(what: string, row: ObjectRow): void {
    const { context } = this;
    if (what === 'copy') {
      context.copy(fetchLine(row));
    } else if (what === 'reset') {
      context.send({ name: 'reset_peaks', args: { idx: row.idx } });
    } else if (what === 'unshare') {
      context.send({ name: 'unshare', args: { object: row.path } });
    } else if (row.last_error !== null) {
      const type = errorType(row.last_error);
      const message = row.last_error.slice(type.length).replace(/^: /, '');
      context.showError({ type, message });
    }
  }

  private onDrag(event: DragEvent): void {
    const line = this.rows.at(
      this.rows.indexOf(rowOf(event.target)?.dataset['key'] ?? '')
    );
    if (line?.kind === 'object' && event.dataTransfer) {
      event.dataTransfer.setData('text/plain', fetchLine(line.row));
      event.dataTransfer.effectAllowed = 'copy';
    }
  }
}

function rowOf(target: EventTarget | null): HTMLElement | null {
  return (target as Element | null)?.closest<HTMLElement>('.row') ?? null;
}

function byText(errors: readonly ErrorRow[]): Map<string, ErrorRow[]> {
  const found = new Map<string, ErrorRow[]>();
  for (const error of errors) {
    const text = `${error.type}: ${error.message}`;
    found.set(text, [...(found.get(text) ?? []), error]);
  }
  return found;
}
