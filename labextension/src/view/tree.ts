/**
 * Objects as the lines of a tree: what was reached through another below it, chains of
 * single objects as one line, and a chain that was cut in its place.
 */

import type { PathRow } from '../paths';
import type { ChainRow, ObjectRow } from '../snapshot';
import { callsOf } from './history';

/** A line for an object, or for a chain of objects of which each has only the next. */
export interface ObjectLine {
  readonly kind: 'object';
  /** The same as long as the line stands for the same object. */
  readonly key: string;
  /** The last object of the chain, or all of its path: its numbers are the line's. */
  row: PathRow;
  /** From 0 for a shared one; what is drawn, not the length of the chain. */
  readonly depth: number;
  /** What comes after the parent's path, its head and its end. */
  readonly front: string;
  readonly tail: string;
  readonly parent: string | null;
  /** Whether it can be opened, whether it is, and how many objects are below it. */
  readonly branch: boolean;
  readonly open: boolean;
  readonly below: number;
  position: number;
  siblings: number;
}

/** A line for a path that was cut. */
export interface CutLine {
  readonly kind: 'cut';
  readonly key: string;
  readonly chain: ChainRow;
  readonly depth: number;
  readonly front: string;
  readonly parent: string | null;
  position: number;
  siblings: number;
}

export type Line = ObjectLine | CutLine;

/** A branch of the tree, before it is known which lines are seen. */
export interface Branch {
  readonly key: string;
  readonly row: PathRow;
  readonly label: string;
  readonly parentPath: string;
  readonly branches: Branch[];
  readonly cuts: readonly Cut[];
  /** Objects below it, those merged into it not counted. */
  readonly below: number;
  /** Whether a chain was cut at it or below it. */
  readonly isCut: boolean;
}

interface Cut {
  readonly chain: ChainRow;
  readonly label: string;
}

/** An end of a name of at most so many characters is shortened last. */
const TAIL_CHARS = 12;

/** A single step that is longer is split in the middle of it. */
const STEP_CHARS = 16;

/** So many more calls than its only child, and an object is more than a way to it. */
const OWN_CALLS = 16;

/** What of a path comes after the path it was reached through. */
export function labelOf(path: string, parent: string | null): string {
  return parent !== null && parent !== '' && path.startsWith(parent)
    ? path.slice(parent.length) || path
    : path;
}

/**
 * Split a name so that its end is seen where there is little room: whole steps of a path,
 * or the last characters of one that is long.
 */
export function splitName(name: string): [front: string, tail: string] {
  const steps = (name.match(/\.?[^.[(]*(?:\[[^\]]*\]?|\([^)]*\)?)*/g) ?? [name]).filter(
    Boolean
  );
  const last = steps.at(-1) ?? '';
  if (last.length > STEP_CHARS) {
    return [name.slice(0, -TAIL_CHARS), name.slice(-TAIL_CHARS)];
  }
  let tail = steps.length > 1 ? last : '';
  for (let at = steps.length - 2; at > 0; at -= 1) {
    const longer = (steps[at] ?? '') + tail;
    if (longer.length > TAIL_CHARS) {
      break;
    }
    tail = longer;
  }
  return [name.slice(0, name.length - tail.length), tail];
}

/**
 * The tree of a session's objects. It remembers which objects have once had a line of
 * their own, so that lines do not come and go.
 */
export class Tree {
  /** The shared objects, in the order of sharing. */
  roots: Branch[] = [];

  readonly #apart = new Set<number>();

  /** Take in the objects and cut chains of now. */
  update(rows: readonly PathRow[], chains: readonly ChainRow[]): void {
    const known = new Set(rows.map(row => row.idx));
    const children = new Map<number | null, PathRow[]>();
    for (const row of rows) {
      const parent = row.parent !== null && known.has(row.parent) ? row.parent : null;
      const siblings = children.get(parent);
      if (siblings) {
        siblings.push(row);
      } else {
        children.set(parent, [row]);
      }
    }
    for (const idx of this.#apart) {
      if (!known.has(idx)) {
        this.#apart.delete(idx);
      }
    }
    const cuts = cutsByObject(rows, chains);
    this.roots = (children.get(null) ?? []).map(row =>
      this.#branch(row, '', children, cuts, true)
    );
  }

