/** Four charts on one clock, with one cursor. */

import uPlot from 'uplot';

import { Chart } from './chart';
import { el } from './dom';
import { GAP_S, type History, type Rates } from './history';
import { CHART_KINDS } from './chart_kinds';
import { type Columns, columnsOf } from './series';
import { coloursOf } from './theme';

let numbers = 0;

export class Charts {
  readonly element = el('div', { class: 'charts' });
  readonly #sync = uPlot.sync(`duck-${++numbers}`);
  readonly #charts: Chart[];
  #columns: Columns | null = null;
  #pointedAt: number | null = null;
  #isBuilt = false;

  constructor(private readonly history: History) {
    this.#charts = CHART_KINDS.map(
      kind => new Chart(kind, this.#sync, index => this.#point(index))
    );
    this.element.append(...this.#charts.map(chart => chart.element));
    this.#charts[0]?.plot.setAttribute('tabindex', '0');
    this.element.addEventListener('keydown', event => this.#key(event));
  }

  /** Make the canvases, for the theme of now. */
  build(): void {
    if (!this.element.isConnected) {
      return;
    }
    const colours = coloursOf(this.element);
    this.#charts.forEach(chart => chart.build(colours));
    this.#isBuilt = true;
  }

  resize(): void {
    this.#charts.forEach(chart => chart.resize());
  }

  /** Draw the lines. */
  draw(span: number, now: number): void {
    if (!this.#isBuilt) {
      this.build();
    }
    const columns = columnsOf(this.history, span, now);
    this.#columns = columns;
    this.#charts.forEach(chart => chart.draw(columns, span, now));
    const late = now - (this.history.samples.at(-1)?.time ?? now);
    this.#charts.forEach((chart, at) =>
      chart.mark(this.#marks(span, now, late, at === 0))
    );
  }

  #marks(span: number, now: number, late: number, first: boolean): HTMLElement[] {
    const left = (ago: number): string => `${(1 - ago / span) * 100}%`;
    const parts = this.history.events
      .filter(event => now - event.time < span)
      .map(event => {
        const mark = el('span', { class: 'event', title: event.what });
        mark.style.left = left(now - event.time);
        return mark;
      });
    const gaps = [...(this.#columns?.gaps ?? [])];
    if (late > GAP_S) {
      gaps.push([-Math.min(late, span), 0]);
    }
    for (const [from, to] of gaps) {
      const gap = el('span', { class: 'gap' });
      gap.style.left = left(Math.min(-from, span));
      gap.style.right = `${(-to / span) * 100}%`;
      parts.push(gap);
    }
    const x = this.#pointedAt === null ? undefined : this.#columns?.x[this.#pointedAt];
    if (first && x !== undefined) {
      const when = el('span', { class: 'when' }, `${Math.round(-x)} s ago`);
      when.classList.toggle('left', -x < span * 0.4);
      when.style.left = left(-x);
      parts.push(when);
    }
    return parts;
  }

  /** Write the numbers: of the moment that is pointed to, or of now. */
  say(span: number, now: number, isEmpty = false): void {
    const pointed = this.#pointed();
    if (isEmpty) {
      this.#charts.forEach(chart => chart.say(null, null, span));
      return;
    }
    const rates = pointed ?? this.history.ratesOfLast(1, now);
    const most = pointed ? null : this.history.mostWaiting();
    this.#charts.forEach(chart => chart.say(rates, most, span));
  }

  #pointed(): Rates | null {
    const at = this.#pointedAt;
    const columns = this.#columns;
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

  #point(index: number | null): void {
    if (index !== this.#pointedAt) {
      this.#pointedAt = index;
      this.onPoint();
    }
  }

  #key(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const step = steps[event.key];
    const count = this.#columns?.x.length ?? 0;
    if (event.key === 'Escape') {
      this.#point(null);
    } else if (step !== undefined && count) {
      const from = this.#pointedAt ?? count;
      this.#point(Math.min(count - 1, Math.max(0, from + step)));
      event.preventDefault();
    }
  }

  /** What the moment that is pointed to is, for who cannot see it. */
  describe(): string {
    const x = this.#pointedAt === null ? undefined : this.#columns?.x[this.#pointedAt];
    const rates = this.#pointed();
    if (x === undefined || rates === null) {
      return '';
    }
    const said = CHART_KINDS.map(kind => {
      const words = kind.words(rates, null);
      return `${words.number} ${words.unit}${words.of ?? ''}`;
    });
    return `${Math.round(-x)} seconds ago: ${said.join(', ')}`;
  }

  dispose(): void {
    this.#charts.forEach(chart => chart.dispose());
  }
}
