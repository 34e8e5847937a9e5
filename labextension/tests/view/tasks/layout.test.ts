import { describe, expect, it } from 'vitest';
import { Lanes } from '../../../src/view/tasks/lanes';
import { blocksOf, laneAt, laneHeight, layOut } from '../../../src/view/tasks/layout';
import { at, poolWorker } from './rows';

function lanesOf(...pools: number[]) {
  const lanes = new Lanes();
  const workers = pools.map((pool, pid) => poolWorker(pid + 1, { pool }));
  lanes.take(at(0, { workers }));
  return lanes.lanes;
}

describe('the height of a lane', () => {
  it.each([
    [1, 160, 24],
    [4, 160, 24],
    [5, 160, 16],
    [8, 160, 16],
    [12, 150, 12],
    [12, 120, 11],
    [16, 160, 8],
    [40, 160, 4],
    [64, 160, 2],
    [256, 160, 2]
  ])('of %d in %d pixels is %d', (count, room, height) => {
    expect(laneHeight(count, room)).toBe(height);
  });
});

describe('lanes', () => {
  it('of two pools stand apart', () => {
    const layout = layOut(lanesOf(1, 1, 2), 160);
    expect(layout).toEqual({ height: 24, tops: [0, 24, 54], total: 78 });
    expect(blocksOf(lanesOf(1, 1, 2))).toEqual([
      [0, 1],
      [2, 2]
    ]);
  });

  it('are found by their height', () => {
    const layout = layOut(lanesOf(1, 1, 2), 160);
    expect([0, 23, 25, 60, 77].map(y => laneAt(layout, y))).toEqual([0, 0, 1, 2, 2]);
    expect([-1, 90].map(y => laneAt(layout, y))).toEqual([-1, -1]);
  });

  it('are scrolled where there are too many', () => {
    const many = lanesOf(...Array.from({ length: 256 }, () => 1));
    expect(layOut(many, 160).total).toBe(512);
  });
});
