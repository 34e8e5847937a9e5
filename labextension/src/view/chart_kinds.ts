/** The four charts: what each draws, within which ends, and what it says. */

import type uPlot from 'uplot';

import * as format from './format';
import type { Rates } from './history';
import type { Columns, Scale } from './series';
import type { Colours } from './theme';

/** What is written around one chart. */
export interface Words {
  number: string;
  unit: string;
  /** What the unit is of, where there is room. */
  of?: string;
  /** For each key: what it says. */
  keys: string[];
}

export type Most = { name: string; share: number } | null;

export interface ChartKind {
  id: string;
  title: string;
  /** What is said of each line: some of it only where there is room. */
  keys: { className: string; label: string; more?: string; colour?: string }[];
  /** Columns of the series, the first drawn first. */
  pick(columns: Columns): (number | null)[][];
  series(colours: Colours): Partial<uPlot.Series>[];
  bands?: uPlot.Band[];
  /** The ends of the scale for what is drawn. */
  range(columns: Columns, scale: Scale, now: number): [number, number];
  isLogarithmic?: boolean;
  /** Whether lines end in a dot: not where they are stacked. */
  hasEnds?: boolean;
  ticks(range: [number, number]): [number, string][];
  words(rates: Rates | null, most: Most): Words;
}

const largest = (values: (number | null)[]): number =>
  values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);

/** Free of lines: above for the ticks, right for the ends; left and right as in CSS. */
export const PADDING: [number, number, number, number] = [12, 0, 1, 0];

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
    series: c => [
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
    series: c => [
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
    series: c => [
      { stroke: c.brand, width: 1 },
      { stroke: c.brand, width: 2.25 }
    ],
    bands: [{ series: [1, 2] }],
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
    id: 'wait',
    title: 'Share of the workers’ time that they wait on the kernel',
    keys: [{ className: 'bare always', label: '' }],
    pick: columns => [columns.waiting],
    series: c => [{ stroke: c.brand, fill: c.strong, width: 1.5 }],
    hasEnds: true,
    range: () => [0, 100],
    ticks: () => [
      [100, '100 %'],
      [50, '50']
    ],
    words: (rates, most) => {
      const share = rates?.waiting ?? null;
      const number = format.percent(share).split('\u00a0')[0] ?? format.UNKNOWN;
      const who = most ? `most ${format.percent(most.share)}: ${most.name}` : '';
      return { number, unit: '% waiting', of: ' on the kernel', keys: [who] };
    }
  }
];
