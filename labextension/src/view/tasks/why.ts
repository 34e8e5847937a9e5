/** Why a run is not faster: where its workers' time went, advice, the slowest tasks. */

import { Attribute, Coded, Style, Text } from '../cells';
import { el } from '../dom';
import * as format from '../format';
import type { RunFacts } from './runrow';

/** A share that is less is not told. */
const LEAST = 0.005;

const PARTS = ['computing', 'waiting', 'queueing', 'starting'] as const;
type Part = (typeof PARTS)[number];

/** Shares of the time of a run's workers, from 0 to 1. */
export function sharesOfRun({ spent }: RunFacts['run']): Record<Part, number> {
  const { starting, computing, waiting } = spent;
  const queueing = spent.no_task_queued + spent.no_task_empty;
  const all = starting + computing + waiting + queueing || 1;
  return {
    computing: computing / all,
    waiting: waiting / all,
    queueing: queueing / all,
    starting: starting / all
  };
}

/** What each part looks like in the bar, and in the words below it. */
const LOOKS: Record<Part, [bar: string, words: string]> = {
  computing: ['work', ''],
  waiting: ['hatch', 'hatched'],
  queueing: ['next', 'nexted'],
  starting: ['boot', 'booted']
};

export class Why {
  readonly element: HTMLElement;

  readonly #bar: Attribute;
  readonly #widths: Record<Part, Style>;
  readonly #shares: Record<Part, Text>;
  readonly #words: Record<Part, HTMLElement>;
  readonly #object = new Text(
    el('button', { class: 'link', type: 'button', tabindex: -1, 'data-do': 'object' })
  );
  readonly #kernel = new Text(el('span'));
  readonly #advice = new Coded(el('p', { class: 'advice' }));
  readonly #slow = el('div', { class: 'slow' });
  readonly #slowest: HTMLElement;
  #drawn = '';

  constructor() {
    const bar = el('div', { class: 'shares', role: 'img' });
    const made = PARTS.map(part => {
      const fill = el('i', { class: LOOKS[part][0] });
      bar.append(fill);
      const share = new Text(el('b'));
      const label: Record<Part, (Node | string)[]> = {
        computing: ['computing '],
        waiting: ['waiting on ', this.#object.element, this.#kernel.element, ' '],
        queueing: ['for a task '],
        starting: ['starting ']
      };
      const words = el(
        'span',
        { class: LOOKS[part][1] || null },
        ...label[part],
        share.element
      );
      return { part, width: new Style(fill, '--v'), share, words };
    });
    const byPart = <Value>(pick: (one: (typeof made)[number]) => Value) =>
      Object.fromEntries(made.map(one => [one.part, pick(one)])) as Record<Part, Value>;
    this.#widths = byPart(({ width }) => width);
    this.#shares = byPart(({ share }) => share);
    this.#words = byPart(({ words }) => words);
    this.#bar = new Attribute(bar, 'aria-label');
    this.#slowest = el('div', {}, el('h4', {}, 'Slowest'), this.#slow);
    this.element = el(
      'div',
      { class: 'why' },
      el(
        'div',
        {},
        el('h4', {}, 'Where its workers’ time went'),
        bar,
        el('div', { class: 'parts' }, ...made.map(({ words }) => words))
      ),
      this.#advice.element,
      this.#slowest
    );
  }

  bind({ run, nameOf }: RunFacts): void {
    const shares = sharesOfRun(run);
    const [first] = run.waited_on;
    for (const part of PARTS) {
      this.#widths[part].set((100 * shares[part]).toFixed(1));
      this.#shares[part].set(format.percent(shares[part]));
      this.#words[part].hidden =
        shares[part] < LEAST && part !== 'computing' && part !== 'waiting';
    }
    const said = PARTS.map(part => {
      const words = {
        waiting: 'waiting on the kernel',
        queueing: 'waiting for a task'
      };
      const word = part === 'waiting' || part === 'queueing' ? words[part] : part;
      return `${word} ${format.percent(shares[part])}`;
    });
    this.#bar.set(said.join(', '));
    this.#object.set(first?.object ?? '');
    this.#object.element.hidden = !first;
    this.#kernel.set(first ? '' : 'the kernel');
    this.#advice.set(run.advice);
    this.#advice.element.hidden = !run.advice;
    this.#bindSlowest(run, nameOf);
  }

  #bindSlowest(run: RunFacts['run'], nameOf: (pid: number) => string): void {
    const drawn = JSON.stringify(run.slowest);
    if (drawn === this.#drawn) {
      return;
    }
    this.#drawn = drawn;
    this.#slowest.hidden = run.slowest.length === 0;
    this.#slow.replaceChildren(
      ...run.slowest.flatMap(({ seconds, arguments: values, pid }) => [
        el(
          'code',
          { title: `${run.function}(${values})` },
          `${run.function}(${values})`
        ),
        el('span', { class: 'num' }, format.time(seconds)),
        el(
          'span',
          { class: 'dim', title: `${nameOf(pid)}, pid ${pid}` },
          workerOf(nameOf(pid))
        )
      ])
    );
  }
}

/** A worker's name as short as can be: "worker 2". */
function workerOf(name: string): string {
  return name.replace(/^.*-(\d+)$/, 'worker $1');
}
