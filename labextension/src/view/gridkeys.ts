/** The keys of the tree of objects: one stop of Tab, then the arrows. */

import type { Line } from './tree';

/** What the keys can do to the grid. */
export interface Grid {
  readonly length: number;
  at(index: number): Line | undefined;
  indexOf(key: string): number;
  elementOf(key: string): HTMLElement | null;
  /** Bring a row into sight and give it the focus. */
  focusRow(index: number): void;
  focusHeader(): void;
  toggle(key: string, open: boolean): void;
  /** How many rows fit into what is seen. */
  page(): number;
}

/** The buttons of a row that can be pressed now. */
function buttonsOf(row: HTMLElement): HTMLButtonElement[] {
  return [...row.querySelectorAll<HTMLButtonElement>('button')].filter(
    button => !button.disabled && (button.checkVisibility?.() ?? !button.hidden)
  );
}

/** Do what a key means; what means nothing here is left to others. */
export function onGridKey(event: KeyboardEvent, grid: Grid): void {
  const target = event.target as HTMLElement;
  const row = target.closest<HTMLElement>('.row');
  const at = grid.indexOf(row?.dataset['key'] ?? '');
  const line = grid.at(at);
  if (!row || !line || event.altKey || event.ctrlKey || event.metaKey) {
    return;
  }
  const did = target === row ? rowKey(event.key, row, at, line, grid) : buttonKey();
  if (did) {
    event.preventDefault();
    event.stopPropagation();
  }

  /** On a button, left and right go from one to the next, and back to the row. */
  function buttonKey(): boolean {
    const buttons = buttonsOf(row as HTMLElement);
    const place = buttons.indexOf(target as HTMLButtonElement);
    if (event.key === 'ArrowRight') {
      buttons[place + 1]?.focus();
      return true;
    }
    if (event.key === 'ArrowLeft') {
      (buttons[place - 1] ?? (row as HTMLElement)).focus();
      return true;
    }
    if (event.key === 'Escape') {
      (row as HTMLElement).focus();
      return true;
    }
    return event.key.startsWith('Arrow') && move(event.key, at, grid);
  }
}

function move(key: string, at: number, grid: Grid): boolean {
  const last = grid.length - 1;
  const to: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: last,
    PageDown: Math.min(last, at + grid.page()),
    PageUp: Math.max(0, at - grid.page())
  };
  const next = to[key];
  if (next === undefined) {
    return false;
  }
  if (next < 0) {
    grid.focusHeader();
  } else if (next <= last) {
    grid.focusRow(next);
  }
  return true;
}

function rowKey(
  key: string,
  row: HTMLElement,
  at: number,
  line: Line,
  grid: Grid
): boolean {
  const isBranch = line.kind === 'object' && line.branch;
  const isOpen = line.kind === 'object' && line.open;
  switch (key) {
    case 'ArrowRight':
      if (isBranch && !isOpen) {
        grid.toggle(line.key, true);
      } else {
        buttonsOf(row)[0]?.focus();
      }
      return true;
    case 'ArrowLeft':
      if (isBranch && isOpen) {
        grid.toggle(line.key, false);
      } else if (line.parent !== null) {
        grid.focusRow(grid.indexOf(line.parent));
      }
      return true;
    case 'Enter':
      if (isBranch) {
        grid.toggle(line.key, !isOpen);
      } else {
        buttonsOf(row)
          .find(button => button.matches('.fault, .link'))
          ?.click();
      }
      return true;
    default:
      return move(key, at, grid);
  }
}
