/** How full a buffer is. */

import { Attribute, Style, Text } from './cells';
import { el } from './dom';
import { percent, times } from './format';

/** How a value stands to its limit; colours and shapes follow from it. */
export type Zone = 'calm' | 'near' | 'over' | 'refused';

/** From so many percent of the buffer on it is nearly full. */
const NEAR = 70;

export function fillZone(value: number, isRefused: boolean): Zone {
  if (isRefused) {
    return 'refused';
  }
  return value > 100 ? 'over' : value >= NEAR ? 'near' : 'calm';
}

/** What a bar shows, in percent of its end. */
export interface BarValue {
  readonly value: number;
  readonly peak: number | null;
  readonly zone: Zone;
  /** Whether the peak is past the end, which then shows it. */
  readonly isPast: boolean;
  /** What the end is, such as "64 KB", or empty. */
  readonly of: string;
  /** Whether that is said beside it, since the rows differ. */
  readonly saysOf: boolean;
}

export class Bar {
  readonly element: HTMLElement;

  readonly #zone: Attribute;
  readonly #valueNow: Attribute;
  readonly #valueText: Attribute;
  readonly #filled: Style;
  readonly #peak: HTMLElement;
  readonly #peakAt: Style;
  readonly #peakClass: Attribute;
  readonly #zero: Attribute;
  readonly #text: Text;
  readonly #of: Text;

  constructor(label: string) {
    const fill = el('span', { class: 'fill' });
    const peak = el('span', { class: 'peak' });
    const value = el('span', { class: 'val' });
    const of = el('span', { class: 'of', hidden: true });
    this.element = el(
      'div',
      {
        class: 'bar',
        role: 'meter',
        'aria-label': label,
        'aria-valuemin': 0,
        'aria-valuemax': 100
      },
      el('span', { class: 'track' }, fill, peak),
      value,
      of
    );
    this.#zone = new Attribute(this.element, 'data-z');
    this.#zero = new Attribute(this.element, 'class');
    this.#valueNow = new Attribute(this.element, 'aria-valuenow');
    this.#valueText = new Attribute(this.element, 'aria-valuetext');
    this.#filled = new Style(fill, '--v');
    this.#peak = peak;
    this.#peakAt = new Style(peak, '--p');
    this.#peakClass = new Attribute(peak, 'class');
    this.#text = new Text(value);
    this.#of = new Text(of);
  }

  set({ value, peak, zone, isPast, of, saysOf }: BarValue): void {
    const shown = Math.min(value, 100);
    this.#zone.set(zone);
    this.#zero.set(value ? 'bar' : 'bar zero');
    this.#valueNow.set(String(Math.round(shown)));
    this.#valueText.set(
      percent(value / 100) +
        (peak === null ? '' : `, peak ${percent(peak / 100)}`) +
        (of ? ` of ${of}` : '') +
        (isPast ? ', larger frames beside it' : '')
    );
    this.#filled.set(shown.toFixed(1));
    this.#peak.hidden = peak === null;
    this.#peakAt.set(isPast ? '100' : Math.min(100, peak ?? 0).toFixed(1));
    this.#peakClass.set(isPast ? 'peak past' : 'peak');
    this.#text.set(value > 100 ? times(value / 100) : percent(value / 100));
    this.#of.set(saysOf ? `of ${of}` : '');
    this.#of.element.hidden = !saysOf;
  }
}
