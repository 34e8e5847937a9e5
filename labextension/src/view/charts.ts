/** Four charts on one clock, with one cursor. */

import { Chart } from './chart';
import { el } from './dom';
import { GAP_S, type History, type Rates } from './history';
import { CHART_KINDS } from './chart_kinds';
import { type Columns, columnsOf } from './series';
import { coloursOf } from './theme';

export class Charts {
  readonly element = el('div', { class: 'charts' });
  readonly #charts: Chart[];
  #columns: Columns | null = null;
  #pointedAt: number | null = null;
  #ago: number | null = null;
  #isBuilt = false;

  constructor(private readonly history: History) {
    this.#charts = CHART_KINDS.map(kind => new Chart(kind, ago => this.#point(ago)));
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
    if (this.#ago !== null) {
      this.#pointedAt = nearest(columns.x, -this.#ago);
    }
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
      this.#charts.forEach(chart => chart.say(null, span));
      return;
    }
    const rates = pointed ?? this.history.ratesOfLast(1, now);
    this.#charts.forEach(chart => chart.say(rates, span));
  }

  #pointed(): Rates | null {
    const at = this.#pointedAt;
    const columns = this.#columns;
    if (at === null || !columns || columns.calls[at] == null) {
      return null;
    }
    const gets = columns.gets[at] ?? 0;
    const sets = (columns.getsSets[at] ?? 0) - gets;
    return {
      gets,
      sets,
      executes: (columns.calls[at] ?? 0) - gets - sets,
      bytesIn: -(columns.in[at] ?? 0),
      bytesOut: columns.out[at] ?? 0,
      p50: columns.p50[at] ?? null,
      p99: columns.p99[at] ?? null,
      computing: columns.isSeen ? (columns.computing[at] ?? null) : null,
      waiting: columns.waiting[at] ?? null,
      workers: columns.workers[at] ?? 0
    };
  }

  /** Seconds from now to the moment that is pointed to, or null. */
  get ago(): number | null {
    return this.#ago;
  }

  /** Put the cursor to a moment; null takes it away. */
  point(ago: number | null): void {
    this.#ago = ago;
    this.#pointedAt = ago === null ? null : nearest(this.#columns?.x ?? [], -ago);
    this.#charts.forEach(chart => chart.point(ago));
  }

  /** Called when the cursor moves over a chart. */
  onPoint: () => void = () => undefined;

  #point(ago: number | null): void {
    if (ago !== this.#ago) {
      this.point(ago);
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
      const at = Math.min(count - 1, Math.max(0, from + step));
      this.#point(-(this.#columns?.x[at] ?? 0));
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
      const words = kind.words(rates);
      return `${words.number} ${words.unit}${words.of ?? ''}${words.end ?? ''}`;
    });
    return `${Math.round(-x)} seconds ago: ${said.join(', ')}`;
  }

  dispose(): void {
    this.#charts.forEach(chart => chart.dispose());
  }
}

/** The place of the value that is nearest; null where there is none. */
function nearest(values: readonly number[], wanted: number): number | null {
  let best: number | null = null;
  values.forEach((value, at) => {
    const before = best === null ? Infinity : Math.abs((values[best] ?? 0) - wanted);
    best = Math.abs(value - wanted) <= before ? at : best;
  });
  return best;
}
