/** The row of an object. */

import { membersOf, type PathRow } from '../paths';
import type { ObjectRow } from '../snapshot';
import { Bar, fillZone } from './bar';
import { Attribute, Flag, Parts, Text } from './cells';
import { el, icon, type IconName } from './dom';
import { age, bytes, many, rate, total } from './format';
import { callsOf } from './history';
import {
  fetchLine,
  fillTitle,
  isHandedOnly,
  isOftenBeside,
  isRefused,
  MODES,
  share,
  sizeInWords,
  versionsInWords
} from './objectwords';
import type { Line, ObjectLine } from './tree';
import { TreeRow, type RowView } from './treerow';

/** A rate changes at most so often, so that it can be read; one that was still, at once. */
const RATE_EVERY_MS = 1000;

/** A hair less, since ticks come a little early or late. */
const SLACK_MS = 60;

/** A button of a row. It is reached by the arrow keys, not by Tab. */
function action(what: string, name: IconName): HTMLButtonElement {
  return el(
    'button',
    { class: 'btn', type: 'button', tabindex: -1, 'data-do': what },
    icon(name)
  );
}

function say(button: HTMLElement, title: string, label: string): void {
  button.title = title;
  button.setAttribute('aria-label', label);
}

function hasFocus(...elements: HTMLElement[]): boolean {
  const [first] = elements;
  const root = first?.getRootNode() as Document | ShadowRoot | undefined;
  return elements.some(element => element === root?.activeElement);
}

function cell(className: string, ...children: Node[]): HTMLElement {
  return el('div', { class: className, role: 'gridcell' }, ...children);
}

export class ObjectRowView extends TreeRow {
  readonly #bar = new Bar('Buffer fill');
  /** The type and the size, where they have no column. */
  readonly #sub = new Parts(el('span', { class: 'sub' }));
  readonly #text: Record<
    | 'live'
    | 'lvl'
    | 'typeLvl'
    | 'more'
    | 'type'
    | 'size'
    | 'mode'
    | 'times'
    | 'notCopied'
    | 'error'
    | 'ago',
    Text
  >;
  readonly #numbers: Record<
    'rate' | 'bytes' | 'over' | 'saved' | 'count' | 'version',
    Text
  >;
  readonly #expanded: Attribute;
  readonly #leaf: Flag;
  readonly #full: Flag;
  readonly #typeFull: Flag;
  readonly #none: Flag;
  readonly #handed: Flag;
  readonly #calls: Attribute;
  readonly #fillTitle: Attribute;
  readonly #gone: Flag;
  readonly #title: Attribute;
  readonly #typeTitle: Attribute;
  readonly #subTitle: Attribute;
  readonly #fault: HTMLButtonElement;
  readonly #actions: Record<'copy' | 'reset' | 'unshare', HTMLButtonElement>;

