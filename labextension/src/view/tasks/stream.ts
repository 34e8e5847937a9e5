/** The stream: a lane for each worker, its name, and how much it waits. */

import type { Snapshot } from '../../snapshot';
import { Attribute, Coded, Text } from '../cells';
import { el } from '../dom';
import * as format from '../format';
import type { WorkerEvent } from '../history';
import { streamColours, type StreamColours } from './colours';
import { drawStream, type Picture } from './draw';
import { type Goal, type Hit, hitAt } from './hit';
import type { Lane, Lanes } from './lanes';
import { laneAt, layOut, type Layout, WITH_NAME } from './layout';
import { StreamNames } from './names';
import { isAtWork, runningOf } from './words';

/** What the stream asks of the rest. */
export interface StreamActions {
  go(goal: Goal): void;
  /** Put the cursor of the charts to a moment, so many seconds ago. */
  point(ago: number | null): void;
  /** Mark the row of a function. */
  mark(name: string | null): void;
  say(words: string): void;
}

/** What is drawn, beside the lanes themselves. */
export interface StreamMoment {
  readonly now: Snapshot;
  readonly span: number;
  /** The clock of now, which goes on where there is no news. */
  readonly time: number;
  readonly events: readonly WorkerEvent[];
}

/** Pixels for lanes in a narrow view, and the largest lane there. */
const NARROW_ROOM = 150;
const NARROW_LANE = 12;
/** Pixels around the lanes: the headers, and the ticks. */
const AROUND = 46;
/** Seconds without news that are drawn as such. */
const LATE_S = 2;

export class Stream {
  readonly element: HTMLElement;

  readonly #busy = new Text(el('b'));
  readonly #of = new Text(el('span'));
  readonly #stream = el('div', { class: 'stream', role: 'img', tabindex: 0 });
  readonly #label = new Attribute(this.#stream, 'aria-label');
  readonly #names = new StreamNames();
  readonly #canvas = el('canvas');
  readonly #marks = el('div', { class: 'marks' });
  readonly #pix = el('div', { class: 'pix' }, this.#canvas, this.#marks);
  readonly #ticks = el('div', { class: 'ticks', 'aria-hidden': 'true' });
  readonly #tip = el('div', { class: 'tip', hidden: true });

  #colours: StreamColours | null = null;
  #font = 'sans-serif';
  #lanes: readonly Lane[] = [];
  #layout: Layout = { height: 16, tops: [], total: 0 };
  #moment: StreamMoment | null = null;
  #room = 0;
  #width = 0;
  #isNarrow = false;
  #only: string | null = null;
  /** Seconds ago and lane under the cursor; null where there is none. */
  #ago: number | null = null;
  #lane: number | null = null;
  #hit: Hit | null = null;
  #ticksOf = '';

  constructor(
    private readonly known: Lanes,
    private readonly actions: StreamActions
  ) {
    const key = (name: string, text: string, more = ''): HTMLElement =>
      el(
        'span',
        { class: name },
        el('span', {}, text, more && el('span', { class: 'long' }, more))
      );
    this.#stream.append(
      this.#names.names,
      this.#pix,
      this.#names.waits,
      this.#ticks,
      this.#tip
    );
    this.element = el(
      'div',
      { class: 'lanes' },
      el(
        'div',
        { class: 'axis' },
        el('span', { class: 'busy' }, this.#busy.element, this.#of.element),
        el(
          'div',
          { class: 'key' },
          key('hatched', 'waiting', ' on the kernel'),
          key('failmark', 'failed'),
          key('bootmark', 'starting')
        ),
        el(
          'span',
          {
            class: 'num',
            title: 'Share of its time that it waited on the kernel, over the span shown'
          },
          'waits'
        )
      ),
      this.#stream
    );
    this.#listen();
  }

  /** Ask for the colours anew. */
  build(): void {
    this.#colours = null;
  }

  /** Measure: what is around it may have another size. */
  resize(isNarrow: boolean): void {
    this.#isNarrow = isNarrow;
    const pane = this.element.closest('.pane');
    this.#width = this.#pix.clientWidth;
    this.#room = isNarrow ? NARROW_ROOM : (pane?.clientHeight || 202) - AROUND;
    this.#colours = null;
  }

