/** One kind of error: a line, and below it, when it is open, what to do next. */

import type { ErrorRow } from '../snapshot';
import { snip } from './absence';
import { Attribute, Text } from './cells';
import { el, icon } from './dom';
import { age, lasting, many, total } from './format';
import { coloured, framesIn } from './traceback';

/** What an error needs to know of the rest. */
export interface ErrorView {
  readonly time: number;
  readonly sought: string;
  copy(text: string): void;
  nameOf(pid: number): string | null;
}

/** Longer messages do not fit into the line, and are told whole below it. */
const LINE_CHARS = 60;

let serial = 0;

/** The kernel keeps the newest processes of a kind of error, and no more than these. */
const PIDS_KEPT = 100;

function workersOf(count: number): string {
  return count < PIDS_KEPT ? many(count, 'worker') : `${count} workers or more`;
}

export class ErrorItem {
  readonly element: HTMLElement;
  readonly head: HTMLButtonElement;
  isOpen = false;

  readonly #type = new Text(el('b'));
  readonly #times = new Text(el('span', { class: 'x' }));
  readonly #object = new Text(el('code', { class: 'obj' }));
  readonly #message = new Text(el('span', { class: 'msg' }));
  readonly #by = new Text(el('span', { class: 'by dim' }));
  readonly #age = new Text(el('span', { class: 'age num dim' }));
  readonly #expanded: Attribute;
  readonly #stop: Attribute;
  readonly #where = new Text(el('code'));
  readonly #who = new Text(el('span'));
  readonly #traceback = new Traceback();
  readonly #id = `duck-error-${(serial += 1)}`;
  #detail: HTMLElement | null = null;
  #group: ErrorRow | null = null;

  constructor(
    readonly key: string,
    private readonly view: ErrorView
  ) {
    this.head = el(
      'button',
      { class: 'ehead', type: 'button' },
      icon('chev'),
      el('span', { class: 't' }, this.#type.element, this.#times.element),
      this.#object.element,
      this.#message.element,
      this.#by.element,
      this.#age.element
    );
    this.element = el('div', { class: 'error', role: 'listitem' }, this.head);
    this.element.dataset['key'] = key;
    this.#expanded = new Attribute(this.head, 'aria-expanded');
    this.#stop = new Attribute(this.head, 'tabindex');
    this.#expanded.set('false');
    this.head.addEventListener('click', () => this.setOpen(!this.isOpen));
  }

  bind(group: ErrorRow): void {
    const { sought: find, time } = this.view;
    this.#group = group;
    this.#type.set(group.type, find);
    this.#times.set(group.count > 1 ? `×${total(group.count)}` : '');
    this.#object.set(objectsOf(group), find);
    this.#message.set(group.message, find);
    const [first, ...others] = group.pids;
    this.#by.set(
      others.length ? workersOf(group.pids.length) : String(first ?? group.worker)
    );
    this.#age.set(age(time - group.last));
    if (this.isOpen) {
      this.#bindDetail(group);
    }
  }

  setStop(isStop: boolean): void {
    this.#stop.set(isStop ? '0' : '-1');
  }

  setOpen(isOpen: boolean): void {
    if (isOpen === this.isOpen || !this.#group) {
      return;
    }
    this.isOpen = isOpen;
    this.#expanded.set(String(isOpen));
    if (isOpen && !this.#detail) {
      this.#detail = this.#makeDetail(this.#group);
      this.head.setAttribute('aria-controls', this.#id);
      this.element.append(this.#detail);
    }
    if (this.#detail) {
      this.#detail.hidden = !isOpen;
    }
    if (isOpen) {
      this.#bindDetail(this.#group);
    }
  }

  /** What was told once stays as it was: ways out and message are the group's own. */
  #makeDetail({ message, ways_out }: ErrorRow): HTMLElement {
    const ways = ways_out.map(([sentence, line]) =>
      el(
        'div',
        {},
        el('p', {}, sentence),
        line ? snip(line, text => this.view.copy(text)) : null
      )
    );
    return el(
      'div',
      { class: 'edetail', id: this.#id },
      ways.length ? el('h4', {}, 'What to do next') : null,
      ways.length ? el('div', { class: 'todo' }, ...ways) : null,
      message.length > LINE_CHARS ? el('p', { class: 'full' }, message) : null,
      el('p', { class: 'at' }, this.#where.element, this.#who.element),
      this.#traceback.element
    );
  }

  #bindDetail(group: ErrorRow): void {
    const { pids, worker, first, traceback } = group;
    this.#where.set(objectsOf(group));
    const names = pids.map(pid => this.view.nameOf(pid) ?? `process ${pid}`);
    const who = shortened(
      names.length > 1 || names[0]?.startsWith('process') === false
        ? names
        : [worker || (names[0] ?? '')]
    );
    this.#who.set(
      `${who ? `, from ${who}` : ''}, first ${lasting(this.view.time - first)} ago`
    );
    this.#traceback.set(traceback);
  }
}

/** The object that met the last one, and how many others did. */
export function objectsOf({ object, objects }: ErrorRow): string {
  return objects > 1 ? `${object} and ${many(objects - 1, 'other')}` : object;
}

/** Names as a sentence has them: "ForkPoolWorker-1 and -4". */
export function shortened(names: readonly string[]): string {
  const [first = '', ...others] = names;
  const stem = first.slice(0, first.lastIndexOf('-'));
  const rest = others.map(name =>
    stem && name.startsWith(`${stem}-`) ? name.slice(stem.length) : name
  );
  const last = rest.pop();
  return last === undefined ? first : `${[first, ...rest].join(', ')} and ${last}`;
}

/** The traceback of the kernel's side, folded until it is asked for. */
class Traceback {
  readonly element: HTMLDetailsElement;

  readonly #title = new Text(el('span'));
  readonly #pre = el('pre', { tabindex: 0, 'aria-label': 'Remote traceback' });
  #text = '';

  constructor() {
    this.element = el(
      'details',
      { class: 'tb', hidden: true },
      el('summary', {}, icon('chev'), this.#title.element),
      this.#pre
    );
  }

  set(text: string): void {
    if (text === this.#text) {
      return;
    }
    this.#text = text;
    const frames = framesIn(text);
    this.element.hidden = !text;
    this.#title.set(
      frames ? `Remote traceback, ${many(frames, 'frame')}` : 'Remote traceback'
    );
    this.#pre.replaceChildren(...coloured(text));
  }
}
