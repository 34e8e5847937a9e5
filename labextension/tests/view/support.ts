/** Made-up sessions, and a page on which things have a size. */

import { vi } from 'vitest';
import snapshot from '../../../tests/data/snapshot.json';
import { UNSEEN } from '../../src/madeuprows';
import type { ErrorRow, ObjectRow, Snapshot, WorkerRow } from '../../src/snapshot';
import type { Command } from '../../src/source';
import type { List, ListContext, ListState } from '../../src/view/context';
import type { WorkerShares } from '../../src/view/tasks/spent';

/** The session that both languages are tested with. */
export const golden = snapshot as unknown as Snapshot;

/** The same where no pool was ever used: workers only call what is shared. */
export const serving: Snapshot = {
  ...golden,
  pools: [],
  runs: [],
  run_count: 0,
  tasks: [],
  workers: golden.workers.map(row => ({ ...row, ...UNSEEN }))
};

export function stateOf(snapshot: Snapshot): ListState {
  return {
    time: snapshot.time,
    objects: snapshot.objects,
    workers: snapshot.workers,
    ended: snapshot.ended,
    errors: snapshot.errors ?? [],
    errorKinds: snapshot.error_kinds,
    chains: snapshot.chains ?? [],
    clusters: snapshot.clusters
  };
}

export const START = 1790000000;

export function state(values: Partial<ListState>): ListState {
  return {
    time: START,
    objects: [],
    workers: [],
    ended: [],
    errors: [],
    errorKinds: values.errors?.length ?? 0,
    chains: [],
    clusters: [],
    ...values
  };
}

export function object(
  idx: number,
  path: string,
  values: Partial<ObjectRow> = {}
): ObjectRow {
  return {
    idx,
    parent: null,
    path,
    root: path.split(/[.[(]/)[0] ?? path,
    type: 'dict',
    size: '',
    mode: 'live',
    level: 0,
    max_level: 7,
    bufsize: 1000,
    gets: 0,
    sets: 0,
    executes: 0,
    bytes_in: 0,
    bytes_out: 0,
    last: 0,
    peak: 0,
    versions: 0,
    version_bytes: 0,
    mapped_bytes: 0,
    awaited: 0,
    beside: 0,
    handovers: 0,
    handed_bytes: 0,
    last_error: null,
    error: null,
    pids: [],
    since: START,
    ...values
  };
}

/** An object that was reached through another. */
export function chained(
  idx: number,
  parent: number,
  path: string,
  values: Partial<ObjectRow> = {}
): ObjectRow {
  return object(idx, path, { parent, level: 1, ...values });
}

export function worker(pid: number, values: Partial<WorkerRow> = {}): WorkerRow {
  return {
    pid,
    name: `PoolWorker-${pid}`,
    since: START - 161,
    threads: 1,
    calls: 10,
    bytes_in: 0,
    bytes_out: 0,
    waited: 0,
    connected: 0,
    calling: [],
    pss: 1024 * 1024,
    holds: 0,
    ...UNSEEN,
    ...values
  };
}

export function error(type: string, values: Partial<ErrorRow> = {}): ErrorRow {
  return {
    key: type,
    type,
    object: 'df',
    idx: 1,
    objects: 1,
    cut: '',
    kind: 'call',
    run: null,
    arguments: '',
    message: 'it broke',
    count: 1,
    first: START - 60,
    last: START - 2,
    pids: [1],
    worker: 'PoolWorker-1',
    ways_out: [],
    traceback: '',
    ...values
  };
}

/** Stands for the rest of the view, and keeps what the lists ask of it. */
export class Rest implements ListContext {
  readonly rates = new Map<number, number>();
  readonly shares = new Map<number, number>();
  readonly besides = new Map<number, number>();
  readonly sent: Command[] = [];
  readonly copied: string[] = [];
  readonly shown: string[] = [];
  /** Milliseconds. */
  clock = 10_000;

  rate(idx: number): number {
    return this.rates.get(idx) ?? 0;
  }

  workerRate(pid: number): number {
    return this.rates.get(pid) ?? 0;
  }

  beside(idx: number): number {
    return this.besides.get(idx) ?? 0;
  }

  /** Its tasks are seen where the row says so. */
  spent({ pid, t_computing: seen }: WorkerRow): WorkerShares | null {
    const waiting = this.shares.get(pid);
    return waiting === undefined
      ? null
      : { computing: seen === null ? null : 1 - waiting, waiting };
  }

  functionOf(run: number | null): string | null {
    return golden.runs.find(({ id }) => id === run)?.function ?? null;
  }

  send(command: Command): void {
    this.sent.push(command);
  }

  copy(text: string): void {
    this.copied.push(text);
  }

  showError(key: string): void {
    this.shown.push(key);
  }

  now(): number {
    return this.clock;
  }
}

const HEIGHT = 240;

/** jsdom lays nothing out: give what scrolls a height, and the rows their place in it. */
export function giveSizes(): void {
  vi.spyOn(HTMLElement.prototype, 'getBoundingClientRect').mockImplementation(function (
    this: HTMLElement
  ) {
    if (this.matches('.rows')) {
      const scroller = this.closest('.pane') as HTMLElement;
      return new DOMRect(0, 25 - scroller.scrollTop, 1000, this.offsetHeight);
    }
    return new DOMRect(0, 0, 1000, HEIGHT);
  });
}

/** Put a list into the page, alone. */
export function mount<Kind extends List>(list: Kind): Kind {
  const body = document.createElement('div');
  body.append(list.element);
  document.body.replaceChildren(body);
  list.setNarrow(false);
  return list;
}

export function rowsOf(list: List): HTMLElement[] {
  return [...list.element.querySelectorAll<HTMLElement>('.rows > .row')];
}

/** The names of the rows that are drawn, from top to bottom. */
/** What a row is about; a worker's way stands behind its name. */
function nameIn(row: HTMLElement): string {
  const name = row.querySelector('.id, .who > :nth-child(2)');
  return name?.textContent ?? '';
}

export function names(list: List): string[] {
  return rowsOf(list).map(nameIn);
}

export function rowNamed(list: List, name: string): HTMLElement {
  const row = rowsOf(list).find(found => nameIn(found) === name);
  if (!row) {
    throw new Error(`There is no row ${name} among ${names(list).join(', ')}.`);
  }
  return row;
}

export function textOf(row: Element, selector: string): string {
  return (row.querySelector(selector)?.textContent ?? '').replaceAll('\u00a0', ' ');
}

export function press(target: Element, key: string): void {
  target.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
  );
}

export function click(target: Element | null): void {
  target?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
}

export function header(list: List, text: string): HTMLButtonElement {
  const found = [...list.element.querySelectorAll<HTMLButtonElement>('.sort')].find(
    button => button.textContent === text
  );
  if (!found) {
    throw new Error(`There is no header ${text}.`);
  }
  return found;
}