  #named: {
    readonly line: ObjectLine;
    readonly idx: number;
    readonly type: string;
    readonly size: string;
    readonly sought: string;
    readonly isOff: boolean;
  } | null = null;
  #boundKey = '';
  #boundIdx = -1;
  #boundFind = '';
  #rate = '';
  #rateChanged = -Infinity;

  constructor(view: RowView) {
    const twist = el('span', { class: 'tw' }, icon('chev'));
    super('row', el('div', { class: 'name', role: 'rowheader' }, twist), view);
    const make = (tag: 'span' | 'em' | 'code', name = ''): Text =>
      new Text(el(tag, { class: name || null }));
    const text = {
      live: make('span', 'live'),
      lvl: make('span', 'lvl'),
      typeLvl: make('span', 'lvl'),
      more: make('span', 'count'),
      type: make('span'),
      size: make('em'),
      mode: new Text(cell('c-mode mode')),
      times: make('span', 'only-narrow'),
      notCopied: make('span', 'only-narrow'),
      error: make('code', 'what'),
      ago: make('span', 'ago')
    };
    const numbers = {
      rate: make('span', 'wide'),
      bytes: new Text(cell('c-bytes num dim')),
      over: make('span'),
      saved: make('span', 'dim'),
      count: make('span'),
      version: make('span', 'dim')
    };
    this.#text = text;
    this.#numbers = numbers;
    const id = this.name.querySelector('.id') as HTMLElement;
    id.draggable = true;
    const more = el(
      'span',
      { class: 'lvl more' },
      text.more.element,
      el('span', { class: 'long' }, ' chained')
    );
    this.name.append(text.live.element, text.lvl.element, more, this.#sub.element);
    const type = el(
      'span',
      { class: 'type' },
      text.type.element,
      ' ',
      text.size.element
    );
    this.#fault = el(
      'button',
      { class: 'fault', type: 'button', tabindex: -1, 'data-do': 'fault' },
      text.error.element,
      text.ago.element
    );
    this.#actions = {
      copy: action('copy', 'copy'),
      reset: action('reset', 'reset'),
      unshare: action('unshare', 'unshare')
    };
    // Where there is one column for numbers, what is handed over and not called has these.
    const rateCell = cell('c-rate num', numbers.rate.element, text.times.element);
    const fillCell = cell('c-fill', this.#bar.element, text.notCopied.element);
    this.element.append(
      cell('c-type', type, text.typeLvl.element),
      text.mode.element,
      rateCell,
      numbers.bytes.element,
      cell('c-over', numbers.over.element, numbers.saved.element),
      fillCell,
      cell('c-pub', numbers.count.element, numbers.version.element),
      cell('c-err', this.#fault),
      cell('acts', ...Object.values(this.#actions))
    );
    this.#expanded = new Attribute(this.element, 'aria-expanded');
    this.#leaf = new Flag(twist, 'leaf');
    this.#full = new Flag(text.lvl.element, 'full');
    this.#typeFull = new Flag(text.typeLvl.element, 'full');
    this.#none = new Flag(rateCell, 'none');
    this.#handed = new Flag(this.element, 'handed');
    this.#calls = new Attribute(rateCell, 'title');
    this.#fillTitle = new Attribute(fillCell, 'title');
    this.#gone = new Flag(this.element, 'gone');
    this.#title = new Attribute(id, 'title');
    this.#typeTitle = new Attribute(type, 'title');
    this.#subTitle = new Attribute(this.#sub.element, 'title');
  }

  override bind(line: Line, index: number): void {
    super.bind(line, index);
    if (line.kind !== 'object') {
      return;
    }
    if (!this.#isNamed(line)) {
      this.#bindName(line);
      this.#named = {
        line,
        idx: line.row.idx,
        type: line.row.type,
        size: line.row.size,
        sought: this.view.sought,
        isOff: this.#isOff(line.row)
      };
    }
    const isOther =
      line.key !== this.#boundKey ||
      line.row.idx !== this.#boundIdx ||
      this.view.sought !== this.#boundFind;
    this.#boundKey = line.key;
    this.#boundIdx = line.row.idx;
    this.#boundFind = this.view.sought;
    this.#bindRate(line.row, isOther);
    // With every tick: whoever looks on sees what a call did while it is still warm.
    this.#bindNumbers(line.row);
  }

  /** Whether all but the numbers is drawn as it is. */
  #isNamed(line: ObjectLine): boolean {
    const named = this.#named;
    return (
      named !== null &&
      // Of one path nothing else ever changes but types, its size, and numbers.
      named.idx === line.row.idx &&
      named.type === line.row.type &&
      named.size === line.row.size &&
      named.line.front === line.front &&
      named.line.tail === line.tail &&
      named.line.depth === line.depth &&
      named.line.branch === line.branch &&
      named.line.open === line.open &&
      named.line.below === line.below &&
      named.sought === this.view.sought &&
      named.isOff === this.#isOff(line.row)
    );
  }

  /** Whether nothing can be done to an object: it is gone, or nobody takes commands. */
  #isOff(row: ObjectRow): boolean {
    return !this.view.isLive || this.view.isGone(row);
  }

  #bindName(line: ObjectLine): void {
    const { row } = line;
    const { sought: find } = this.view;
    this.front.set(line.front, find);
    this.tail.set(line.tail, find);
    this.#expanded.set(line.branch ? String(line.open) : null);
    this.#leaf.set(!line.branch);
    const isFull = row.level > 0 && row.level >= row.max_level;
    const level = !row.level
      ? ''
      : isFull
        ? `level ${row.level} of ${row.max_level}`
        : `level ${row.level}`;
    this.#text.lvl.set(level);
    this.#text.typeLvl.set(level);
    this.#full.set(isFull);
    this.#typeFull.set(isFull);
    const isClosed = line.branch && !line.open && line.below > 0;
    this.#text.more.set(isClosed ? `+${line.below}` : '');
    (this.#text.more.element.parentElement as HTMLElement).hidden = !isClosed;
    const size = row.size.replace(/ x /g, ' × ');
    this.#text.type.set(row.type, find);
    this.#text.size.set(size);
    const whole = [row.type, size].filter(Boolean).join(' · ');
    this.#sub.set(whole);
    this.#subTitle.set(whole);
    this.#typeTitle.set(whole);
    // A chained object is shared as the one it was reached through.
    this.#text.mode.set(line.depth ? '' : MODES[row.mode]);
    this.#title.set(`Drag into a cell: ${fetchLine(row)}`);
    this.#gone.set(this.view.isGone(row));
    this.#bindActions(line);
  }

  #bindActions({ row, depth }: ObjectLine): void {
    const { copy, reset, unshare } = this.#actions;
    const isOff = this.#isOff(row);
    if (copy.dataset['of'] !== row.path) {
      copy.dataset['of'] = row.path;
      say(copy, `Copy ${fetchLine(row)}`, `Copy the line that fetches ${row.path}`);
      say(reset, 'Reset peak', `Reset the peak of ${row.path}`);
      say(unshare, 'Unshare', `Unshare ${row.path}`);
    }
    if (reset.disabled !== isOff) {
      if (isOff && hasFocus(reset, unshare)) {
        // A button that is disabled loses the focus to the page.
        this.element.focus({ preventScroll: true });
      }
      reset.disabled = isOff;
      unshare.disabled = isOff;
    }
    // What was reached through another goes when nobody holds it any more.
    const isHidden = depth > 0 || row.level > 0;
    if (unshare.hidden !== isHidden) {
      unshare.hidden = isHidden;
    }
  }

  #bindRate(row: PathRow, isOther: boolean): void {
    const now = this.view.now();
    if (!isOther && now - this.#rateChanged < RATE_EVERY_MS - SLACK_MS) {
      return;
    }
    const calls = this.view.rate(row);
    const words = rate(calls);
    if (isOther || words !== this.#rate) {
      this.#rateChanged = isOther ? -Infinity : now;
      this.#rate = words;
      this.#numbers.rate.set(words);
      this.#none.set(!calls);
      this.#handed.set(isHandedOnly(row, calls));
    }
  }

  #bindHanded({ handovers, handed_bytes: saved }: PathRow): void {
    this.#numbers.over.set(handovers ? total(handovers) : '');
    this.#numbers.saved.set(handovers ? ` · ${bytes(saved)}` : '');
    this.#text.times.set(handovers ? many(handovers, 'hand-over') : '');
    this.#text.notCopied.set(handovers ? `${bytes(saved)} not copied` : '');
  }

  #bindNumbers(row: PathRow): void {
    const live = membersOf(row).length;
    this.#text.live.set(live > 1 ? `×${total(live)}` : '');
    this.#calls.set(many(callsOf(row), 'call'));
    this.#numbers.bytes.set(bytes(row.bytes_in + row.bytes_out));
    const fill = share(row.last, row);
    const beside = this.view.beside(row);
    this.#bar.set({
      value: fill,
      peak: share(row.peak, row),
      zone: isOftenBeside(row, beside) ? 'over' : fillZone(fill, isRefused(row)),
      isPast: row.beside > 0,
      of: sizeInWords(row.bufsize),
      saysOf: !this.view.isSameSize
    });
    this.#fillTitle.set(fillTitle(row, beside) || null);
    this.#bindHanded(row);
    this.#numbers.count.set(row.versions ? total(row.versions) : '');
    this.#numbers.version.set(versionsInWords(row));
    const { error, last_error: words } = row;
    const isHidden = error === null;
    if (this.#fault.hidden !== isHidden) {
      this.#fault.hidden = isHidden;
    }
    if (error !== null) {
      this.#text.error.set(error.type);
      this.#text.ago.set(age(this.view.time - error.time));
      if (words !== null && this.#fault.title !== words) {
        this.#fault.title = words;
      }
    }
  }
}
