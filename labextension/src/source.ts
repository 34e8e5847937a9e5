/** Where the view gets what it draws, and what it can have done: its only door. */

import type { Snapshot } from './snapshot';

/** Why there is nothing live to draw. */
export type Absence =
  | { kind: 'waiting' }
  | { kind: 'no-kernel' }
  | { kind: 'not-loaded' }
  | { kind: 'language'; language: string }
  | { kind: 'silent' }
  | { kind: 'dead' }
  | { kind: 'saved'; snapshot: Snapshot };

/** A snapshot is a whole one: what comes as ticks, its source puts together. */
export type Update =
  { kind: 'snapshot'; snapshot: Snapshot } | { kind: 'absence'; absence: Absence };

/** The snapshot that there is to draw, live or saved. */
export function snapshotOf(update: Update): Snapshot | null {
  if (update.kind === 'snapshot') {
    return update.snapshot;
  }
  return update.absence.kind === 'saved' ? update.absence.snapshot : null;
}

export interface Command {
  name: 'unshare' | 'unshare_all' | 'reset_peaks';
  args: Record<string, unknown>;
}

export interface Source {
  /** What is known now; the view begins with it. */
  current(): Update;
  /** Be told of all that comes; call what is returned to be told no more. */
  subscribe(listener: (update: Update) => void): () => void;
  /** Say whether anybody can see the view; nothing is sent to one that is hidden. */
  setVisible(visible: boolean): void;
  /**
   * Have something done. Resolves when the kernel has done it, which may take as long
   * as a cell runs; rejects with what the kernel says against it.
   */
  send(command: Command, withdrawn?: AbortSignal): Promise<void>;
  /** What the host can do besides; what is missing is not offered. */
  readonly host: {
    /** The name of the notebook, where there are several. */
    title?: string;
    insertCell?(code: string, run: boolean): void;
    changeKernel?(): void;
  };
}