  #branch(
    first: PathRow,
    parentPath: string,
    children: ReadonlyMap<number | null, PathRow[]>,
    cuts: ReadonlyMap<number, Cut[]>,
    isRoot: boolean
  ): Branch {
    let row = first;
    let below = children.get(row.idx) ?? [];
    while (!isRoot && this.#isOnlyAWay(row, below, cuts)) {
      row = below[0] as PathRow;
      below = children.get(row.idx) ?? [];
    }
    const branches = below.map(child =>
      this.#branch(child, row.path, children, cuts, false)
    );
    const ends = cuts.get(row.idx) ?? [];
    return {
      key: `o${first.idx}`,
      row,
      label: labelOf(row.path, parentPath),
      parentPath,
      branches,
      cuts: ends,
      below: branches.reduce((sum, branch) => sum + 1 + branch.below, 0),
      isCut: ends.length > 0 || branches.some(branch => branch.isCut)
    };
  }

  /** Nothing happens at it but that its only child is reached through it. */
  #isOnlyAWay(
    row: ObjectRow,
    below: readonly ObjectRow[],
    cuts: ReadonlyMap<number, Cut[]>
  ): boolean {
    const child = below[0];
    if (child === undefined || this.#apart.has(row.idx)) {
      return false;
    }
    const isWay =
      below.length === 1 &&
      !cuts.has(row.idx) &&
      row.error === null &&
      callsOf(row) <= 2 * callsOf(child) + OWN_CALLS;
    if (!isWay) {
      this.#apart.add(row.idx);
    }
    return isWay;
  }
}

/** Find for each cut chain the object where it was cut: the longest path it begins with. */
function cutsByObject(
  rows: readonly ObjectRow[],
  chains: readonly ChainRow[]
): Map<number, Cut[]> {
  const found = new Map<number, Cut[]>();
  for (const chain of chains) {
    let last: ObjectRow | null = null;
    for (const row of rows) {
      if (
        chain.path.startsWith(row.path) &&
        /^[.[(]/.test(chain.path.slice(row.path.length)) &&
        (last === null || row.path.length > last.path.length)
      ) {
        last = row;
      }
    }
    if (last !== null) {
      const cut = { chain, label: labelOf(chain.path, last.path) };
      found.set(last.idx, [...(found.get(last.idx) ?? []), cut]);
    }
  }
  return found;
}

/** What decides which lines are seen, and in which order. */
export interface Choice {
  isOpen(branch: Branch): boolean;
  /** Order siblings, or null for the order of sharing. */
  readonly compare: ((a: Branch, b: Branch) => number) | null;
  /** What is looked for, in small letters, or nothing. */
  readonly find: string;
}

/** Whether an object is itself what is looked for, and not only its parent. */
export function matches(branch: Branch, find: string): boolean {
  const path = branch.row.path.toLowerCase();
  return (
    branch.label.toLowerCase().includes(find) ||
    branch.row.type.toLowerCase().includes(find) ||
    (path.includes(find) && !branch.parentPath.toLowerCase().includes(find))
  );
}

/** Lay the tree out as the lines that are seen. */
export function linesOf(roots: readonly Branch[], choice: Choice): Line[] {
  const lines: Line[] = [];
  const add = (
    branches: readonly Branch[],
    cuts: readonly Cut[],
    depth: number,
    parent: string | null
  ): void => {
    const seen = choice.find
      ? branches.filter(branch => holds(branch, choice.find))
      : branches;
    const ordered = choice.compare ? [...seen].sort(choice.compare) : seen;
    const siblings = ordered.length + cuts.length;
    ordered.forEach((branch, at) => {
      const found = choice.find !== '' && matches(branch, choice.find);
      // What is found shows what it was cut from; what only leads to it does not.
      const ends = choice.find && !found ? [] : branch.cuts;
      const leads =
        choice.find !== '' && branch.branches.some(b => holds(b, choice.find));
      const open = leads || choice.isOpen(branch);
      const [front, tail] = splitName(branch.label);
      lines.push({
        kind: 'object',
        key: branch.key,
        row: branch.row,
        depth,
        front,
        tail,
        parent,
        branch: branch.branches.length + branch.cuts.length > 0,
        open,
        below: branch.below,
        position: at + 1,
        siblings
      });
      if (open) {
        add(branch.branches, ends, depth + 1, branch.key);
      }
    });
    cuts.forEach((cut, at) => {
      lines.push({
        kind: 'cut',
        key: `c${cut.chain.max_level}:${cut.chain.path}`,
        chain: cut.chain,
        depth,
        front: cut.label,
        parent,
        position: ordered.length + at + 1,
        siblings
      });
    });
  };
  add(roots, [], 0, null);
  return lines;
}

/** Whether an object or one below it is looked for. */
export function holds(branch: Branch, find: string): boolean {
  return matches(branch, find) || branch.branches.some(child => holds(child, find));
}
