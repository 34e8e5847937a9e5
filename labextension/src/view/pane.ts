/** What the lists are in: a pane behind a tab, or a section of a narrow panel. */

import { Attribute, Flag, Text } from './cells';
import { el, icon } from './dom';

export class Pane {
  readonly element: HTMLElement;
  /** Changes the order where there is no room for headers. */
  readonly by: HTMLButtonElement;

  readonly #role: Attribute;
  readonly #folded: Flag;
  readonly #expanded: Attribute;
  readonly #number: Text;
  readonly #trouble: Text;
  readonly #byText: Text;
  #isFolded = false;

  /**
   * @param id - "tasks", "workers", "objects" or "errors".
   * @param title - Its name in words.
   * @param toggled - Called when it was folded or unfolded.
   */
  constructor(
    readonly id: string,
    title: string,
    private readonly toggled: () => void
  ) {
    const number = el('span', { class: 'n' });
    const trouble = el('span');
    const mark = el('span', { class: 'n err', hidden: true }, trouble);
    if (id === 'workers' || id === 'tasks') {
      mark.prepend(el('span', { class: 'st', 'data-s': 'gone' }));
    }
    const fold = el('button', { type: 'button' }, icon('chev'), title);
    fold.append(' ', number, ' ', mark);
    fold.addEventListener('click', () => this.setFolded(!this.#isFolded));
    this.by = el('button', { class: 'by', type: 'button' });
    this.element = el(
      'section',
      { class: `pane ${id}`, id: `p-${id}`, 'aria-label': title },
      el('div', { class: 'fold' }, fold, this.by)
    );
    this.#role = new Attribute(this.element, 'role');
    this.#folded = new Flag(this.element, 'folded');
    this.#expanded = new Attribute(fold, 'aria-expanded');
    this.#number = new Text(number);
    this.#trouble = new Text(trouble);
    this.#byText = new Text(this.by);
    this.setNarrow(false);
    this.setFolded(false);
  }

  setNarrow(narrow: boolean): void {
    this.#role.set(narrow ? 'region' : 'tabpanel');
  }

  setFolded(isFolded: boolean): void {
    this.#isFolded = isFolded;
    this.#folded.set(isFolded);
    this.#expanded.set(String(!isFolded));
    this.toggled();
  }

  /** Say how many there are, what is wrong in it, and how it is sorted. */
  setWords(number: string, trouble: string, by: string): void {
    this.#number.set(number);
    this.#trouble.set(trouble);
    (this.#trouble.element.parentElement as HTMLElement).hidden = !trouble;
    this.#byText.set(by);
  }
}
