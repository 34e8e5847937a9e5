import { describe, expect, it } from 'vitest';
import type { ChainRow } from '../../src/snapshot';
import {
  type Choice,
  labelOf,
  type Line,
  linesOf,
  splitName,
  Tree
} from '../../src/view/tree';
import { chained, golden, object } from './support';

const ALL: Choice = { isOpen: () => true, compare: null, find: '' };

function drawn(lines: readonly Line[]): string[] {
  return lines.map(line => {
    const name = line.kind === 'cut' ? `cut ${line.front}` : line.front + line.tail;
    return '  '.repeat(line.depth) + name;
  });
}

function chain(path: string, values: Partial<ChainRow> = {}): ChainRow {
  return {
    key: 'cut',
    path,
    type: 'ndarray',
    level: 8,
    max_level: 7,
    cuts: 37,
    ...values
  };
}

describe('the tree of objects', () => {
  it('has chained objects below what they were reached through', () => {
    const tree = new Tree();
    tree.update(golden.objects, golden.chains ?? []);
    expect(drawn(linesOf(tree.roots, ALL))).toEqual([
      'df',
      'cache',
      'root',
      '  .next',
      '    cut .next',
      'grid'
    ]);
  });

  it('draws a chain of single objects as one line, with the numbers of the last', () => {
    const tree = new Tree();
    tree.update(
      [
        object(1, 'model'),
        chained(2, 1, 'model.steps', { level: 1 }),
        chained(3, 2, 'model.steps.forest', { level: 2, type: 'Forest', executes: 9 })
      ],
      []
    );
    const lines = linesOf(tree.roots, ALL);
    expect(drawn(lines)).toEqual(['model', '  .steps.forest']);
    expect(lines[1]).toMatchObject({ row: { idx: 3, level: 2 }, branch: false });
  });

  it('gives an object a line of its own once it is called for itself', () => {
    const tree = new Tree();
    const objects = (calls: number) => [
      object(1, 'model'),
      chained(2, 1, 'model.forest', { executes: calls }),
      chained(3, 2, 'model.forest.tree', { level: 2, gets: 30 })
    ];
    tree.update(objects(0), []);
    expect(drawn(linesOf(tree.roots, ALL))).toEqual(['model', '  .forest.tree']);
    const key = linesOf(tree.roots, ALL)[1]?.key;
    tree.update(objects(500), []);
    expect(drawn(linesOf(tree.roots, ALL))).toEqual([
      'model',
      '  .forest',
      '    .tree'
    ]);
    expect(linesOf(tree.roots, ALL)[1]?.key).toBe(key);
    // It does not lose it again, so that lines do not come and go.
    tree.update(objects(0), []);
    expect(linesOf(tree.roots, ALL)).toHaveLength(3);
  });

  it('does not merge an object whose error would be hidden', () => {
    const tree = new Tree();
    tree.update(
      [
        object(1, 'model'),
        chained(2, 1, 'model.forest', {
          last_error: 'KeyError: 1',
          error: { key: 'k', type: 'KeyError', time: 1 }
        }),
        chained(3, 2, 'model.forest.tree', { level: 2 })
      ],
      []
    );
    expect(linesOf(tree.roots, ALL)).toHaveLength(3);
  });

  it('puts a cut chain at the object where it was cut, not at one named alike', () => {
    const tree = new Tree();
    tree.update(
      [object(1, 'mod'), object(2, 'model'), chained(3, 2, 'model.a')],
      [chain('model.a.base'), chain('models.x')]
    );
    expect(drawn(linesOf(tree.roots, ALL))).toEqual([
      'mod',
      'model',
      '  .a',
      '    cut .base'
    ]);
  });

  it('tells two cuts of one path by their limits', () => {
    const tree = new Tree();
    tree.update(
      [object(1, 'model')],
      [chain('model.a', { max_level: 7 }), chain('model.a', { max_level: 3 })]
    );
    const keys = linesOf(tree.roots, ALL).map(line => line.key);
    expect(new Set(keys).size).toBe(3);
  });

  it('says of each line which of how many it is', () => {
    const tree = new Tree();
    tree.update(golden.objects, golden.chains ?? []);
    const lines = linesOf(tree.roots, ALL);
    expect(lines.map(line => [line.position, line.siblings])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [1, 1],
      [1, 1],
      [4, 4]
    ]);
  });

  it('leaves out what is below a closed line, and counts it', () => {
    const tree = new Tree();
    tree.update([object(1, 'a'), chained(2, 1, 'a.x'), chained(3, 1, 'a.y')], []);
    const lines = linesOf(tree.roots, { ...ALL, isOpen: () => false });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ open: false, branch: true, below: 2 });
  });

  it('keeps the ancestors of what is looked for, and opens them', () => {
    const tree = new Tree();
    tree.update(
      [
        object(1, 'model'),
        chained(2, 1, 'model.forest'),
        chained(3, 1, 'model.scaler'),
        object(4, 'other')
      ],
      []
    );
    const find = { ...ALL, isOpen: () => false, find: 'forest' };
    expect(drawn(linesOf(tree.roots, find))).toEqual(['model', '  .forest']);
  });

  it('finds an object by its type, and by a path that spans two lines', () => {
    const tree = new Tree();
    tree.update(
      [object(1, 'a', { type: 'DataFrame' }), chained(2, 1, 'a.b'), object(3, 'c')],
      []
    );
    expect(drawn(linesOf(tree.roots, { ...ALL, find: 'dataf' }))).toEqual(['a']);
    expect(drawn(linesOf(tree.roots, { ...ALL, find: 'a.b' }))).toEqual(['a', '  .b']);
  });

  it('shows an object whose parent is gone at the top', () => {
    const tree = new Tree();
    tree.update([chained(2, 1, 'a.b')], []);
    expect(drawn(linesOf(tree.roots, ALL))).toEqual(['a.b']);
  });
});

describe('a name', () => {
  it.each([
    ['.estimators_[0].tree_.value.T.flat', '.T.flat'],
    ['.named_steps.forest', '.forest'],
    ['.shape', ''],
    ["['a.b'].x", '.x'],
    ['.groupby().mean()', '.mean()'],
    ['.named_steps.random_forest_one', 'm_forest_one'],
    ['.steps.estimators_', '.estimators_'],
    ['features_of_train_2023', 'f_train_2023'],
    ['flights', '']
  ])('%s has the end %s, which is shortened last', (name, tail) => {
    expect(splitName(name)).toEqual([name.slice(0, name.length - tail.length), tail]);
  });

  it('is what comes after the path it was reached through', () => {
    expect(labelOf('df.loc[3]', 'df')).toBe('.loc[3]');
    expect(labelOf('long...er.x', 'longest')).toBe('long...er.x');
    expect(labelOf('df', null)).toBe('df');
  });
});
