/** Four charts on one clock, drawn by uPlot; their ticks and marks are our own. */

import uPlot from 'uplot';

import { Text } from './cells';
import { el } from './dom';
import * as format from './format';
import type { History, Rates } from './history';
import { type Columns, columnsOf, Scale } from './series';
import { type Colours, coloursOf } from './theme';

/** What is written around one chart. */
interface Words {
  number: string;
  unit: string;
  /** For each key: what it says. */
  keys: string[];
}

interface Kind {
  id: string;
  title: string;
  keys: { className: string; label: string; colour?: string }[];
  /** Columns of the series, the first drawn first. */
  pick(columns: Columns): (number | null)[][];
  series(colours: Colours): Partial<uPlot.Series>[];
  bands?: uPlot.Band[];
  /** The ends of the scale for what is drawn. */
  range(columns: Columns, scale: Scale, now: number): [number, number];
  isLogarithmic?: boolean;
  ticks(range: [number, number]): [number, string][];
  words(rates: Rates | null): Words;
}

const largest = (values: (number | null)[]): number =>
  values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);

const LATENCY: [number, number] = [1e-6, 8e-2];

const KINDS: Kind[] = [
  {
    id: 'frames',
    title: 'Frames in a second',
    keys: [
      { className: 'op', label: 'GET', colour: 'var(--op-get)' },
      { className: 'op', label: 'SET', colour: 'var(--op-set)' },
      { className: 'op', label: 'EXECUTE', colour: 'var(--op-execute)' }
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
      unit: 'frames/s',
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
      { className: 'bare always', label: '↑ workers' },
      { className: 'bare always', label: '↓ kernel' }
    ],
    pick: columns => [columns.out, columns.in],
    series: c => [
      { stroke: c.brand, fill: c.strong, width: 1.5 },
      { stroke: c.brand, fill: c.medium, width: 1 }
    ],
    range: (columns, scale, now) => {
      const down = largest(columns.in.map(value => (value === null ? 0 : -value)));
      const top = scale.fit(Math.max(largest(columns.out), down), now);
      return [-top, top];
    },
    ticks: ([, top]) => [[top, format.bytes(top, 2).replace('.0', '')]],
    words: rates => {
      const moved = rates === null ? null : rates.bytesIn + rates.bytesOut;
      const [number, unit] =
        moved === null ? [format.UNKNOWN, 'B'] : format.bytesParts(moved, 2);
      return {
        number,
        unit: `${unit}/s moved`,
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
        unit: `${unit} a call, typical`.trim(),
        keys: [format.time(typical), format.time(rates?.p99 ?? null)]
      };
    }
  },
  {
    id: 'wait',
    title: 'Share of the workers’ time that they wait on the kernel',
    keys: [],
    pick: columns => [columns.waiting],
    series: c => [{ stroke: c.brand, fill: c.strong, width: 1.5 }],
    range: () => [0, 100],
    ticks: () => [
      [100, '100 %'],
      [50, '50']
    ],
    words: rates => {
      const share = rates?.waiting ?? null;
      const number = format.percent(share).split('\u00a0')[0] ?? format.UNKNOWN;
      return { number, unit: '% waiting on the kernel', keys: [] };
    }
  }
];

/** One chart and what is around it. */
class Chart {
  readonly element: HTMLElement;
  readonly plot = el('div', { class: 'plot',  role: 'img', tabindex: '-1' });
  private readonly number = new Text(el('b'));
  private readonly unit = new Text(el('span'));
  private readonly values: Text[] = [];
  private readonly marks = el('div', { 'aria-hidden': 'true' });
  private readonly scale: Scale;
  private uplot: uPlot | null = null;
  private range: [number, number] = [0, 1];
  private span = 60;

