import { describe, expect, it } from 'vitest';
import { compareValues, MOVE_EVERY_MS, nextOrder, Pace } from '../../src/view/sort';

describe('sorting', () => {
  it('begins with the largest number, and the third click undoes it', () => {
    const first = nextOrder(null, 'rate', true);
    expect(first).toEqual({ column: 'rate', direction: 'descending' });
    const second = nextOrder(first, 'rate', true);
    expect(second).toEqual({ column: 'rate', direction: 'ascending' });
    expect(nextOrder(second, 'rate', true)).toBeNull();
  });

  it('begins with the first word, and with another column anew', () => {
    const first = nextOrder({ column: 'rate', direction: 'ascending' }, 'name', false);
    expect(first).toEqual({ column: 'name', direction: 'ascending' });
  });

  it('knows numbers in words, and puts what is not known last either way', () => {
    expect(compareValues('w-2', 'w-10', 'ascending')).toBeLessThan(0);
    expect(compareValues(null, 1, 'ascending')).toBeGreaterThan(0);
    expect(compareValues(null, 1, 'descending')).toBeGreaterThan(0);
    expect(compareValues(1, 2, 'descending')).toBeGreaterThan(0);
  });

  it('lets rows move every two seconds, and never under the user', () => {
    const pace = new Pace();
    expect(pace.mayMove(0, false)).toBe(true);
    expect(pace.mayMove(MOVE_EVERY_MS - 1, false)).toBe(false);
    expect(pace.mayMove(MOVE_EVERY_MS, true)).toBe(false);
    expect(pace.mayMove(MOVE_EVERY_MS + 1, false)).toBe(true);
    pace.reset();
    expect(pace.mayMove(MOVE_EVERY_MS + 2, false)).toBe(true);
  });
});
