import { describe, expect, it } from 'vitest';
import { countTop, membersOf, Paths, type PathRow } from '../src/paths';
import type { ObjectRow } from '../src/snapshot';
import { StatusModel } from '../src/status_model';
import { sayOf } from '../src/view/state';
import { snapshot } from './lab/kernel';
import { chained, golden, object } from './view/support';

/** What a worker holds that has taken two steps fourteen times: those between are gone. */
function held(count: number, first = 3, values: Partial<ObjectRow> = {}): ObjectRow[] {
  return Array.from({ length: count }, (_, at) =>
    chained(first + 2 * at, first + 2 * at - 1, 'model.deeper.deeper', {
      level: 2,
      ...values
    })
  );
}

const told = (rows: readonly PathRow[]): string[] =>
  rows.map(row => `${row.parent ?? ''} ${row.path} ×${membersOf(row).length}`);

describe('objects of one path', () => {
  it('are one row below the nearest object that is there, with how many live', () => {
    const rows = new Paths().gather([object(1, 'model'), ...held(14)]);
    expect(told(rows)).toEqual([' model ×1', '1 model.deeper.deeper ×14']);
  });

  it('are added up, and the fullest buffer stands for all', () => {
    const early = { key: 'early', type: 'ValueError', time: 5 };
    const late = { key: 'late', type: 'KeyError', time: 9 };
    const rows = held(3, 3, { executes: 5, bytes_in: 10, last: 40, pids: [7] });
    rows[0] = { ...(rows[0] as ObjectRow), last_error: 'KeyError: 1', error: late };
    const last = chained(99, 98, 'model.deeper.deeper', {
      ...{ level: 2, executes: 1, last: 7, peak: 90, last_error: 'ValueError: 2' },
      error: early,
      pids: [7, 8]
    });
    const [, sum] = new Paths().gather([object(1, 'model'), ...rows, last]);
    expect(sum).toMatchObject({
      ...{ executes: 16, bytes_in: 30, last: 40, peak: 90, pids: [7, 8] },
      last_error: 'KeyError: 1',
      error: late
    });
  });

  it('keep the number of their row while they come and go', () => {
    const paths = new Paths();
    const root = object(1, 'model');
    const idx = paths.gather([root, ...held(14)])[1]?.idx;
    expect(paths.gather([root, ...held(2, 25)])[1]?.idx).toBe(idx);
    expect(paths.gather([root, ...held(1, 51)])[1]).toMatchObject({ idx, parent: 1 });
    paths.gather([root]);
    expect(paths.gather([root, ...held(1, 61)])[1]?.idx).toBe(61);
  });

  it('of two shared objects are two rows, also where these have one name', () => {
    const rows = new Paths().gather([
      object(1, 'list'),
      object(2, 'list'),
      chained(3, 1, 'list[]'),
      chained(4, 2, 'list[]'),
      chained(5, 1, 'list[]')
    ]);
    expect(told(rows)).toEqual([' list ×1', ' list ×1', '1 list[] ×2', '2 list[] ×1']);
  });

  it('are found below a step that is there', () => {
    const rows = new Paths().gather([
      object(1, 'model'),
      chained(2, 1, 'model.steps', { level: 1 }),
      chained(9, 8, 'model.steps[].tree', { level: 3 })
    ]);
    expect(told(rows)[2]).toBe('2 model.steps[].tree ×1');
  });

  it('may lie in a circle, which a path that grew shorter has left behind', () => {
    const rows = new Paths().gather([
      chained(2, 3, 'a.b', { level: 1 }),
      chained(3, 2, 'a.c', { level: 2 })
    ]);
    expect(told(rows)).toEqual([' a.b ×1', '2 a.c ×1']);
  });

  it('that are alone are the row that came', () => {
    const rows = golden.objects;
    new Paths().gather(rows).forEach((row, at) => expect(row).toBe(rows[at]));
  });

  it('are not counted as shared: sentence, status bar and list say one number', () => {
    const objects = [object(1, 'model'), ...held(14), object(50, 'other')];
    const now = snapshot(1, { objects });
    const model = new StatusModel();
    model.take(now, 0);
    expect(countTop(objects)).toBe(2);
    expect(model.shared).toBe(2);
    expect(sayOf(now, 'live', 0, 0).sentence).toMatch(/^Serving 2 objects/);
  });
});
