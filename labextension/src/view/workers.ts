/** The connected processes, and those that are no more. */

import type { EndedRow, WorkerRow } from '../snapshot';
import { Attribute } from './cells';
import { type Column, WORKER_COLUMNS } from './columns';
import type { List, ListContext, ListCount, ListState } from './context';
import { el } from './dom';
import { HeaderRow } from './header';
import { Pane } from './pane';
import { Sight } from './sight';
import { compareValues, nextOrder, type Order, Pace } from './sort';
import { VirtualRows } from './virtual';
import { type WorkerItem, WorkerRowView, type WorkerView } from './workerrow';

const BY_WAITING: Order = { column: 'waiting', direction: 'descending' };

export class WorkerList implements List, WorkerView {
  readonly element: HTMLElement;
  time = 0;
  sought = '';

  readonly #pane: Pane;
  readonly #table: HTMLElement;
  readonly #header: HeaderRow;
  readonly #rows: VirtualRows<WorkerItem>;
  readonly #sight: Sight;
  readonly #nothing = el('p', { class: 'nothing dim', hidden: true });
  readonly #rowCount: Attribute;
  readonly #pace = new Pace();

  #workers: readonly WorkerRow[] = [];
  #ended: readonly EndedRow[] = [];
  #order: Order | null = BY_WAITING;
  #ranks: ReadonlyMap<string, number> = new Map();
  #found = 0;
  #cleared = -Infinity;
  #isNarrow = false;
  #isHeld = false;

