/** Parts of elements that are changed only where something is new. */

import { el } from './dom';

/**
 * The text of an element. It remembers what it wrote: to compare with that is far cheaper
 * than to ask the document, and most rows say the same as a second ago.
 */
export class Text {
  #text = '';
  #found = '';

  constructor(readonly element: HTMLElement) {}

  /** Write a text, with the first place that holds `find` marked. */
  set(text: string, find = ''): void {
    if (text === this.#text && find === this.#found) {
      return;
    }
    this.#text = text;
    this.#found = find;
    const at = find ? text.toLowerCase().indexOf(find) : -1;
    if (at < 0) {
      this.element.textContent = text;
    } else {
      const end = at + find.length;
      const mark = el('mark', {}, text.slice(at, end));
      this.element.replaceChildren(text.slice(0, at), mark, text.slice(end));
    }
  }
}

/** A text in which what stands between backticks is code. */
export function coded(text: string): (HTMLElement | string)[] {
  return text.split('`').map((part, at) => (at % 2 ? el('code', {}, part) : part));
}

/** The text of an element, likewise with code in it. */
export class Coded {
  #text = '';

  constructor(readonly element: HTMLElement) {}

  set(text: string): void {
    if (text !== this.#text) {
      this.#text = text;
      this.element.replaceChildren(...coded(text));
    }
  }
}

/** Where a sentence may be cut when there is little room: at its right, part by part. */
const PART = /(?=, | · |: | to \d+ worker)/;

/** Words that say little, and go before a number does. */
const SPARE = /(^Running | a call(?=,|$)|, nobody is calling$)/;

/**
 * The text of an element in parts: where there is little room a whole part goes, and no
 * number is cut.
 */
export class Parts {
  #text = '';

  constructor(readonly element: HTMLElement) {}

  set(text: string): void {
    if (text !== this.#text) {
      this.#text = text;
      const parts = text ? text.split(PART) : [];
      this.element.replaceChildren(...parts.map(partOf));
    }
  }
}

function partOf(text: string): HTMLElement {
  const words = text
    .split(SPARE)
    .flatMap((part, at) =>
      at % 2 ? [el('span', { class: 'spare' }, part)] : coded(part)
    );
  return el('span', {}, ...words);
}

/** An attribute of an element, likewise. */
export class Attribute {
  #value: string | null = null;

  constructor(
    private readonly element: Element,
    private readonly name: string
  ) {}

  set(value: string | null): void {
    if (value === this.#value) {
      return;
    }
    this.#value = value;
    if (value === null) {
      this.element.removeAttribute(this.name);
    } else {
      this.element.setAttribute(this.name, value);
    }
  }
}

/** A class of an element, likewise. */
export class Flag {
  #isOn = false;

  constructor(
    private readonly element: Element,
    private readonly name: string
  ) {}

  set(isOn: boolean): void {
    if (isOn !== this.#isOn) {
      this.#isOn = isOn;
      this.element.classList.toggle(this.name, isOn);
    }
  }
}

/** A property of an element's style, likewise; a page may forbid whole style attributes. */
export class Style {
  #value = '';

  constructor(
    private readonly element: HTMLElement,
    private readonly name: string
  ) {}

  set(value: string): void {
    if (value !== this.#value) {
      this.#value = value;
      this.element.style.setProperty(this.name, value);
    }
  }
}
