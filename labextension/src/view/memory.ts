/** Shared memory in one line. */

import type { MemoryRow, Totals } from '../snapshot';
import { Attribute, Style, Text } from './cells';
import { el, icon } from './dom';
import * as format from './format';

/** In use; from here on the next thing may not fit. */
const NEAR = 0.8;
/** Bytes that were not copied are worth a word from here on. */
const MUCH = 1024 * 1024;

export class Memory {
  readonly element: HTMLElement;
  readonly #zone: Attribute;
  readonly #value: Attribute;
  readonly #own: Style;
  readonly #others: Style;
  readonly #held = new Text(el('b'));
  readonly #saved = new Text(el('b'));
  readonly #notCopied = el('span', {}, this.#saved.element, ' not copied');
  readonly #free = new Text(el('span'));
  readonly #spooled = new Text(el('span', { class: 'extra' }));
  readonly #finding: HTMLButtonElement;
  readonly #found = new Text(el('span'));
  #line = '';

  readonly #bar = el('span', { class: 'ours' });

  constructor(copy: (line: string) => void) {
    const theirs = el('span', { class: 'theirs' });
    const track = el(
      'span',
      {
        class: 'track',
        role: 'meter',
        'aria-valuemin': '0',
        'aria-valuemax': '100',
        'aria-label': 'Shared memory in use'
      },
      this.#bar,
      theirs
    );
    this.#finding = el(
      'button',
      { class: 'find-d', type: 'button', hidden: '' },
      icon('alert'),
      this.#found.element
    );
    this.#finding.addEventListener('click', () => copy(this.#line));
    this.element = el(
      'footer',
      { class: 'mem', 'aria-label': 'Shared memory' },
      el('span', { class: 'title' }, 'Shared memory'),
      track,
      el(
        'span',
        { class: 'facts' },
        el('span', {}, this.#held.element, ' held'),
        this.#notCopied,
        this.#free.element,
        this.#spooled.element
      ),
      el('span', { class: 'spacer' }),
      this.#finding
    );
    this.#zone = new Attribute(this.element, 'data-z');
    this.#value = new Attribute(track, 'aria-valuenow');
    this.#own = new Style(this.#bar, '--v');
    this.#others = new Style(theirs, '--o');
  }

  update(memory: MemoryRow, { handovers, handed_bytes: saved }: Totals): void {
    this.#notCopied.hidden = saved < MUCH;
    this.#notCopied.title = `${format.many(handovers, 'hand-over')}; pickling would have copied it`;
    this.#saved.set(format.bytes(saved));
    const { capacity, free, ours } = memory;
    this.#held.set(format.bytes(ours));
    this.#bar.hidden = ours === 0;
    if (capacity === null || free === null) {
      this.#free.set('');
    } else {
      const inside = Math.max(0, ours - memory.spooled);
      const used = Math.max(0, capacity - free);
      this.#own.set(String((100 * Math.min(inside, used)) / capacity));
      this.#others.set(String((100 * Math.max(0, used - inside)) / capacity));
      this.#value.set(String(Math.round((100 * used) / capacity)));
      this.#zone.set(used / capacity >= NEAR ? 'near' : null);
      this.#free.set(
        `${format.bytes(free, 2)} free of ${format.plainBytes(capacity, 2)} in /dev/shm`
      );
    }
    this.#spooled.set(
      memory.spooled
        ? `${format.bytes(memory.spooled)} spooled to ${memory.spool_dir}`
        : 'none spooled'
    );
    const finding = memory.findings?.[0];
    this.#finding.hidden = !finding;
    if (finding) {
      this.#line = finding.line;
      this.#found.set(finding.what);
      this.#finding.title = [finding.detail, finding.line && `Copy: ${finding.line}`]
        .filter(Boolean)
        .join('\n');
    }
  }
}
