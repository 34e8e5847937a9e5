/** The row of a worker. */

import { isBad } from '../checks';
import type { EndedRow, WorkerRow } from '../snapshot';
import { Attribute, Coded, Flag, Text } from './cells';
import { el } from './dom';
import { UNKNOWN, age, bytes, lasting, many, rate, time, total } from './format';
import { SpentBar, type WorkerShares } from './tasks/spent';
import type { VirtualRow } from './virtual';
import { doingOf, isNearLimit, memoryIn, memoryOf, pidIn } from './workerwords';

/** A worker, or what is known of one that is no more. */
export type WorkerItem =
  | { readonly key: string; readonly worker: WorkerRow; readonly ended: null }
  | { readonly key: string; readonly worker: null; readonly ended: EndedRow };

/** What rows need to know besides their worker. */
export interface WorkerView {
  readonly time: number;
  readonly sought: string;
  now(): number;
  rate(pid: number): number | null;
  spent(row: WorkerRow): WorkerShares | null;
  functionOf(run: number | null): string | null;
}

/** Numbers of a row change at most so often, ticks coming a little early or late. */
const NUMBERS_EVERY_MS = 940;

export class WorkerRowView implements VirtualRow<WorkerItem> {
  readonly element: HTMLElement;

  readonly #bar = new SpentBar();
  /** Where there is little room the host gives way, and the worker stays. */
  readonly #host = new Text(el('span'));
  readonly #name = new Text(el('span'));
  readonly #way = new Text(el('span', { class: 'way' }));
  readonly #doing = new Coded(el('span'));
  readonly #more = new Text(el('span'));
  readonly #pid = new Text(cell('c-pid dim'));
  readonly #tasks = new Text(cell('c-tasks num'));
  readonly #each = new Text(cell('c-each num dim'));
  readonly #rate = new Text(cell('c-rate num'));
  readonly #memory = new Text(cell('c-mem num'));
  readonly #unknown = el('span', { class: 'none' }, UNKNOWN);
  readonly #mark: Attribute;
  readonly #index: Attribute;
  readonly #title: Attribute;
  readonly #whole: Attribute;
  readonly #gone: Flag;
  readonly #broke: Flag;
  readonly #none: Flag;
  readonly #blank: Flag;
  readonly #near: Flag;
  readonly #limit: Attribute;

  #item: WorkerItem | null = null;
  #boundFind = '';
  #changed = -Infinity;

  constructor(private readonly view: WorkerView) {
    const mark = el('span', { class: 'st' });
    const who = el(
      'div',
      { class: 'who', role: 'rowheader' },
      mark,
      el('span', { class: 'whole' }, this.#host.element, this.#name.element),
      ' ', // for who hears it
      this.#way.element
    );
    const state = cell('state');
    state.append(this.#doing.element, this.#more.element);
    const wait = cell('c-time');
    wait.append(this.#bar.element, this.#unknown);
    this.element = el(
      'div',
      { class: 'row', role: 'row' },
      who,
      this.#pid.element,
      state,
      this.#tasks.element,
      this.#each.element,
      wait,
      this.#rate.element,
      this.#memory.element
    );
    this.#mark = new Attribute(mark, 'data-s');
    this.#index = new Attribute(this.element, 'aria-rowindex');
    this.#title = new Attribute(state, 'title');
    this.#whole = new Attribute(who, 'title');
    this.#gone = new Flag(this.element, 'gone');
    this.#broke = new Flag(this.element, 'broke');
    this.#none = new Flag(this.#rate.element, 'none');
    this.#blank = new Flag(this.#memory.element, 'none');
    this.#near = new Flag(this.#memory.element, 'warn');
    this.#limit = new Attribute(this.#memory.element, 'title');
  }

  bind(item: WorkerItem, index: number): void {
    this.#index.set(String(index + 2)); // the headers are the first
    const { sought: find } = this.view;
    const isOther =
      item.key !== this.#item?.key ||
      (item.worker === null) !== (this.#item.worker === null) ||
      find !== this.#boundFind;
    const now = this.view.now();
    if (!isOther && now - this.#changed < NUMBERS_EVERY_MS) {
      return;
    }
    this.#changed = isOther ? -Infinity : now;
    this.#item = item;
    this.#boundFind = find;
    const row = item.worker ?? item.ended;
    const host = row.cluster?.host ?? '';
    this.#host.set(host, find);
    this.#name.set(row.name.slice(host.length), find);
    this.#whole.set(row.name);
    this.#pid.set(pidIn(row), find);
    this.#gone.set(item.worker === null);
    this.#broke.set(item.worker === null && isBad(item.ended));
    if (item.worker) {
      this.#bindAlive(item.worker);
    } else {
      this.#bindEnded(item.ended);
    }
  }

  #bindAlive(worker: WorkerRow): void {
    const calls = this.view.rate(worker.pid);
    const shares = this.view.spent(worker);
    const { mark, words, more } = doingOf(
      worker,
      this.view.functionOf(worker.run),
      this.view.time,
      calls,
      shares?.waiting ?? 0
    );
    this.#setState(mark, words, more);
    const threads = worker.threads === 1 ? '1 thread' : `${worker.threads} threads`;
    const parts = [
      worker.calling.join(', '),
      `here for ${lasting(this.view.time - worker.since)}`,
      `${many(worker.calls, 'call')} of ${threads}`,
      `${bytes(worker.bytes_in)} to the kernel`,
      `${bytes(worker.bytes_out)} from it`,
      worker.holds ? `holds ${many(worker.holds, 'version')}` : '',
      worker.failed_tasks ? `${many(worker.failed_tasks, 'task')} failed` : ''
    ];
    this.#title.set(parts.filter(Boolean).join(', '));
    const { cluster } = worker;
    this.#way.set(cluster ? (worker.way ?? '') : '');
    const unknown = worker.pool === null && !cluster ? '' : UNKNOWN;
    this.#tasks.set(worker.tasks === null ? unknown : total(worker.tasks));
    this.#each.set(worker.each_p50 === null ? unknown : time(worker.each_p50));
    this.#rate.set(rate(calls));
    this.#none.set(!calls);
    const memory = memoryOf(worker);
    this.#memory.set(bytes(memory));
    this.#blank.set(memory === null);
    this.#near.set(cluster !== null && isNearLimit(cluster));
    this.#limit.set(cluster ? memoryIn(memory, cluster.memory_limit) : null);
    this.#showBar(shares !== null);
    if (shares !== null) {
      this.#bar.set(shares);
    }
  }

  #bindEnded(ended: EndedRow): void {
    const ago = age(this.view.time - ended.ended);
    this.#setState('gone', ended.words, `, ${ago} ago`);
    this.#title.set(`${ended.words}, ${ago} ago, ${many(ended.calls, 'call')}`);
    this.#way.set('');
    this.#near.set(false);
    this.#limit.set(null);
    this.#tasks.set(ended.tasks === null ? '' : total(ended.tasks));
    this.#each.set('');
    this.#rate.set('');
    this.#memory.set('');
    this.#bar.element.hidden = true;
    this.#unknown.hidden = true;
  }

  #setState(mark: string, doing: string, more: string): void {
    this.#mark.set(mark);
    this.#doing.set(doing);
    this.#more.set(more);
  }

  #showBar(isShown: boolean): void {
    if (this.#bar.element.hidden === isShown) {
      this.#bar.element.hidden = !isShown;
    }
    if (this.#unknown.hidden !== isShown) {
      this.#unknown.hidden = isShown;
    }
  }
}

function cell(className: string): HTMLElement {
  return el('div', { class: className, role: 'cell' });
}
