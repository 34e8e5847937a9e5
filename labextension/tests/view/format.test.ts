import { describe, expect, it } from 'vitest';
import golden from '../../../tests/data/formats.json';
import * as format from '../../src/view/format';
import { quantile } from '../../src/view/history';
import { clusterDoing, memoryIn } from '../../src/view/workerwords';

/** The view keeps a number and its unit on one line, which the terminal need not. */
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

/** As the table has them: what goes in, and what comes out. */
const TABLES: [string, (value: never) => string, unknown[][]][] = [
  ['bytes', format.bytes, golden.bytes],
  ['plain bytes', format.plainBytes, golden.plain_bytes],
  ['bytes a second', (value: number) => format.bytes(value, 2), golden.byte_rates],
  ['rates', format.rate, golden.rates],
  ['totals', format.total, golden.totals],
  ['times', format.time, golden.durations],
  ['shares', format.percent, golden.percents],
  ['multiples', format.times, golden.times],
  ['ages', format.age, golden.ages],
  ['counts', (value: number) => format.many(value, 'object'), golden.counts],
  [
    'bytes and their limit',
    ([used, limit]: [number | null, number | null]) => memoryIn(used, limit),
    golden.limited_bytes
  ],
  ['what a cluster says', clusterDoing, golden.cluster_doing]
];

describe('numbers that Python writes as well', () => {
  it.each(TABLES)('%s', (_, write, table) => {
    const written = table.map(([value]) => [value, plain(write(value as never))]);
    expect(written).toEqual(table);
  });

  it('quantiles', () => {
    for (const [counts, share, seconds, text] of golden.quantiles) {
      const found = quantile(counts as number[], share as number);
      expect(found).toEqual(
        seconds === null ? null : (expect.closeTo(seconds as number, 18) as unknown)
      );
      expect(plain(format.time(found))).toBe(text);
    }
  });

  it('keep their unit on the same line', () => {
    expect(format.bytes(1024)).toBe('1.00\u00a0KB');
    expect(format.time(1)).toBe('1\u00a0s');
    expect(format.percent(1)).toBe('100\u00a0%');
  });
});
