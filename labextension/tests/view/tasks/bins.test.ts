import { describe, expect, it } from 'vitest';
import { BINS, Bins, noSpell, stepOf } from '../../../src/view/tasks/bins';
import { START } from '../support';

const spent = (computing: number, known: number, values = {}) => ({
  ...noSpell(),
  computing,
  known,
  ...values
});

function read(
  bins: Bins,
  span: number,
  time: number
): ReturnType<typeof noSpell> | null {
  const into = noSpell();
  const bin = Math.floor(time / stepOf(span));
  return bins.read(span, bin, into) ? { ...into } : null;
}

describe('bins', () => {
  it('spread what was spent evenly over the time it was spent in', () => {
    const bins = new Bins();
    bins.add(START, START + 1, spent(0.5, 1));
    for (const time of [0, 0.25, 0.5, 0.75]) {
      expect(read(bins, 60, START + time)?.computing).toBeCloseTo(0.5);
    }
    expect(read(bins, 60, START + 1)).toBeNull();
    expect(read(bins, 60, START - 0.1)).toBeNull();
  });

  it('give shares of what is known, where a bin is not over', () => {
    const bins = new Bins();
    bins.add(START, START + 0.1, spent(0.1, 0.1));
    expect(read(bins, 60, START)?.computing).toBeCloseTo(1);
  });

  it('count a task where it ended, whatever the span', () => {
    const bins = new Bins();
    bins.add(START, START + 1, spent(1, 1, { tasks: 3, failed: 1, run: 7 }));
    expect(read(bins, 60, START + 0.8)).toMatchObject({ tasks: 3, failed: 1, run: 7 });
    expect(read(bins, 60, START)?.tasks).toBe(0);
    expect(read(bins, 900, START + 0.8)?.tasks).toBe(3);
  });

  it('keep as many as a span has, and forget older ones', () => {
    const bins = new Bins();
    bins.add(START, START + 0.25, spent(0.25, 0.25));
    bins.add(START + 70, START + 70.25, spent(0.25, 0.25));
    expect(read(bins, 60, START)).toBeNull();
    expect(read(bins, 60, START + 70)?.computing).toBeCloseTo(1);
    expect(read(bins, 900, START)?.computing).toBeCloseTo(1);
  });

  it('take no longer where nobody looked for hours', () => {
    const bins = new Bins();
    bins.add(START, START + 36_000, spent(18_000, 36_000));
    const last = Math.floor((START + 36_000) / stepOf(60)) - 1;
    const into = noSpell();
    const known = Array.from({ length: BINS }, (_, back) =>
      bins.read(60, last - back, into) ? into.computing : 0
    );
    expect(Math.min(...known)).toBeCloseTo(0.5, 1);
  });
});
