/** The functions: what runs, and the last that are over, the newest first. */

import type { RunRow, Snapshot } from '../../snapshot';
import { Text } from '../cells';
import { el, icon } from '../dom';
import { exact, many } from '../format';
import { putInOrder } from '../virtual';
import type { Lanes } from './lanes';
import { type RunFacts, RunRowView } from './runrow';
import { elapsedOf, isAtWork, leftOf, poolOf } from './words';

/** What a click on a row may go to. */
export interface RunActions {
  showErrorsOf(run: number): void;
  showObject(path: string): void;
  /** Dim all other functions in the stream; null for none. */
  single(name: string | null): void;
}

export class RunList {
  readonly element: HTMLElement;
  sought = '';

  readonly #rows = el('div', { class: 'runs', role: 'rowgroup' });
  readonly #unseen = el('div', { class: 'unseens' });
  readonly #earlier = new Text(el('p', { class: 'rest dim', hidden: true }));
  readonly #views = new Map<number, RunRowView>();
  readonly #opened = new Map<number, boolean>();
  #now: Snapshot | null = null;
  #runs: RunRow[] = [];
  #focus: number | null = null;
  #marked: string | null = null;
  #unseenKey = '';

  constructor(
    private readonly known: Lanes,
    private readonly actions: RunActions
  ) {
    const head = (text: string, name = ''): HTMLElement =>
      el('div', { role: 'columnheader', class: name || null }, text);
    this.element = el(
      'div',
      { class: 'funcs' },
      el(
        'div',
        { role: 'treegrid', 'aria-label': 'Functions' },
        el(
          'div',
          { class: 'hrow', role: 'row' },
          head('Function'),
          head('Done', 'num'),
          head('Left', 'num')
        ),
        this.#rows
      ),
      this.#unseen,
      this.#earlier.element
    );
    this.#rows.addEventListener('click', event => this.#onClick(event));
    this.#rows.addEventListener('keydown', event => this.#onKey(event));
    this.#rows.addEventListener('focusin', event => {
      this.#focus = this.#idOf(event.target);
      this.#setStops();
    });
    this.#rows.addEventListener('pointerover', event => {
      const id = this.#idOf(event.target);
      actions.single(this.known.style(id)?.name ?? null);
    });
    this.#rows.addEventListener('pointerleave', () => actions.single(null));
  }

  /** How many match what is looked for. */
  get found(): number {
    return this.#runs.length;
  }

  update(now: Snapshot): void {
    this.#now = now;
    const matching = now.runs.filter(({ function: name }) =>
      name.toLowerCase().includes(this.sought)
    );
    this.#runs = matching.sort((a, b) => b.first - a.first || b.id - a.id);
    const names = new Map(
      [...now.workers, ...now.ended].map(row => [row.pid, row.name])
    );
    const isResting = now.runs.every(({ ended }) => ended !== null);
    const here = new Set(this.#runs.map(({ id }) => id));
    for (const [id, view] of this.#views) {
      if (!here.has(id)) {
        this.#views.delete(id);
        view.element.remove();
      }
    }
    const elements = this.#runs.map((run, at) => {
      let view = this.#views.get(run.id);
      if (!view) {
        view = new RunRowView(String(run.id));
        this.#views.set(run.id, view);
      }
      // Where nothing runs, the last one is open.
      view.setOpen(this.#opened.get(run.id) ?? (isResting && at === 0));
      const name = this.known.style(run.id)?.name ?? null;
      view.bind(
        this.#factsOf(run, now, pid => names.get(pid) ?? `process ${pid}`),
        name !== null && name === this.#marked
      );
      return view.element;
    });
    putInOrder(this.#rows, elements);
    if (this.#focus === null || !here.has(this.#focus)) {
      this.#focus = this.#runs[0]?.id ?? null;
    }
    this.#setStops();
    const earlier = now.run_count - now.runs.length;
    this.#earlier.set(earlier > 0 ? `${exact(earlier)} earlier` : '');
    this.#earlier.element.hidden = earlier <= 0;
    this.#drawUnseen(now);
  }

  /** Mark the rows of a function, for the lane that is pointed to. */
  mark(name: string | null): void {
    if (name !== this.#marked) {
      this.#marked = name;
      for (const [id, { element }] of this.#views) {
        const isIt = name !== null && this.known.style(id)?.name === name;
        element.classList.toggle('is-hover', isIt);
      }
    }
  }

  #factsOf(run: RunRow, now: Snapshot, nameOf: (pid: number) => string): RunFacts {
    const pool = poolOf(run, now);
    const size = Math.max(1, pool?.size ?? run.size);
    const how = pool?.how;
    return {
      run,
      colour: this.known.style(run.id)?.colour ?? 0,
      pool: `${pool?.kind ?? 'pool'}, ${many(size, 'worker')}`,
      size,
      how:
        run.done < run.total && (how === 'broken' || how === 'interrupted')
          ? how
          : null,
      left: leftOf(run, now),
      elapsed: elapsedOf(run, now.time),
      atWork: now.workers.filter(row => row.run === run.id && isAtWork(row)).length,
      sought: this.sought,
      nameOf
    };
  }

  /** Pools that were made before the extension was loaded. */
  #drawUnseen({ pools, workers }: Snapshot): void {
    const rows = pools.filter(({ seen, ended }) => !seen && ended === null);
    const counts = rows.map(({ id, size }) => {
      const count = workers.filter(({ pool }) => pool === id).length;
      return count || size;
    });
    const key = rows.map(({ id, kind }, at) => `${id} ${kind} ${counts[at]}`).join();
    if (key === this.#unseenKey) {
      return;
    }
    this.#unseenKey = key;
    this.#unseen.replaceChildren(
      ...rows.map(({ kind }, at) =>
        el(
          'div',
          { class: 'run unseen' },
          el(
            'div',
            { class: 'top' },
            el(
              'div',
              { class: 'title' },
              el('span', { class: 'tw leaf' }, icon('chev')),
              el('span', { class: 'swatch' }),
              el('span', { class: 'fn' }, '–'),
              el(
                'span',
                { class: 'pool' },
                `${kind}, ${many(counts[at] ?? 0, 'worker')}`
              )
            )
          ),
          el(
            'p',
            { class: 'dim' },
            'Made before ',
            el('code', {}, '%load_ext duck_jupyter'),
            ': its workers are seen, its tasks are not. Those of a new pool are.'
          )
        )
      )
    );
  }

  #setStops(): void {
    for (const [id, { element }] of this.#views) {
      element.tabIndex = id === this.#focus ? 0 : -1;
    }
  }

  #idOf(target: EventTarget | null): number | null {
    const row = (target as Element | null)?.closest<HTMLElement>('.run');
    const key = row?.dataset['key'];
    return key === undefined ? null : Number(key);
  }

  #toggle(id: number, isOpen: boolean): void {
    this.#opened.set(id, isOpen);
    if (this.#now) {
      this.update(this.#now);
    }
  }

  #onClick(event: Event): void {
    const id = this.#idOf(event.target);
    const view = id === null ? undefined : this.#views.get(id);
    if (id === null || !view) {
      return;
    }
    const what = (event.target as Element).closest<HTMLElement>('[data-do]');
    if (what?.dataset['do'] === 'object') {
      this.actions.showObject(what.textContent ?? '');
    } else if (what) {
      this.actions.showErrorsOf(id);
    } else if (!(event.target as Element).closest('.why')) {
      this.#toggle(id, !view.isOpen);
    }
  }

  #onKey(event: KeyboardEvent): void {
    const id = this.#idOf(event.target);
    const view = id === null ? undefined : this.#views.get(id);
    if (id === null || !view || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const isDone =
      event.target === view.element
        ? this.#rowKey(event.key, id, view)
        : buttonKey(event, view.element);
    if (isDone) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #rowKey(key: string, id: number, view: RunRowView): boolean {
    const at = this.#runs.findIndex(run => run.id === id);
    const to: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: this.#runs.length - 1
    };
    const next = to[key];
    if (next !== undefined) {
      const row = this.#views.get(this.#runs[next]?.id ?? -1)?.element;
      row?.focus({ preventScroll: true });
      row?.scrollIntoView?.({ block: 'nearest' });
    } else if (key === 'Enter') {
      this.#toggle(id, !view.isOpen);
    } else if (key === 'ArrowRight' && view.isOpen) {
      buttonsOf(view.element)[0]?.focus();
    } else if (key === 'ArrowRight' || key === 'ArrowLeft') {
      this.#toggle(id, key === 'ArrowRight');
    } else {
      return false;
    }
    return true;
  }
}

function buttonsOf(row: HTMLElement): HTMLButtonElement[] {
  return [...row.querySelectorAll('button')].filter(
    button => button.checkVisibility?.() ?? !button.hidden
  );
}

/** On a button, left and right go from one to the next, and back to the row. */
function buttonKey(event: KeyboardEvent, row: HTMLElement): boolean {
  const buttons = buttonsOf(row);
  const at = buttons.indexOf(event.target as HTMLButtonElement);
  if (event.key === 'ArrowRight') {
    buttons[at + 1]?.focus();
  } else if (event.key === 'ArrowLeft') {
    (buttons[at - 1] ?? row).focus();
  } else if (event.key === 'Escape') {
    row.focus();
  } else {
    return false;
  }
  return true;
}
