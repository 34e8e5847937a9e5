/**
 * Objects by path: what was reached the same way from the same shared object is one row,
 * with how many of it live.
 *
 * `for part in model: part.weights` makes an object each time, of one path. The objects
 * between may be gone while those reached through them live: a row stands below the next
 * that is there.
 */

import type { ObjectRow } from './snapshot';

/** A row of one path. Where it stands for one object, it is the row of that object. */
export interface PathRow extends ObjectRow {
  /** Numbers of the objects; missing where it is one. */
  readonly members?: readonly number[];
}

/** The numbers of the objects that a row stands for. */
export function membersOf(row: PathRow): readonly number[] {
  return row.members ?? [row.idx];
}

/** How many objects are reached directly: what a list of them has at its top. */
export function countTop(rows: readonly ObjectRow[]): number {
  return new Paths().gather(rows).filter(row => row.parent === null).length;
}

interface Group {
  readonly key: string;
  readonly rows: ObjectRow[];
  /** The number of the row, which stays while objects come and go. */
  idx: number;
}

/** Ends of steps of a path: ".a", "[0]" and "()". */
const STEP = /[.[(]/g;

/** Gathers rows by path, and gives a row the same number as before. */
export class Paths {
  #numbers = new Map<string, number>();

  /**
   * Gather the objects of now.
   *
   * @param rows - The objects, in the order of sharing.
   * @returns Rows in the same order, each with the row that it stands below for parent.
   */
  gather(rows: readonly ObjectRow[]): PathRow[] {
    const known = new Map(rows.map(row => [row.idx, row]));
    const groups = new Map<string, Group>();
    const groupOf = new Map<number, Group>();
    const roots = new Map<string, number>();
    for (const row of rows) {
      if (isShared(row) && !roots.has(row.path)) {
        roots.set(row.path, row.idx);
      }
    }
    for (const row of rows) {
      const key = keyOf(row, rootOf(row, known, roots), row.path);
      const group = groups.get(key);
      if (group) {
        group.rows.push(row);
        groupOf.set(row.idx, group);
      } else {
        const made = { key, rows: [row], idx: row.idx };
        groups.set(key, made);
        groupOf.set(row.idx, made);
      }
    }
    this.#number(groups);
    return [...groups.values()].map(group => {
      const [first] = group.rows as [ObjectRow];
      const above = isShared(first)
        ? null
        : parentOf(group, known, groupOf, groups, roots);
      const parent = above?.idx ?? null;
      const { idx } = group;
      if (group.rows.length > 1) {
        return { ...sumOf(group.rows), idx, parent };
      }
      const isSame = first.idx === idx && first.parent === parent;
      return isSame ? first : { ...first, idx, parent, members: [first.idx] };
    });
  }

  /** Give each row the number it had; a new one that of its first object. */
  #number(groups: ReadonlyMap<string, Group>): void {
    const before = this.#numbers;
    this.#numbers = new Map();
    const taken = new Set<number>();
    for (const group of groups.values()) {
      const idx = before.get(group.key);
      if (idx !== undefined) {
        group.idx = idx;
        taken.add(idx);
        this.#numbers.set(group.key, idx);
      }
    }
    for (const group of groups.values()) {
      if (!this.#numbers.has(group.key)) {
        group.idx = group.rows.find(row => !taken.has(row.idx))?.idx ?? group.idx;
        taken.add(group.idx);
        this.#numbers.set(group.key, group.idx);
      }
    }
  }
}

/** Whether an object is shared itself, and not reached through another. */
function isShared(row: ObjectRow): boolean {
  return row.parent === null;
}

/** Whether one may stand above another. An iterator has the level of its object. */
function isAbove(above: ObjectRow, row: ObjectRow): boolean {
  return (
    above.level < row.level ||
    (above.level === row.level && above.path.length < row.path.length)
  );
}

/** What is shared without a name may have the name of another: it has its own number. */
function keyOf(row: ObjectRow, root: number | string, path: string): string {
  return isShared(row) ? `${row.idx}` : `${root}:${path}`;
}

/** The shared object that a row was reached through: its number, or its name. */
function rootOf(
  row: ObjectRow,
  known: ReadonlyMap<number, ObjectRow>,
  roots: ReadonlyMap<string, number>
): number | string {
  let top = row;
  // A path becomes shorter where a shorter one is found: never go round in a circle.
  for (let steps = 0; top.parent !== null && steps <= known.size; steps += 1) {
    const above = known.get(top.parent);
    if (above === undefined) {
      break;
    }
    top = above;
  }
  return isShared(top) ? top.idx : (roots.get(row.root) ?? row.root);
}

/** The row that another one stands below: the nearest that is there. */
function parentOf(
  group: Group,
  known: ReadonlyMap<number, ObjectRow>,
  groupOf: ReadonlyMap<number, Group>,
  groups: ReadonlyMap<string, Group>,
  roots: ReadonlyMap<string, number>
): Group | null {
  const [first] = group.rows as [ObjectRow];
  for (const row of group.rows) {
    const above = row.parent === null ? undefined : groupOf.get(row.parent);
    if (above && isAbove(above.rows[0] as ObjectRow, first)) {
      return above;
    }
  }
  const root = rootOf(first, known, roots);
  const ends = [...first.path.matchAll(STEP)].map(found => found.index).reverse();
  for (const end of ends) {
    const above = groups.get(`${root}:${first.path.slice(0, end)}`);
    if (above && isAbove(above.rows[0] as ObjectRow, first)) {
      return above;
    }
  }
  return groups.get(`${root}`) ?? null;
}

/** Add up the rows of one path. */
function sumOf(rows: readonly ObjectRow[]): PathRow {
  const last = rows.at(-1) as ObjectRow;
  const sum = (of: (row: ObjectRow) => number): number =>
    rows.reduce((all, row) => all + of(row), 0);
  const most = (of: (row: ObjectRow) => number): number =>
    rows.reduce((largest, row) => Math.max(largest, of(row)), 0);
  const failed = rows.reduce<ObjectRow | null>(
    (newest, row) =>
      row.error && row.error.time >= (newest?.error?.time ?? 0) ? row : newest,
    null
  );
  const types = new Set(rows.map(row => row.type));
  const sizes = new Set(rows.map(row => row.size));
  return {
    ...last,
    type: [...types].join(', '),
    size: sizes.size === 1 ? last.size : '',
    level: most(row => row.level),
    gets: sum(row => row.gets),
    sets: sum(row => row.sets),
    executes: sum(row => row.executes),
    bytes_in: sum(row => row.bytes_in),
    bytes_out: sum(row => row.bytes_out),
    last: most(row => row.last),
    peak: most(row => row.peak),
    bufsize: most(row => row.bufsize),
    beside: sum(row => row.beside),
    handovers: sum(row => row.handovers),
    handed_bytes: sum(row => row.handed_bytes),
    versions: sum(row => row.versions),
    version_bytes: sum(row => row.version_bytes),
    mapped_bytes: sum(row => row.mapped_bytes),
    last_error: failed?.last_error ?? null,
    error: failed?.error ?? null,
    pids: [...new Set(rows.flatMap(row => row.pids))],
    since: Math.min(...rows.map(row => row.since)),
    members: rows.map(row => row.idx)
  };
}
