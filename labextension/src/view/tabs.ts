/** Which of the lists is seen, where there is room for one. */

import { Attribute, Text } from './cells';
import type { List } from './context';
import { el } from './dom';

const NAMES = {
  tasks: 'Tasks',
  workers: 'Workers',
  objects: 'Objects',
  errors: 'Errors'
};

export type PaneName = keyof typeof NAMES;

interface Tab {
  name: PaneName;
  button: HTMLButtonElement;
  count: Text;
  trouble: Text;
  list: List;
}

export class Tabs {
  readonly element = el('div', {
    class: 'tabs',
    role: 'tablist',
    'aria-label': 'Details'
  });
  readonly #tabs: Tab[];
  #selected: PaneName = 'objects';
  /** Somebody has chosen one, or there was something to open first. */
  #isChosen = false;

  constructor(
    lists: Record<PaneName, List>,
    private readonly pane: Attribute
  ) {
    this.#tabs = (Object.keys(NAMES) as PaneName[]).map(name => {
      const count = new Text(el('span', { class: 'n' }));
      const trouble = new Text(el('span'));
      const mark = el('span', { class: 'n err' }, trouble.element);
      if (name === 'workers' || name === 'tasks') {
        mark.prepend(el('span', { class: 'st', 'data-s': 'gone' }));
      }
      const button = el(
        'button',
        { class: 'tab', type: 'button', role: 'tab', 'aria-controls': `p-${name}` },
        NAMES[name],
        ' ',
        count.element,
        ' ',
        mark
      );
      button.addEventListener('click', () => this.#choose(name));
      return { name, button, count, trouble, list: lists[name] };
    });
    this.element.append(...this.#tabs.map(tab => tab.button));
    this.element.addEventListener('keydown', event => this.#key(event));
    this.select('objects');
  }

  /** Open a tab first, where nobody has chosen another; it changes once at most. */
  begin(name: PaneName): void {
    if (!this.#isChosen) {
      this.#choose(name);
    }
  }

  /** Called when another one is seen. */
  onChange: () => void = () => undefined;

  #choose(name: PaneName): void {
    this.#isChosen = true;
    this.select(name);
  }

  select(name: PaneName): void {
    this.#selected = name;
    this.pane.set(name);
    for (const tab of this.#tabs) {
      tab.button.setAttribute('aria-selected', String(tab.name === name));
      tab.button.tabIndex = tab.name === name ? 0 : -1;
    }
    this.onChange();
  }

  update(): void {
    for (const tab of this.#tabs) {
      const { text, trouble } = tab.list.count();
      tab.count.set(text);
      tab.count.element.hidden = !text;
      tab.trouble.set(trouble);
      const mark = tab.trouble.element.parentElement as HTMLElement;
      mark.hidden = !trouble;
    }
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const at = this.#tabs.findIndex(tab => tab.name === this.#selected);
      const next = this.#tabs.at((at + step) % this.#tabs.length);
      if (next) {
        this.#choose(next.name);
        next.button.focus();
      }
      event.preventDefault();
    }
  }
}
