/** One chart: its lines, its ticks, its marks and its words. */

import { Attribute, Parts, Text } from './cells';
import { el } from './dom';
import type { Rates } from './history';
import type { ChartKind } from './chart_kinds';
import { depthOf, type Frame, PADDING, Plot } from './plot';
import { type Columns, Scale } from './series';
import type { Colours } from './theme';

export class Chart {
  readonly element: HTMLElement;
  readonly plot = el('div', { class: 'plot', role: 'img', tabindex: '-1' });
  readonly #number = new Text(el('b'));
  readonly #unit = new Text(el('span'));
  readonly #of = new Text(el('span', { class: 'long' }));
  readonly #end = new Text(el('span'));
  readonly #values: Parts[] = [];
  readonly #marks = el('div', { 'aria-hidden': 'true' });
  readonly #scale: Scale;
  readonly #label = new Attribute(this.plot, 'aria-label');
  readonly #plot: Plot;
  #frame: Frame = { span: 60, range: [0, 1], isLogarithmic: false };
  #data: (number | null)[][] = [];

  constructor(
    readonly kind: ChartKind,
    pointed: (ago: number | null) => void
  ) {
    this.plot.append(this.#marks);
    this.#plot = new Plot(this.plot, share =>
      pointed(share === null ? null : (1 - share) * this.#frame.span)
    );
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
        el('span', {}, this.#unit.element, this.#of.element),
        this.#end.element
      ),
      this.plot,
      key
    );
  }

  /** Draw in the colours of the theme from now on. */
  build(colours: Colours): void {
    this.#plot.setLines(this.kind.lines(colours));
  }

  draw(columns: Columns, span: number, now: number): void {
    const range = this.kind.range(columns, this.#scale, now);
    this.#frame = { span, range, isLogarithmic: this.kind.isLogarithmic ?? false };
    this.#data = [columns.x, ...this.kind.pick(columns)];
    this.#plot.draw(columns.x, this.kind.pick(columns), this.#frame);
  }

  /** Put the cursor to a moment, so many seconds ago; null takes it away. */
  point(ago: number | null): void {
    this.#plot.point(ago === null ? null : 1 - ago / this.#frame.span);
  }

  resize(): void {
    this.#plot.resize();
  }

  say(rates: Rates | null, span: number): void {
    const words = this.kind.words(rates);
    this.#number.set(words.number);
    this.#unit.set(words.unit);
    this.#of.set(words.of ?? '');
    this.#end.set(words.end ?? '');
    words.keys.forEach((value, at) => this.#values[at]?.set(value));
    const label = `${this.kind.title}, last ${span} seconds, now ${words.number} ${words.unit}${words.of ?? ''}${words.end ?? ''}`;
    this.#label.set(label);
  }

  /** Draw ticks, grid, ends of lines; and what is the same in all charts. */
  mark(parts: HTMLElement[]): void {
    const own = this.kind.ticks(this.#frame.range).flatMap(([value, label]) => {
      const tick = el('span', { class: 'tick' }, label);
      const grid = el('span', { class: 'gridline' });
      tick.style.top = grid.style.top = this.#place(value);
      return [grid, tick];
    });
    const base = el('span', { class: 'gridline base' });
    base.style.top = this.#place(this.kind.id === 'bytes' ? 0 : this.#frame.range[0]);
    const ends = this.kind.hasEnds ? this.#ends() : [];
    this.#marks.replaceChildren(...own, base, ...ends, ...parts);
  }

  /** A dot where each line ends. */
  #ends(): HTMLElement[] {
    const [x = [], ...lines] = this.#data;
    const at = x.length - 1;
    return lines.flatMap(line => {
      const value = line[at];
      if (value == null) {
        return [];
      }
      const dot = el('span', { class: 'dot', style: '--c: var(--brand)' });
      dot.style.top = this.#place(value);
      dot.style.left = `${(1 + (x[at] ?? 0) / this.#frame.span) * 100}%`;
      return [dot];
    });
  }

  /** How far from the top a value is drawn. */
  #place(value: number): string {
    const { above, below } = PADDING;
    const from = Math.min(1, Math.max(0, depthOf(value, this.#frame)));
    return `calc(${above}px + (100% - ${above + below}px) * ${from.toFixed(4)})`;
  }

  dispose(): void {
    this.#plot.dispose();
  }
}
