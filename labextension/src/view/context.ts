/** What the lists need from the rest of the view. */

import type {
  ChainRow,
  ClusterRow,
  EndedRow,
  ErrorRow,
  ObjectRow,
  WorkerRow
} from '../snapshot';
import type { Command } from '../source';
import type { WorkerShares } from './tasks/spent';

/** A session as the lists draw it: whole, whatever came last was a tick or not. */
export interface ListState {
  /** The kernel's clock, seconds since the epoch. */
  readonly time: number;
  /** In the order of sharing. A row that has not changed is the same object as before. */
  readonly objects: readonly ObjectRow[];
  readonly workers: readonly WorkerRow[];
  readonly ended: readonly EndedRow[];
  /** The same array as before where they have not changed. */
  readonly errors: readonly ErrorRow[];
  /** How many kinds of error there were; the list has the newest of them. */
  readonly errorKinds: number;
  readonly chains: readonly ChainRow[];
  readonly clusters: readonly ClusterRow[];
}

export interface ListContext {
  /** Calls per second to an object, and by a worker; null where it is not known. */
  rate(idx: number): number | null;
  workerRate(pid: number): number | null;
  /** Share of the last minute's frames that were larger than the buffer, from 0 to 1. */
  beside(idx: number): number;
  /** What a worker's time went into over the span shown; null where that is not known. */
  spent(row: WorkerRow): WorkerShares | null;
  /** The name of the function of a run. */
  functionOf(run: number | null): string | null;
  send(command: Command): void;
  copy(text: string): void;
  /** Show a kind of error, by its key. */
  showError(key: string): void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

/** What the tabs say of a list. */
export interface ListCount {
  /** "6", or "1 of 6" while something is looked for. */
  readonly text: string;
  /** What is wrong in it, such as "1 killed", or empty. */
  readonly trouble: string;
}

/** One of the lists. */
export interface List {
  readonly element: HTMLElement;
  update(state: ListState): void;
  /** Show what holds this text only; all where it is empty. */
  find(text: string): void;
  count(): ListCount;
  /** Be a section of a narrow panel, or a pane of a wide view. */
  setNarrow(narrow: boolean): void;
  /** Offer commands, or not, where there is no kernel to take them. */
  setLive(live: boolean): void;
  /** Forget what was until now. */
  clear(): void;
  dispose(): void;
}
