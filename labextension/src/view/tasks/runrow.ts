/** The row of a run: one function in one pool. */

import type { RunRow } from '../../snapshot';
import { Attribute, Flag, Style, Text } from '../cells';
import { el, icon } from '../dom';
import * as format from '../format';
import { Why } from './why';

/** What a row shows besides its run. */
export interface RunFacts {
  readonly run: RunRow;
  /** From 1 to 3, or 0. */
  readonly colour: number;
  /** The kind of its pool and how many workers it has. */
  readonly pool: string;
  readonly size: number;
  /** How its pool ended, where that was no good end. */
  readonly how: 'broken' | 'interrupted' | null;
  readonly left: number | null;
  readonly elapsed: number;
  readonly atWork: number;
  readonly sought: string;
  nameOf(pid: number): string;
}

/** Bytes that were not copied are worth a word from here on. */
const MUCH = 1024 * 1024;

export class RunRowView {
  readonly element: HTMLElement;
  isOpen = false;

  readonly #title: Text;
  readonly #pool = new Text(el('span', { class: 'pool' }));
  readonly #done = new Text(el('b'));
  readonly #all = new Text(el('span'));
  readonly #left = new Text(el('span'));
  readonly #leftWord = el('span', { class: 'long' }, ' left');
  readonly #sum: Record<'done' | 'took' | 'worth' | 'of', Text>;
  readonly #facts: Record<
    'failed' | 'lost' | 'rate' | 'unit' | 'saved' | 'each' | 'atWork' | 'of',
    Text
  >;
  readonly #prog = el('div', {
    class: 'prog',
    role: 'progressbar',
    'aria-valuemin': 0
  });
  readonly #parts: Record<'ok' | 'bad' | 'hand', Style>;
  readonly #bars: Record<'ok' | 'bad' | 'hand', HTMLElement>;
  readonly #values: Record<'now' | 'max' | 'text' | 'label', Attribute>;
  readonly #colour: Style;
  readonly #kind: Attribute;
  readonly #expanded: Attribute;
  readonly #name: Attribute;
  readonly #open: Flag;
  readonly #saved: HTMLElement;
  readonly #running: HTMLElement[];
  readonly #over: HTMLElement;
  readonly #factsCell: HTMLElement;
  readonly #why: Why;
  readonly #cell = el('div', { role: 'gridcell', hidden: true });

  constructor(key: string) {
    const text = (tag: 'span' | 'b', name = ''): Text =>
      new Text(el(tag, { class: name || null }));
    const fn = el('span', { class: 'fn' });
    this.#title = new Text(fn);
    const fault = (name: string): Text =>
      new Text(
        el('button', { class: 'err', type: 'button', tabindex: -1, 'data-do': name })
      );
    this.#facts = {
      failed: fault('failed'),
      lost: fault('lost'),
      rate: text('b'),
      unit: text('span'),
      saved: text('b'),
      each: text('b'),
      atWork: text('b'),
      of: text('span')
    };
    const facts = this.#facts;
    facts.lost.element.title =
      'The worker that had it was killed. multiprocessing.Pool does not send a task ' +
      'again; interrupt the cell';
    this.#saved = el('span', {}, facts.saved.element, ' not copied');
    this.#sum = {
      done: text('b'),
      took: text('b'),
      worth: text('b'),
      of: text('span')
    };
    const sum = this.#sum;
    const bars = {
      ok: el('i', { class: 'ok' }),
      bad: el('i', { class: 'bad' }),
      hand: el('i', { class: 'hand' })
    };
    this.#bars = bars;
    this.#prog.append(bars.ok, bars.bad, bars.hand);
    const progress = el('div', { role: 'gridcell' }, this.#prog);
    const pace = [
      el('span', {}, facts.rate.element, facts.unit.element),
      el('span', {}, facts.each.element, ' each'),
      el('span', {}, facts.atWork.element, facts.of.element)
    ] as const;
    const [rate, each, atWork] = pace;
    this.#factsCell = el(
      'div',
      { class: 'fit facts-l', role: 'gridcell' },
      facts.failed.element,
      facts.lost.element,
      rate,
      this.#saved,
      each,
      atWork
    );
    const done = el(
      'span',
      { class: 'done', role: 'gridcell' },
      this.#done.element,
      this.#all.element
    );
    const left = el(
      'span',
      { class: 'left', role: 'gridcell' },
      this.#left.element,
      this.#leftWord
    );
    this.#over = el(
      'span',
      { class: 'sum', role: 'gridcell' },
      sum.done.element,
      ' in ',
      sum.took.element,
      el('span', { class: 'long' }, ', worth ', sum.worth.element, sum.of.element)
    );
    const title = el(
      'div',
      { class: 'title', role: 'rowheader' },
      el('span', { class: 'tw' }, icon('chev')),
      el('span', { class: 'swatch' }),
      fn,
      this.#pool.element
    );
    this.#running = [done, left, progress, ...pace];
    this.#why = new Why();
    this.#cell.append(this.#why.element);
    this.element = el(
      'div',
      { class: 'run', role: 'row', 'aria-level': 1, tabindex: -1 },
      el('div', { class: 'top' }, title, done, left, this.#over),
      progress,
      this.#factsCell,
      this.#cell
    );
    this.element.dataset['key'] = key;
    this.#parts = {
      ok: new Style(bars.ok, 'width'),
      bad: new Style(bars.bad, 'width'),
      hand: new Style(bars.hand, 'width')
    };
    this.#values = {
      now: new Attribute(this.#prog, 'aria-valuenow'),
      max: new Attribute(this.#prog, 'aria-valuemax'),
      text: new Attribute(this.#prog, 'aria-valuetext'),
      label: new Attribute(this.#prog, 'aria-label')
    };
    this.#colour = new Style(this.element, '--c');
    this.#kind = new Attribute(this.element, 'class');
    this.#expanded = new Attribute(this.element, 'aria-expanded');
    this.#name = new Attribute(fn, 'title');
    this.#open = new Flag(this.#prog, 'open');
  }

  setOpen(isOpen: boolean): void {
    this.isOpen = isOpen;
    this.#cell.hidden = !isOpen;
    this.#expanded.set(String(isOpen));
  }

  bind(facts: RunFacts, isMarked: boolean): void {
    const { run, colour, pool, sought } = facts;
    const isOver = run.ended !== null;
    this.#kind.set(
      `run${isOver ? ' over' : ''}${facts.how ? ' broke' : ''}${isMarked ? ' is-hover' : ''}`
    );
    this.#colour.set(`var(--fn-${colour})`);
    this.#title.set(run.function, sought);
    this.#name.set(`${run.module}.${run.function}`);
    this.#pool.set(pool);
    this.#running.forEach(cell => (cell.hidden = isOver));
    this.#over.hidden = !isOver;
    count(this.#facts.failed, run.failed, 'failed');
    count(this.#facts.lost, run.lost, 'lost');
    this.#factsCell.hidden = isOver && !run.failed && !run.lost;
    if (isOver) {
      this.#bindOver(facts);
    } else {
      this.#bindRunning(facts);
    }
    if (this.isOpen) {
      this.#why.bind(facts);
    }
  }

  #bindOver({ run, elapsed, size, how }: RunFacts): void {
    const { done, took, worth, of } = this.#sum;
    const all = run.total;
    this.#saved.hidden = true;
    done.set(
      run.done < all
        ? `${format.exact(run.done)} of ${format.exact(all)}`
        : format.exact(run.done)
    );
    took.set(format.took(elapsed) + (how ? `, ${how}` : ''));
    const gave = elapsed > 0 ? run.spent.computing / elapsed : 0;
    worth.set(format.rate(gave));
    of.set(` of ${format.many(size, 'worker')}`);
    (of.element.parentElement as HTMLElement).hidden = size < 2;
  }

  #bindRunning({ run, left, elapsed, atWork, size }: RunFacts): void {
    const { done, failed, total, total_known: isKnown, in_hand: inHand } = run;
    const facts = this.#facts;
    this.#done.set(format.exact(done));
    this.#all.set(isKnown ? ` / ${format.exact(total)}` : ' so far');
    this.#left.set(isKnown ? format.left(left) : '');
    this.#leftWord.hidden = !isKnown || left === null;
    this.#open.set(!isKnown);
    const share = (count: number): string =>
      `${((100 * count) / Math.max(1, total)).toFixed(2)}%`;
    this.#parts.ok.set(share(done - failed));
    this.#parts.bad.set(share(failed));
    this.#parts.hand.set(share(inHand));
    this.#bars.ok.hidden = !isKnown;
    this.#bars.bad.hidden = !isKnown || !failed;
    this.#bars.hand.hidden = !isKnown || !inHand;
    this.#values.label.set(run.function);
    this.#values.now.set(isKnown ? String(done) : null);
    this.#values.max.set(isKnown ? String(total) : null);
    this.#values.text.set(spoken(run, left));
    const [rate, unit] = format.perTime(elapsed > 0 ? done / elapsed : 0);
    facts.rate.set(rate);
    facts.unit.set(unit);
    this.#saved.hidden = run.not_copied < MUCH;
    facts.saved.set(format.bytes(run.not_copied));
    facts.each.set(format.time(run.each_p50));
    facts.atWork.set(String(atWork));
    facts.of.set(` of ${size} at work`);
  }
}

function count(text: Text, value: number, word: string): void {
  text.set(value ? `${format.exact(value)} ${word}` : '');
  text.element.hidden = !value;
}

/** How far a run is, for who cannot see the bar. */
export function spoken(run: RunRow, left: number | null): string {
  const { done, failed, lost, total, total_known: isKnown } = run;
  const words = [
    isKnown
      ? `${format.exact(done)} of ${format.exact(total)}`
      : `${format.exact(done)} so far`,
    failed ? `${format.exact(failed)} failed` : '',
    lost ? `${format.exact(lost)} lost` : '',
    left === null ? '' : `about ${format.left(left)} left`
  ];
  return words.filter(Boolean).join(', ');
}