  constructor(
    readonly kind: Kind,
    private readonly sync: uPlot.SyncPubSub,
    private readonly pointed: (index: number | null) => void
  ) {
    this.scale = new Scale(kind.id === 'bytes' ? 1024 : 1);
    const key = el('figcaption', { class: 'key' });
    for (const { className, label, colour } of kind.keys) {
      const value = new Text(el('i', { class: 'v' }));
      this.values.push(value);
      const item = el('span', { class: className }, el('span', {}, label), value.element);
      if (colour) {
        item.style.setProperty('--c', colour);
      }
      key.append(item);
    }
    this.element = el('figure', { class: 'chart',  'data-id': kind.id },
      el('div', { class: 'now' }, this.number.element, this.unit.element),
      this.plot,
      key
    );
    this.plot.append(this.marks);
  }

  /** Make the canvas anew, in the colours of the theme. */
  build(colours: Colours): void {
    this.uplot?.destroy();
    const bands = this.kind.bands?.map(band => ({ ...band, fill: colours.weak }));
    const { width, height } = this.plot.getBoundingClientRect();
    const options: uPlot.Options = {
      width: Math.max(1, width),
      height: Math.max(1, height),
      padding: [8, 3, 1, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: false, y: false, setScale: false },
        sync: { key: this.sync.key }
      },
      hooks: {
        setCursor: [plot => this.pointed(plot.cursor.idx ?? null)]
      },
      scales: {
        x: { time: false, auto: false, range: () => [-this.span, 0] },
        y: {
          auto: false,
          distr: this.kind.isLogarithmic ? 3 : 1,
          range: () => this.range
        }
      },
      series: [{}, ...this.kind.series(colours).map(series => ({ ...series, points: { show: false } }))],
      ...(bands && { bands })
    };
    this.uplot = new uPlot(options, [[], ...this.kind.series(colours).map(() => [])], this.plot);
    this.sync.sub(this.uplot);
  }

  draw(columns: Columns, span: number, now: number): void {
    this.span = span;
    this.range = this.kind.range(columns, this.scale, now);
    this.uplot?.setData([columns.x, ...this.kind.pick(columns)] as uPlot.AlignedData);
  }

  resize(): void {
    const { width, height } = this.plot.getBoundingClientRect();
    if (width && height) {
      this.uplot?.setSize({ width, height });
    }
  }

  say(rates: Rates | null, span: number): void {
    const words = this.kind.words(rates);
    this.number.set(words.number);
    this.unit.set(words.unit);
    words.keys.forEach((value, at) => this.values[at]?.set(value));
    const label = `${this.kind.title}, last ${span} seconds, now ${words.number} ${words.unit}`;
    this.plot.setAttribute('aria-label', label);
  }

  /** Draw ticks, events, the gap and the cursor's words. */
  mark(parts: HTMLElement[]): void {
    const ticks = this.kind.ticks(this.range).map(([value, label]) => {
      const tick = el('span', { class: 'tick' }, label);
      tick.style.top = `${(1 - this.place(value)) * 100}%`;
      return tick;
    });
    this.marks.replaceChildren(...ticks, ...parts);
  }

  private place(value: number): number {
    const [low, high] = this.range;
    const height = this.kind.isLogarithmic
      ? Math.log(value / low) / Math.log(high / low)
      : (value - low) / (high - low);
    return height * 0.86;
  }

  dispose(): void {
    if (this.uplot) {
      this.sync.unsub(this.uplot);
      this.uplot.destroy();
    }
  }
}

let numbers = 0;

export class Charts {
  readonly element = el('div', { class: 'charts' });
  private readonly sync = uPlot.sync(`duck-${++numbers}`);
  private readonly charts: Chart[];
  private columns: Columns | null = null;
  private pointedAt: number | null = null;
  private isBuilt = false;

  constructor(private readonly history: History) {
    this.charts = KINDS.map(kind => new Chart(kind, this.sync, index => this.point(index)));
    this.element.append(...this.charts.map(chart => chart.element));
    this.charts[0]?.plot.setAttribute('tabindex', '0');
    this.element.addEventListener('keydown', event => this.key(event));
  }

