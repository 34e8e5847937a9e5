/** The processes of pools and those that are connected, and those that are no more. */

import type { ClusterRow, EndedRow, WorkerRow } from '../snapshot';
import { WORKER_COLUMNS } from './columns';
import type { List, ListContext, ListCount, ListState } from './context';
import { el } from './dom';
import { compareValues, type Order } from './sort';
import { Table } from './table';
import type { WorkerShares } from './tasks/spent';
import { type WorkerItem, WorkerRowView, type WorkerView } from './workerrow';
import { memoryOf, pidIn, pidOf } from './workerwords';

const BY_WAITING: Order = { column: 'waiting', direction: 'descending' };

export class WorkerList implements List, WorkerView {
  readonly element: HTMLElement;
  time = 0;
  sought = '';

  readonly #table: Table<WorkerItem>;

  readonly #links = el('p', { class: 'links', hidden: true });

  #clusters: readonly ClusterRow[] = [];
  #isLive = false;
  #linked = '';
  #workers: readonly WorkerRow[] = [];
  #ended: readonly EndedRow[] = [];
  #ranks: ReadonlyMap<string, number> = new Map();
  #found = 0;
  #cleared = -Infinity;
  #isHeld = false;

  constructor(private readonly context: ListContext) {
    this.#table = new Table<WorkerItem>({
      id: 'workers',
      title: 'Workers',
      role: 'table',
      label: 'Workers',
      columns: WORKER_COLUMNS,
      natural: 'as connected',
      key: item => item.key,
      kind: () => 'worker',
      isTall: () => true,
      create: () => new WorkerRowView(this),
      sorted: () => {
        this.#rank();
        this.#layOut();
      },
      layOut: () => this.#layOut(),
      draw: () => this.#draw()
    });
    this.element = this.#table.element;
    for (const [name, isHeld] of [
      ['pointerenter', true],
      ['pointerleave', false],
      ['focusin', true],
      ['focusout', false]
    ] as const) {
      this.#table.grid.addEventListener(name, () => (this.#isHeld = isHeld));
    }
    this.element.querySelector('.fold')?.after(this.#links);
    this.#table.sort(BY_WAITING);
  }

  update(state: ListState): void {
    this.time = state.time;
    this.#workers = state.workers;
    this.#ended = state.ended;
    this.#clusters = state.clusters;
    this.#link();
    if (this.#table.pace.mayMove(this.context.now(), this.#isHeld)) {
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
    this.#table.setNarrow(isNarrow);
    this.#layOut();
  }

  setLive(isLive: boolean): void {
    this.#isLive = isLive;
    this.#link();
  }

  /** Link to the pages of clusters, while there is a kernel that knows them. */
  #link(): void {
    const shown = this.#isLive ? this.#clusters.filter(row => row.dashboard) : [];
    const key = JSON.stringify(shown);
    if (key === this.#linked) {
      return;
    }
    this.#linked = key;
    this.#links.hidden = !shown.length;
    this.#links.replaceChildren(
      ...shown.map(({ kind, dashboard }) =>
        el(
          'a',
          { href: dashboard, target: '_blank', rel: 'noopener noreferrer' },
          `${kind} dashboard`
        )
      )
    );
  }

  /** Forget those that are no more. */
  clear(): void {
    this.#cleared = this.time;
    this.#layOut();
  }

  dispose(): void {
    this.#table.dispose();
  }

  now(): number {
    return this.context.now();
  }

  rate(pid: number): number | null {
    return this.context.workerRate(pid);
  }

  spent(row: WorkerRow): WorkerShares | null {
    return this.context.spent(row);
  }

  functionOf(run: number | null): string | null {
    return this.context.functionOf(run);
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
    if (this.#table.order) {
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
      const { worker } = item;
      const doing = [this.functionOf(worker?.run ?? null), ...(worker?.calling ?? [])];
      const text = `${row.name} ${pidIn(row)} ${worker?.way ?? ''} ${doing.join(' ')}`;
      return text.toLowerCase().includes(this.sought);
    });
  }

  #rank(): void {
    const { order } = this.#table;
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
        return pidOf(row);
      case 'state':
        return this.functionOf(row.run) ?? row.calling.join(', ');
      case 'tasks':
        return row.tasks;
      case 'each':
        return row.each_p50;
      case 'rate':
        return this.rate(row.pid);
      case 'waiting':
        return this.spent(row)?.waiting ?? null;
      case 'memory':
        return memoryOf(row);
      default:
        return row.name;
    }
  }

  #layOut(): void {
    const items = this.#items();
    this.#found = items.filter(({ worker }) => worker !== null).length;
    this.#table.setItems(
      items,
      this.sought,
      'No worker yet. The workers of pools are listed here, and whoever calls a shared object.'
    );
    this.#draw();
  }

  #draw(): void {
    if (!this.#table) {
      return; // the pane tells of its first state before all of this exists
    }
    this.#table.draw(this.count(), []);
  }
}
