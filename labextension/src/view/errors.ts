/** Exceptions that went to workers: grouped, newest first, with what to do next. */

import type { ErrorRow, RunRow, WorkerRow } from '../snapshot';
import type { List, ListContext, ListCount, ListState } from './context';
import { el } from './dom';
import { ErrorItem, type ErrorView } from './erroritem';
import { exact } from './format';
import { Pane } from './pane';
import { Pace } from './sort';
import { putInOrder } from './virtual';

export class ErrorList implements List, ErrorView {
  readonly element: HTMLElement;
  time = 0;
  sought = '';

  readonly #pane: Pane;
  readonly #list = el('div', { role: 'list', 'aria-label': 'Errors' });
  readonly #more = el('p', { class: 'rest dim', hidden: true });
  readonly #nothing = el('p', { class: 'nothing dim' });
  readonly #pace = new Pace();
  readonly #items = new Map<string, ErrorItem>();

  #groups: readonly ErrorRow[] = [];
  /** How many kinds there were; only the newest are sent. */
  #kinds = 0;
  #workers: readonly WorkerRow[] = [];
  /** Keys in the order in which they are drawn. */
  #order: string[] = [];
  #focusKey: string | null = null;
  #cleared = -Infinity;
  #isPointed = false;

  constructor(private readonly context: ListContext) {
    this.#pane = new Pane('errors', 'Errors', () => undefined);
    this.element = this.#pane.element;
    this.#pane.by.disabled = true; // there is one order only
    this.element.append(this.#list, this.#more, this.#nothing);
    this.#list.addEventListener('pointerenter', () => (this.#isPointed = true));
    this.#list.addEventListener('pointerleave', () => (this.#isPointed = false));
    this.#list.addEventListener('keydown', event => this.#onKey(event));
    this.#list.addEventListener('focusin', event => {
      const item = this.#itemOf(event.target);
      if (item) {
        this.#focusKey = item.key;
        this.#setStops();
      }
    });
    this.#draw();
  }

  update(state: ListState): void {
    this.time = state.time;
    this.#groups = state.errors;
    this.#kinds = state.errorKinds;
    this.#workers = state.workers;
    this.#draw();
  }

  find(text: string): void {
    this.sought = text.trim().toLowerCase();
    this.#pace.reset();
    this.#draw();
  }

  count(): ListCount {
    const all = this.#listed().length;
    if (this.sought) {
      return { text: `${this.#found().length} of ${all}`, trouble: '' };
    }
    return all ? { text: '', trouble: this.#number() } : { text: '0', trouble: '' };
  }

  /** How many kinds of error there are: the head, the tab and the list agree. */
  get words(): string {
    const all = this.#listed().length;
    return all ? `${this.#number()} ${all === 1 ? 'kind' : 'kinds'} of error` : '';
  }

  setNarrow(isNarrow: boolean): void {
    this.#pane.setNarrow(isNarrow);
  }

  setLive(): void {
    // Nothing is to be done to an error.
  }

  /** Forget those until now; the kernel still counts them. */
  clear(): void {
    this.#cleared = this.time;
    this.#pace.reset();
    this.#draw();
  }

  dispose(): void {
    this.#items.clear();
  }

  /** Open the error that is meant, and go to it. */
  open(key: string): void {
    const item = this.#items.get(key);
    if (item) {
      this.#pane.setFolded(false);
      item.setOpen(true);
      item.head.focus({ preventScroll: true });
      item.element.scrollIntoView?.({ block: 'nearest' });
    }
  }

  /** Open the newest error of a run's tasks. */
  openRun(run: RunRow | null): void {
    const found = this.#listed().filter(
      ({ kind, object, run: id }) =>
        kind !== 'call' && (id === run?.id || object === run?.function)
    );
    const [newest] = found.sort((a, b) => b.last - a.last);
    this.#pane.setFolded(false);
    if (newest) {
      this.open(newest.key);
    }
  }

  copy(text: string): void {
    this.context.copy(text);
  }

  nameOf(pid: number): string | null {
    return this.#workers.find(worker => worker.pid === pid)?.name ?? null;
  }

  /** All that came since the list was cleared. */
  #listed(): readonly ErrorRow[] {
    return this.#groups.filter(group => group.last > this.#cleared);
  }

  /** Whether there are more kinds than are listed: the oldest are not sent. */
  #isCut(): boolean {
    const { length } = this.#groups;
    return this.#kinds > length && this.#listed().length === length;
  }

  /** How many kinds there are, and how many of them are listed where that differs. */
  #number(): string {
    const all = this.#listed().length;
    if (!this.#isCut()) {
      return String(all);
    }
    // How many of the others came since the list was cleared is not known.
    return this.#cleared > -Infinity ? `${all}+` : `${all} of ${exact(this.#kinds)}`;
  }

  #found(): readonly ErrorRow[] {
    return this.#listed().filter(({ type, object, message, worker }) =>
      `${type} ${object} ${message} ${worker}`.toLowerCase().includes(this.sought)
    );
  }

  /** Whether somebody reads here: then nothing may move. */
  #isHeld(): boolean {
    const root = this.#list.getRootNode() as Document | ShadowRoot;
    const isFocused = this.#list.contains(root.activeElement ?? null);
    const isOpen = [...this.#items.values()].some(item => item.isOpen);
    return this.#isPointed || isFocused || isOpen;
  }

  #draw(): void {
    const groups = new Map(this.#found().map(group => [group.key, group]));
    const known = new Set(this.#order);
    const isMoving = this.#pace.mayMove(this.context.now(), this.#isHeld());
    if (isMoving || this.#order.length === 0) {
      this.#order = [...groups.values()]
        .sort((a, b) => b.last - a.last)
        .map(({ key }) => key);
    } else {
      // New ones wait below what is read; the tab counts them at once.
      const fresh = [...groups.keys()].filter(key => !known.has(key));
      this.#order = [...this.#order.filter(key => groups.has(key)), ...fresh];
    }
    for (const [key, item] of this.#items) {
      if (!groups.has(key)) {
        this.#items.delete(key);
        item.element.remove();
      }
    }
    const elements = this.#order.map(key => {
      let item = this.#items.get(key);
      if (!item) {
        item = new ErrorItem(key, this);
        this.#items.set(key, item);
      }
      item.bind(groups.get(key) as ErrorRow);
      return item.element;
    });
    putInOrder(this.#list, elements);
    if (!this.#items.has(this.#focusKey ?? '')) {
      this.#focusKey = this.#order[0] ?? null;
    }
    this.#setStops();
    const { text, trouble } = this.count();
    this.#pane.setWords(text, trouble, 'newest first');
    this.#list.hidden = elements.length === 0;
    this.#nothing.hidden = elements.length > 0;
    this.#more.hidden = elements.length === 0 || !this.#isCut();
    this.#more.textContent = `Only the newest ${this.#listed().length} kinds are listed.`;
    if (elements.length === 0) {
      this.#nothing.textContent = this.sought
        ? `Nothing here matches “${this.sought}”.`
        : `No call and no task has failed${this.#groups.length ? ' since the list was cleared' : ''}.`;
    }
  }

  /** One stop of the Tab key; the arrows go from error to error. */
  #setStops(): void {
    for (const [key, item] of this.#items) {
      item.setStop(key === this.#focusKey);
    }
  }

  #itemOf(target: EventTarget | null): ErrorItem | undefined {
    const element = (target as Element | null)?.closest<HTMLElement>('.error');
    return this.#items.get(element?.dataset['key'] ?? '');
  }

  #onKey(event: KeyboardEvent): void {
    const item = this.#itemOf(event.target);
    if (!item || event.target !== item.head) {
      return;
    }
    const at = this.#order.indexOf(item.key);
    const to: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: this.#order.length - 1
    };
    const next = this.#items.get(this.#order[to[event.key] ?? -1] ?? '');
    if (next) {
      next.head.focus();
    } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      item.setOpen(event.key === 'ArrowRight');
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
