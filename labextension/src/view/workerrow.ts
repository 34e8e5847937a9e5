/** The row of a worker. */

import { isBad } from '../checks';
import type { EndedRow, WorkerRow } from '../snapshot';
import { Attribute, Coded, Flag, Text } from './cells';
import { el } from './dom';
import { UNKNOWN, age, bytes, lasting, many, rate, time, took, total } from './format';
import { SpentBar, type WorkerShares } from './tasks/spent';
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
  spent(row: WorkerRow): WorkerShares | null;
  functionOf(run: number | null): string | null;
}

/** From so much of its time on a worker is said to wait rather than to call. */
const WAITS = 0.5;

/** Numbers of a row change at most so often, ticks coming a little early or late. */
const NUMBERS_EVERY_MS = 940;

/** A task that has run for so long says for how long. */
const LONG_S = 1;

export class WorkerRowView implements VirtualRow<WorkerItem> {
  readonly element: HTMLElement;

  readonly #bar = new SpentBar();
  readonly #name = new Text(el('span'));
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
      worker.holds ? `holds ${many(worker.holds, 'version')}` : '',
      worker.failed_tasks ? `${many(worker.failed_tasks, 'task')} failed` : ''
    ];
    this.#title.set(parts.filter(Boolean).join(', '));
    const unknown = worker.pool === null ? '' : UNKNOWN;
    this.#tasks.set(worker.tasks === null ? unknown : total(worker.tasks));
    this.#each.set(worker.each_p50 === null ? unknown : time(worker.each_p50));
    this.#rate.set(rate(calls));
    this.#none.set(!calls);
    this.#memory.set(bytes(worker.pss));
    this.#blank.set(worker.pss === null);
    this.#showBar(shares !== null);
    if (shares !== null) {
      this.#bar.set(shares);
    }
  }

  #bindEnded(ended: EndedRow): void {
    const ago = age(this.view.time - ended.ended);
    this.#setState('gone', ended.words, `, ${ago} ago`);
    this.#title.set(`${ended.words}, ${ago} ago, ${many(ended.calls, 'call')}`);
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

/** What a worker does: its mark, in words with code between backticks, and what follows. */
export function doingOf(
  worker: WorkerRow,
  name: string | null,
  now: number,
  calls: number | null,
  waiting: number
): { mark: string; words: string; more: string } {
  const { calling, holds, pool, state, task_since: since, waiting_on: object } = worker;
  const [first, ...others] = calling;
  const more = others.length ? ` +${others.length}` : '';
  switch (state) {
    case 'starting':
      return { mark: 'boot', words: 'starting', more: '' };
    case 'idle':
      return { mark: 'idle', words: 'no task', more: '' };
    case 'waiting': {
      const on = object ?? first;
      const words = `\`${name ?? 'a task'}\`, waiting on ${on ? `\`${on}\`` : 'the kernel'}`;
      return { mark: state, words, more: '' };
    }
    case 'computing': {
      const age = since === null ? 0 : now - since;
      const long = age >= LONG_S ? ` for ${took(age)}` : '';
      return { mark: state, words: `\`${name ?? 'a task'}\``, more: long };
    }
    case 'unseen':
      if (first !== undefined) {
        const isWaiting = waiting >= WAITS;
        const verb = isWaiting ? 'waiting on' : 'calling';
        return {
          mark: isWaiting ? 'waiting' : 'calling',
          words: `${verb} \`${first}\``,
          more
        };
      }
      if (pool !== null) {
        return { mark: 'idle', words: 'its tasks are not seen', more: '' };
      }
      // Most calls are over before anybody looks.
      return calls
        ? { mark: 'calling', words: 'between calls', more: '' }
        : {
            mark: 'idle',
            words: holds ? `holds ${many(holds, 'version')}` : 'idle',
            more: ''
          };
  }
}
