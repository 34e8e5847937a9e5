import { describe, expect, it } from 'vitest';
import { depthOf, segmentsOf } from '../../src/view/plot';

describe('a line', () => {
  it('is broken where nothing is known', () => {
    expect(segmentsOf([1, 2, null, 4, 5, null])).toEqual([
      [0, 1],
      [3, 4]
    ]);
    expect(segmentsOf([null])).toEqual([]);
    expect(segmentsOf([1, 2, 3], [1, null, 3])).toEqual([
      [0, 0],
      [2, 2]
    ]);
  });

  it('is as far from the top as its value says', () => {
    const frame = { span: 60, range: [0, 10], isLogarithmic: false } as const;
    expect([0, 5, 10].map(value => depthOf(value, frame))).toEqual([1, 0.5, 0]);
    const wide = { span: 60, range: [1, 100], isLogarithmic: true } as const;
    expect(depthOf(10, wide)).toBeCloseTo(0.5);
    expect(Number.isFinite(depthOf(0, wide))).toBe(true);
  });
});