  /** Make the canvases, for the theme of now. */
  build(): void {
    if (!this.element.isConnected) {
      return;
    }
    const colours = coloursOf(this.element);
    this.charts.forEach(chart => chart.build(colours));
    this.isBuilt = true;
  }

  resize(): void {
    this.charts.forEach(chart => chart.resize());
  }

  /** Draw the lines. */
  draw(span: number, now: number): void {
    if (!this.isBuilt) {
      this.build();
    }
    const columns = columnsOf(this.history, span, now);
    this.columns = columns;
    this.charts.forEach(chart => chart.draw(columns, span, now));
    const late = now - (this.history.samples.at(-1)?.time ?? now);
    this.charts.forEach((chart, at) => chart.mark(this.marks(span, now, late, at === 0)));
  }

  private marks(span: number, now: number, late: number, first: boolean): HTMLElement[] {
    const left = (ago: number): string => `${(1 - ago / span) * 100}%`;
    const parts = this.history.events
      .filter(event => now - event.time < span)
      .map(event => {
        const mark = el('span', { class: 'event',  title: event.what });
        mark.style.left = left(now - event.time);
        return mark;
      });
    if (late > 2) {
      const gap = el('span', { class: 'gap' });
      gap.style.left = left(Math.min(late, span));
      parts.push(gap);
    }
    const x = this.pointedAt === null ? undefined : this.columns?.x[this.pointedAt];
    if (first && x !== undefined) {
      const when = el('span', { class: 'when' }, `${Math.round(-x)} s ago`);
      when.classList.toggle('left', -x < span * 0.4);
      when.style.left = left(-x);
      parts.push(when);
    }
    return parts;
  }

  /** Write the numbers: of the moment that is pointed to, or of now. */
  say(span: number): void {
    const rates = this.pointed() ?? this.history.ratesOfLast(1);
    this.charts.forEach(chart => chart.say(rates, span));
  }

  private pointed(): Rates | null {
    const at = this.pointedAt;
    const columns = this.columns;
    if (at === null || !columns || columns.calls[at] == null) {
      return null;
    }
    const gets = columns.gets[at] ?? 0;
    const sets = (columns.getsSets[at] ?? 0) - gets;
    const waiting = columns.waiting[at];
    return {
      gets,
      sets,
      executes: (columns.calls[at] ?? 0) - gets - sets,
      bytesIn: -(columns.in[at] ?? 0),
      bytesOut: columns.out[at] ?? 0,
      p50: columns.p50[at] ?? null,
      p99: columns.p99[at] ?? null,
      waiting: waiting == null ? null : waiting / 100
    };
  }

  /** Called when the cursor moves over a chart. */
  onPoint: () => void = () => undefined;

  private point(index: number | null): void {
    if (index !== this.pointedAt) {
      this.pointedAt = index;
      this.onPoint();
    }
  }

  private key(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const step = steps[event.key];
    const count = this.columns?.x.length ?? 0;
    if (event.key === 'Escape') {
      this.point(null);
    } else if (step !== undefined && count) {
      const from = this.pointedAt ?? count;
      this.point(Math.min(count - 1, Math.max(0, from + step)));
      event.preventDefault();
    }
  }

  /** What the moment that is pointed to is, for who cannot see it. */
  describe(): string {
    const x = this.pointedAt === null ? undefined : this.columns?.x[this.pointedAt];
    const rates = this.pointed();
    if (x === undefined || rates === null) {
      return '';
    }
    const said = KINDS.map(kind => {
      const words = kind.words(rates);
      return `${words.number} ${words.unit}`;
    });
    return `${Math.round(-x)} seconds ago: ${said.join(', ')}`;
  }

  dispose(): void {
    this.charts.forEach(chart => chart.dispose());
  }
}