  constructor(private readonly context: ListContext) {
    this.#pane = new Pane('workers', 'Workers', () => this.#draw());
    this.element = this.#pane.element;
    this.#header = new HeaderRow(WORKER_COLUMNS, column => this.#sortBy(column));
    this.#header.setOrder(this.#order);
    this.#rows = new VirtualRows<WorkerItem>({
      key: item => item.key,
      kind: () => 'worker',
      height: () => (this.#isNarrow ? 38 : 24) * this.#sight.unit,
      create: () => new WorkerRowView(this)
    });
    this.#table = el(
      'div',
      { role: 'table', 'aria-label': 'Workers' },
      this.#header.element,
      this.#rows.element
    );
    this.#rowCount = new Attribute(this.#table, 'aria-rowcount');
    this.element.append(this.#table, this.#nothing);
    this.#sight = new Sight(this.#pane, this.#rows.element, () => this.#layOut());
    this.#pane.by.addEventListener('click', () => this.#sortByNext());
    for (const [name, isHeld] of [
      ['pointerenter', true],
      ['pointerleave', false],
      ['focusin', true],
      ['focusout', false]
    ] as const) {
      this.#table.addEventListener(name, () => (this.#isHeld = isHeld));
    }
    this.#layOut();
  }

  update(state: ListState): void {
    this.time = state.time;
    this.#workers = state.workers;
    this.#ended = state.ended;
    if (this.#pace.mayMove(this.context.now(), this.#isHeld)) {
      this.#rank();
    }
    this.#layOut();
  }

  find(text: string): void {
    this.sought = text.trim().toLowerCase();
    this.#layOut();
  }

  count(): ListCount {
    const all = this.#workers.length;
    const found = this.#found;
    const gone = this.#gone();
    const trouble = (['killed', 'failed'] as const).flatMap(bad => {
      const count = gone.filter(({ how }) => how === bad).length;
      return count ? [`${count} ${bad}`] : [];
    });
    return {
      text: this.sought ? `${found} of ${all}` : String(all),
      trouble: trouble.join(', ')
    };
  }

  setNarrow(isNarrow: boolean): void {
    this.#isNarrow = isNarrow;
    this.#pane.setNarrow(isNarrow);
    this.#sight.setNarrow(isNarrow);
    this.#layOut();
  }

  setLive(): void {
    // Nothing is to be done to a worker.
  }

  /** Forget those that are no more. */
  clear(): void {
    this.#cleared = this.time;
    this.#layOut();
  }

  dispose(): void {
    this.#sight.dispose();
  }

  now(): number {
    return this.context.now();
  }

  rate(pid: number): number | null {
    return this.context.workerRate(pid);
  }

  waiting(pid: number): number | null {
    return this.context.waiting(pid);
  }

  #gone(): EndedRow[] {
    return this.#ended.filter(row => row.ended > this.#cleared);
  }

  /** All that are to be listed, those that are no more at the end, the last one first. */
  #items(): WorkerItem[] {
    const alive = this.#workers.map((worker): WorkerItem => ({
      key: `${worker.pid}:${worker.since}`,
      worker,
      ended: null
    }));
    const rank = (item: WorkerItem): number => this.#ranks.get(item.key) ?? Infinity;
    if (this.#order) {
      alive.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
    }
    const gone = this.#gone()
      .sort((a, b) => b.ended - a.ended)
      .map((ended): WorkerItem => ({
        key: `${ended.pid}:${ended.since}`,
        worker: null,
        ended
      }));
    const known = new Set(alive.map(({ key }) => key));
    return [...alive, ...gone.filter(({ key }) => !known.has(key))].filter(item => {
      const row = item.worker ?? item.ended;
      const text = `${row.name} ${row.pid} ${item.worker?.calling.join(' ') ?? ''}`;
      return text.toLowerCase().includes(this.sought);
    });
  }

  #rank(): void {
    const order = this.#order;
    if (!order) {
      return;
    }
    const values = this.#workers.map(row => ({
      key: `${row.pid}:${row.since}`,
      value: this.#valueOf(row, order.column)
    }));
    values.sort((a, b) => compareValues(a.value, b.value, order.direction));
    this.#ranks = new Map(values.map(({ key }, rank) => [key, rank]));
  }

  #valueOf(row: WorkerRow, column: string): string | number | null {
    switch (column) {
      case 'pid':
        return row.pid;
      case 'state':
        return row.calling.join(', ');
      case 'since':
        return this.time - row.since;
      case 'rate':
        return this.rate(row.pid);
      case 'calls':
        return row.calls;
      case 'waiting':
        return this.waiting(row.pid);
      case 'memory':
        return row.pss;
      default:
        return row.name;
    }
  }

  #layOut(): void {
    const items = this.#items();
    this.#found = items.filter(({ worker }) => worker !== null).length;
    this.#rows.setItems(items);
    this.#rowCount.set(String(items.length + 1));
    this.#nothing.hidden = items.length > 0;
    if (items.length === 0) {
      this.#nothing.textContent = this.sought
        ? `Nothing here matches “${this.sought}”.`
        : 'No worker is connected. One connects with its first call.';
    }
    this.#draw();
  }

  #draw(): void {
    if (!this.#sight) {
      return; // the pane tells of its first state before all of this exists
    }
    const { text, trouble } = this.count();
    const by = WORKER_COLUMNS.find(({ id }) => id === this.#order?.column);
    this.#pane.setWords(text, trouble, by?.narrow ?? 'as connected');
    const { from, height } = this.#sight;
    this.#rows.draw(from, height, []);
  }

  #sortBy(column: Column): void {
    this.#setOrder(nextOrder(this.#order, column.id, column.isNumber));
  }

  /** In a narrow view one button goes through the orders that there are. */
  #sortByNext(): void {
    const offered = WORKER_COLUMNS.filter(({ narrow }) => narrow);
    const at = offered.findIndex(({ id }) => id === this.#order?.column);
    const next = offered[at + 1];
    this.#setOrder(next ? nextOrder(null, next.id, next.isNumber) : null);
  }

  #setOrder(order: Order | null): void {
    this.#order = order;
    this.#header.setOrder(order);
    this.#pace.reset();
    this.#rank();
    this.#layOut();
  }
}
