/** One chart, drawn by uPlot; its ticks, its marks and its words are our own. */

import uPlot from 'uplot';

import { Attribute, Parts, Text } from './cells';
import { el } from './dom';
import type { Rates } from './history';
import { type ChartKind, type Most, PADDING } from './chart_kinds';
import { type Columns, Scale } from './series';
import type { Colours } from './theme';

export class Chart {
  readonly element: HTMLElement;
  readonly plot = el('div', { class: 'plot', role: 'img', tabindex: '-1' });
  readonly #number = new Text(el('b'));
  readonly #unit = new Text(el('span'));
  readonly #of = new Text(el('span', { class: 'long' }));
  readonly #values: Parts[] = [];
  readonly #marks = el('div', { 'aria-hidden': 'true' });
  readonly #scale: Scale;
  readonly #label = new Attribute(this.plot, 'aria-label');
  #uplot: uPlot | null = null;
  #range: [number, number] = [0, 1];
  #span = 60;

  constructor(
    readonly kind: ChartKind,
    private readonly sync: uPlot.SyncPubSub,
    private readonly pointed: (index: number | null) => void
  ) {
    this.#scale = new Scale(kind.id === 'bytes' ? 1024 : 1);
    const key = el('figcaption', { class: 'key' });
    for (const { className, label, more, colour } of kind.keys) {
      const value = new Parts(el('i', { class: 'v' }));
      this.#values.push(value);
      const name = el('span', {}, label, more && el('span', { class: 'long' }, more));
      const item = el('span', { class: className }, label && name, value.element);
      if (colour) {
        item.style.setProperty('--c', colour);
      }
      key.append(item);
    }
    this.element = el(
      'figure',
      { class: 'chart', 'data-id': kind.id },
      el(
        'div',
        { class: 'now' },
        this.#number.element,
        el('span', {}, this.#unit.element, this.#of.element)
      ),
      this.plot,
      key
    );
    this.plot.append(this.#marks);
  }

  /** Make the canvas anew, in the colours of the theme. */
  build(colours: Colours): void {
    this.#uplot?.destroy();
    const bands = this.kind.bands?.map(band => ({ ...band, fill: colours.weak }));
    const { width, height } = this.plot.getBoundingClientRect();
    const options: uPlot.Options = {
      width: Math.max(1, width),
      height: Math.max(1, height),
      padding: [...PADDING],
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
        x: { time: false, auto: false, range: () => [-this.#span, 0] },
        y: {
          // Or else the range would be asked for once, before there is any data.
          auto: true,
          distr: this.kind.isLogarithmic ? 3 : 1,
          range: () => this.#range
        }
      },
      series: [
        {},
        ...this.kind
          .series(colours)
          .map(series => ({ ...series, points: { show: false } }))
      ],
      ...(bands && { bands })
    };
    this.#uplot = new uPlot(
      options,
      [[], ...this.kind.series(colours).map(() => [])],
      this.plot
    );
    this.sync.sub(this.#uplot);
  }

  draw(columns: Columns, span: number, now: number): void {
    this.#span = span;
    this.#range = this.kind.range(columns, this.#scale, now);
    this.#uplot?.setData([columns.x, ...this.kind.pick(columns)] as uPlot.AlignedData);
  }

  resize(): void {
    const { width, height } = this.plot.getBoundingClientRect();
    if (width && height) {
      this.#uplot?.setSize({ width, height });
    }
  }

  say(rates: Rates | null, most: Most, span: number): void {
    const words = this.kind.words(rates, most);
    this.#number.set(words.number);
    this.#unit.set(words.unit);
    this.#of.set(words.of ?? '');
    words.keys.forEach((value, at) => this.#values[at]?.set(value));
    const label = `${this.kind.title}, last ${span} seconds, now ${words.number} ${words.unit}${words.of ?? ''}`;
    this.#label.set(label);
  }

  /** Draw ticks, grid, ends of lines; and what is the same in all charts. */
  mark(parts: HTMLElement[]): void {
    const own = this.kind.ticks(this.#range).flatMap(([value, label]) => {
      const tick = el('span', { class: 'tick' }, label);
      const grid = el('span', { class: 'gridline' });
      tick.style.top = grid.style.top = this.#place(value);
      return [grid, tick];
    });
    const base = el('span', { class: 'gridline base' });
    base.style.top = this.#place(this.kind.id === 'bytes' ? 0 : this.#range[0]);
    const ends = this.kind.hasEnds ? this.#ends() : [];
    this.#marks.replaceChildren(...own, base, ...ends, ...parts);
  }

  /** A dot where each line ends. */
  #ends(): HTMLElement[] {
    const [x, ...lines] = this.#uplot?.data ?? [[]];
    const at = x.length - 1;
    return lines.flatMap(line => {
      const value = line[at];
      if (value == null) {
        return [];
      }
      const dot = el('span', { class: 'dot', style: '--c: var(--brand)' });
      dot.style.top = this.#place(value);
      dot.style.left = `${(1 + (x[at] ?? 0) / this.#span) * 100}%`;
      return [dot];
    });
  }

  /** How far from the top a value is drawn. */
  #place(value: number): string {
    const [low, high] = this.#range;
    const share = this.kind.isLogarithmic
      ? Math.log(value / low) / Math.log(high / low)
      : (value - low) / (high - low);
    const [above, below] = [PADDING[0], PADDING[2]];
    const from = Math.min(1, Math.max(0, 1 - share));
    return `calc(${above}px + (100% - ${above + below}px) * ${from.toFixed(4)})`;
  }

  dispose(): void {
    if (this.#uplot) {
      this.sync.unsub(this.#uplot);
      this.#uplot.destroy();
    }
  }
}
