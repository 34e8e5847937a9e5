/** The row of a worker. */

import { isBad } from '../checks';
import type { EndedRow, WorkerRow } from '../snapshot';
import { Bar, waitingZone } from './bar';
import { Attribute, Flag, Text } from './cells';
import { el } from './dom';
import { UNKNOWN, age, bytes, lasting, many, rate, total } from './format';
import type { VirtualRow } from './virtual';

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
  waiting(pid: number): number | null;
}

/** From so much of its time on a worker is said to wait rather than to call. */
const WAITS = 0.5;

/** Numbers of a row change at most so often, ticks coming a little early or late. */
const NUMBERS_EVERY_MS = 940;

type State = 'calling' | 'waiting' | 'idle' | 'gone';

export class WorkerRowView implements VirtualRow<WorkerItem> {
  readonly element: HTMLElement;

  readonly #bar = new Bar('Waiting on the kernel');
  readonly #name = new Text(el('span'));
  readonly #verb = new Text(el('span'));
  readonly #objects = new Text(el('code'));
  readonly #more = new Text(el('span'));
  readonly #pid = new Text(cell('c-pid dim'));
  readonly #since = new Text(cell('c-since num dim'));
  readonly #rate = new Text(cell('c-rate num'));
  readonly #calls = new Text(cell('c-total num dim'));
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

  #item: WorkerItem | null = null;
  #boundFind = '';
  #changed = -Infinity;

  constructor(private readonly view: WorkerView) {
    const mark = el('span', { class: 'st' });
    const who = el(
      'div',
      { class: 'who', role: 'rowheader' },
      mark,
      this.#name.element
    );
    const state = cell('state');
    state.append(this.#verb.element, this.#objects.element, this.#more.element);
    const wait = cell('c-wait');
    wait.append(this.#bar.element, this.#unknown);
    this.element = el(
      'div',
      { class: 'row', role: 'row' },
      who,
      this.#pid.element,
      state,
      this.#since.element,
      this.#rate.element,
      this.#calls.element,
      wait,
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
    this.#name.set(row.name, find);
    this.#whole.set(row.name);
    this.#pid.set(String(row.pid), find);
    this.#calls.set(total(row.calls));
    this.#gone.set(item.worker === null);
    this.#broke.set(item.worker === null && isBad(item.ended));
    if (item.worker) {
      this.#bindAlive(item.worker);
    } else {
      this.#bindEnded(item.ended);
    }
  }

  #bindAlive(worker: WorkerRow): void {
    const share = this.view.waiting(worker.pid);
    const calls = this.view.rate(worker.pid);
    const [first, ...others] = worker.calling;
    const state: State =
      first === undefined
        ? calls
          ? 'calling'
          : 'idle'
        : (share ?? 0) >= WAITS
          ? 'waiting'
          : 'calling';
    this.#setState(
      state,
      first === undefined
        ? // Most calls are over before anybody looks.
          calls
          ? 'between calls'
          : worker.holds
            ? `holds ${many(worker.holds, 'version')}`
            : 'idle'
        : state === 'waiting'
          ? 'waiting on '
          : 'calling ',
      first ?? '',
      others.length ? ` +${others.length}` : ''
    );
    const what = worker.calling.join(', ');
    const threads = worker.threads === 1 ? '1 thread' : `${worker.threads} threads`;
    const held = worker.holds ? `, holds ${many(worker.holds, 'version')}` : '';
    this.#title.set((what ? `${what} (${threads})` : threads) + held);
    this.#since.set(lasting(this.view.time - worker.since));
    this.#rate.set(rate(calls));
    this.#none.set(!calls);
    this.#memory.set(bytes(worker.pss));
    this.#blank.set(worker.pss === null);
    this.#showBar(share !== null);
    if (share !== null) {
      const value = share * 100;
      this.#bar.set({
        value,
        peak: null,
        isPast: false,
        zone: waitingZone(value),
        of: '',
        saysOf: false
      });
    }
  }

  #bindEnded(ended: EndedRow): void {
    const ago = age(this.view.time - ended.ended);
    this.#setState('gone', ended.words, '', `, ${ago} ago`);
    this.#title.set(`${ended.words}, ${ago} ago`);
    this.#since.set(lasting(ended.ended - ended.since));
    this.#rate.set('');
    this.#memory.set('');
    this.#bar.element.hidden = true;
    this.#unknown.hidden = true;
  }

  #setState(state: State, verb: string, object: string, more: string): void {
    this.#mark.set(state);
    this.#verb.set(verb);
    this.#objects.set(object, this.#boundFind);
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
