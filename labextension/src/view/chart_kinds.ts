/** The four charts: what each draws, within which ends, and what it says. */

import * as format from './format';
import { hatching } from './hatch';
import type { Rates } from './history';
import type { Line } from './plot';
import type { Columns, Scale } from './series';
import type { Colours } from './theme';

/** What is written around one chart. */
export interface Words {
  number: string;
  unit: string;
  /** What the unit is of, where there is room. */
  of?: string;
  /** What follows that. */
  end?: string;
  /** For each key: what it says. */
  keys: string[];
}

export interface ChartKind {
  id: string;
  title: string;
  /** What is said of each line: some of it only where there is room. */
  keys: { className: string; label: string; more?: string; colour?: string }[];
  /** Columns of the series, the first drawn first. */
  pick(columns: Columns): (number | null)[][];
  lines(colours: Colours): Line[];
  /** The ends of the scale for what is drawn. */
  range(columns: Columns, scale: Scale, now: number): [number, number];
  isLogarithmic?: boolean;
  /** Whether lines end in a dot: not where they are stacked. */
  hasEnds?: boolean;
  ticks(range: readonly [number, number]): [number, string][];
  words(rates: Rates | null): Words;
}

const largest = (values: (number | null)[]): number =>
  values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);

const LATENCY: [number, number] = [1e-6, 8e-2];

export const CHART_KINDS: ChartKind[] = [
  {
    id: 'frames',
    title: 'Calls in a second',
    keys: [
      { className: 'op', label: 'GET', colour: 'var(--op-get)' },
      { className: 'op', label: 'SET', colour: 'var(--op-set)' },
      { className: 'op', label: 'EXEC', more: 'UTE', colour: 'var(--op-execute)' }
    ],
    pick: columns => [columns.calls, columns.getsSets, columns.gets],
    lines: c => [
      { stroke: c.execute, fill: c.executeFill, width: 1.5 },
      { stroke: c.set, fill: c.setFill, width: 1 },
      { stroke: c.get, fill: c.getFill, width: 1 }
    ],
    range: (columns, scale, now) => [0, scale.fit(largest(columns.calls), now)],
    ticks: ([, top]) => [[top, format.rate(top)]],
    words: rates => ({
      number: format.rate(rates && rates.gets + rates.sets + rates.executes),
      unit: 'calls/s',
      keys: [
        format.rate(rates && rates.gets),
        format.rate(rates && rates.sets),
        format.rate(rates && rates.executes)
      ]
    })
  },
  {
    id: 'bytes',
    title: 'Bytes in a second',
    keys: [
      { className: 'bare always', label: '↑', more: ' workers' },
      { className: 'bare always', label: '↓', more: ' kernel' }
    ],
    pick: columns => [columns.out, columns.in],
    lines: c => [
      { stroke: c.brand, fill: c.strong, width: 1.5 },
      { stroke: c.brand, fill: c.medium, width: 1 }
    ],
    hasEnds: true,
    range: (columns, scale, now) => {
      const down = largest(columns.in.map(value => (value === null ? 0 : -value)));
      const top = scale.fit(Math.max(largest(columns.out), down), now);
      return [-top, top];
    },
    ticks: ([, top]) => [[top, format.plainBytes(top, 2)]],
    words: rates => {
      const moved = rates === null ? null : rates.bytesIn + rates.bytesOut;
      const [number, unit] =
        moved === null ? [format.UNKNOWN, 'B'] : format.bytesParts(moved, 2);
      return {
        number,
        unit: `${unit}/s`,
        of: ' moved',
        keys: [
          format.bytes(rates && rates.bytesOut, 2),
          format.bytes(rates && rates.bytesIn, 2)
        ]
      };
    }
  },
  {
    id: 'latency',
    title: 'Time of a call',
    keys: [
      { className: 'thick always', label: 'p50', colour: 'var(--brand)' },
      { className: 'thin always', label: 'p99', colour: 'var(--brand)' }
    ],
    pick: columns => [columns.p99, columns.p50],
    lines: c => [
      { stroke: c.brand, width: 1, fill: c.weak, base: 1 },
      { stroke: c.brand, width: 2.25 }
    ],
    hasEnds: true,
    range: () => LATENCY,
    isLogarithmic: true,
    ticks: () => [
      [1e-2, '10 ms'],
      [1e-4, '100 µs']
    ],
    words: rates => {
      const typical = rates?.p50 ?? null;
      const [number, unit] =
        typical === null ? [format.UNKNOWN, ''] : format.timeParts(typical);
      return {
        number,
        unit: `${unit} a call`.trim(),
        of: ', typical',
        keys: [format.time(typical), format.time(rates?.p99 ?? null)]
      };
    }
  },
  {
    id: 'time',
    title: 'Workers that compute, and that wait on the kernel',
    keys: [
      { className: 'op always', label: 'compute', colour: 'var(--brand)' },
      { className: 'hatched always', label: 'wait' }
    ],
    pick: columns => [columns.workers, columns.busy, columns.computing],
    lines: c => [
      { stroke: c.line, width: 1, dash: [3, 2] },
      { stroke: c.warn, width: 1, fill: hatching(c.pale, c.warn), base: 2 },
      { stroke: c.brand, fill: c.strong, width: 1.5 }
    ],
    range: columns => [0, Math.max(1, largest(columns.workers), largest(columns.busy))],
    ticks: ([, top]) => [[top, whole(format.rate(top))]],
    words: rates => {
      const count = rates?.workers ?? 0;
      const computing = rates?.computing ?? null;
      const waiting = rates?.waiting ?? null;
      const keys = count
        ? [format.rate(computing), format.rate(waiting)].map(whole)
        : ['', ''];
      const number =
        computing === null || waiting === null
          ? format.UNKNOWN
          : whole(format.rate(Math.min(count, computing + waiting)));
      if (!count) {
        return { number: format.UNKNOWN, unit: 'workers at work', keys };
      }
      return {
        number,
        unit: `of ${count}`,
        of: computing === null ? '' : count === 1 ? ' worker' : ' workers',
        end: computing === null ? ' at work: tasks not seen' : ' at work',
        keys
      };
    }
  }
];

/** Of workers a whole number needs no zero behind the point. */
function whole(number: string): string {
  return number.replace(/\.0$/, '');
}