  /** Dim all but one function. */
  single(name: string | null): void {
    if (name !== this.#only) {
      this.#only = name;
      this.#paint();
    }
  }

  /** Show the cursor that another part of the view has put to a moment. */
  point(ago: number | null): void {
    this.#ago = ago;
    if (ago === null) {
      this.#lane = null;
    }
    this.#mark();
  }

  /** Draw the canvas, and the words where they may have changed. */
  draw(moment: StreamMoment, withWords: boolean): void {
    this.#moment = moment;
    this.#lanes = this.known.seen(moment.span, moment.now.time);
    const most = this.#isNarrow ? NARROW_LANE : 24;
    this.#layout = layOut(this.#lanes, this.#room, most);
    this.#paint();
    if (withWords) {
      this.#say(moment);
    }
    this.#mark();
  }

  #paint(): void {
    const moment = this.#moment;
    if (!moment || this.#width <= 0) {
      return;
    }
    const { height, total } = this.#layout;
    const context = this.#canvas.getContext('2d');
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(this.#width * ratio), Math.round(total * ratio)];
    if (!context) {
      return;
    }
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
    }
    if (!this.#colours) {
      this.#colours = streamColours(this.element);
      this.#font = getComputedStyle(this.element).fontFamily;
    }
    this.element.style.setProperty('--lane', `${height}px`);
    this.#stream.classList.toggle('small', height < WITH_NAME);
    this.element.classList.toggle('tiny', height < 8);
    this.#pix.style.height = `${total}px`;
    const picture: Picture = {
      lanes: this.#lanes,
      known: this.known,
      layout: this.#layout,
      width: this.#width,
      ratio,
      span: moment.span,
      now: moment.time,
      only: this.#only,
      colours: this.#colours,
      font: this.#font
    };
    drawStream(context, picture);
  }

  #say({ now, span }: StreamMoment): void {
    const alive = this.#lanes.filter(({ goneAt }) => goneAt === null);
    const busy = alive.filter(({ row }) => isAtWork(row)).length;
    const waiting = alive.filter(({ row }) => row.state === 'waiting').length;
    const isUnseen =
      alive.length > 0 && alive.every(({ row }) => row.t_computing === null);
    this.#busy.set(isUnseen ? format.UNKNOWN : String(busy));
    this.#of.set(` of ${alive.length}${this.#isNarrow ? '' : ' at work'}`);
    this.#names.say(this.#lanes, this.#layout, now, span, this.#lane);
    this.#label.set(
      `Workers over the last ${span} seconds: ${busy} of ${alive.length} at work, ` +
        `${waiting} waiting on the kernel. Arrow keys read it.`
    );
    const ticks = `${span} ${this.#isNarrow}`;
    if (ticks !== this.#ticksOf) {
      this.#ticksOf = ticks;
      this.#ticks.replaceChildren(
        ...[3, 2, 1, 0].map(third => {
          const seconds = (span * third) / 3;
          const ago = span > 60 ? format.lasting(seconds) : `${seconds}\u00a0s`;
          const tick = el(
            'span',
            {},
            third === 3 && !this.#isNarrow ? `${ago} ago` : third ? ago : 'now'
          );
          tick.style.left = `${(100 * (3 - third)) / 3}%`;
          return tick;
        })
      );
    }
  }

  /** Events, time without news, the cursor, and what lies under it. */
  #mark(): void {
    const moment = this.#moment;
    if (!moment) {
      return;
    }
    const { span, time, now, events } = moment;
    const left = (ago: number): string => `${(1 - Math.min(ago, span) / span) * 100}%`;
    const parts = events
      .filter(event => time - event.time < span)
      .map(event => placed('event', left(time - event.time), event.what));
    const late = time - now.time;
    if (late > LATE_S) {
      parts.push(placed('gap', left(late)));
    }
    if (this.#ago !== null) {
      parts.push(placed('cursor', left(this.#ago)));
    }
    const lane = this.#lane === null ? undefined : this.#lanes[this.#lane];
    const hit = lane && this.#ago !== null ? this.#find(lane, this.#ago, moment) : null;
    if (hit && this.#lane !== null) {
      const on = el('span', { class: 'laneon' });
      on.style.top = `${this.#layout.tops[this.#lane] ?? 0}px`;
      parts.push(on);
    }
    this.#marks.replaceChildren(...parts);
    this.#hit = hit;
    this.actions.mark(hit?.name ?? null);
    this.#showTip(hit);
  }

  #find(lane: Lane, ago: number, { now, span, time }: StreamMoment): Hit {
    const queued = runningOf(now)
      .filter(({ pool }) => pool === lane.row.pool)
      .reduce((sum, run) => sum + run.queued, 0);
    return hitAt(lane, this.known, time - ago, time, span, queued);
  }

  #showTip(hit: Hit | null): void {
    this.#tip.hidden = hit === null;
    if (!hit || this.#lane === null || this.#ago === null || !this.#moment) {
      return;
    }
    this.#tip.replaceChildren(
      ...[...hit.lines, hit.last].map((line, at) => {
        const text = new Coded(
          el('div', { class: at < hit.lines.length ? null : 'act' })
        );
        text.set(line);
        return text.element;
      })
    );
    const { height, tops, total } = this.#layout;
    const at = this.#pix.offsetLeft + (1 - this.#ago / this.#moment.span) * this.#width;
    const { offsetWidth: wide, offsetHeight: high } = this.#tip;
    const isLeft = at + 12 + wide > this.#stream.clientWidth - 8;
    this.#tip.style.left = `${Math.max(4, isLeft ? at - 10 - wide : at + 12)}px`;
    const top = tops[this.#lane] ?? 0;
    const isAbove = top + height + 6 + high > total + 18;
    const y = isAbove ? Math.max(0, top - high - 6) : top + height + 6;
    this.#tip.style.top = `${this.#pix.offsetTop + y}px`;
  }

  #put(ago: number | null, lane: number | null): void {
    this.#ago = ago;
    this.#lane = lane;
    this.#mark();
    this.#names.on(lane);
    this.actions.point(ago);
  }

  #listen(): void {
    this.#pix.addEventListener('pointermove', event => {
      const box = this.#pix.getBoundingClientRect();
      const span = this.#moment?.span ?? 60;
      const share = (event.clientX - box.left) / Math.max(1, box.width);
      const lane = laneAt(this.#layout, event.clientY - box.top);
      this.#put((1 - Math.min(1, Math.max(0, share))) * span, lane < 0 ? null : lane);
    });
    this.#pix.addEventListener('pointerleave', () => this.#put(null, null));
    this.#pix.addEventListener('click', () => this.actions.go(this.#hit?.goal ?? null));
    this.#stream.addEventListener('keydown', event => this.#onKey(event));
    this.#stream.addEventListener('blur', () => this.#put(null, null));
  }

  #onKey(event: KeyboardEvent): void {
    const steps: Record<string, [ago: number, lane: number]> = {
      ArrowLeft: [1, 0],
      ArrowRight: [-1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1]
    };
    const step = steps[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (step && this.#lanes.length) {
      const isFirst = this.#lane === null;
      const span = this.#moment?.span ?? 60;
      const far = step[0] * (event.shiftKey ? 10 : 1);
      const ago = Math.min(span, Math.max(0, (this.#ago ?? 0) + far));
      const last = this.#lanes.length - 1;
      const lane = Math.min(
        last,
        Math.max(0, (this.#lane ?? 0) + (isFirst ? 0 : step[1]))
      );
      this.#put(ago, lane);
      if (this.#hit) {
        this.actions.say(spokenHit(this.#hit));
      }
    } else if (event.key === 'Enter') {
      this.actions.go(this.#hit?.goal ?? null);
    } else if (event.key === 'Escape' && this.#ago !== null) {
      this.#put(null, null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

function placed(name: string, left: string, title = ''): HTMLElement {
  const mark = el('span', { class: name, title: title || null });
  mark.style.left = left;
  return mark;
}

/** The tip, for who cannot see it. */
function spokenHit({ lines, last }: Hit): string {
  return [...lines, last].join(', ').replaceAll('`', '');
}
