/** The row of headers of a table: each is a button that sorts. */

import type { Column } from './columns';
import { Attribute, Text } from './cells';
import { el } from './dom';
import type { Order } from './sort';

interface Head {
  readonly column: Column;
  readonly sort: Attribute;
  readonly text: Text;
  readonly button: HTMLButtonElement;
}

export class HeaderRow {
  readonly element: HTMLElement;

  readonly #heads: Head[];

  /**
   * @param columns - The columns, from left to right.
   * @param choose - Called with the column whose header was clicked.
   */
  constructor(columns: readonly Column[], choose: (column: Column) => void) {
    this.element = el('div', { class: 'hrow', role: 'row', 'aria-rowindex': 1 });
    this.#heads = columns.map((column, at) => {
      const button = el('button', {
        class: 'sort',
        type: 'button',
        title: column.title,
        // One stop of the Tab key; the arrows go from header to header.
        tabindex: at ? -1 : 0
      });
      button.addEventListener('click', () => choose(column));
      const cell = el(
        'div',
        { class: column.className || null, role: 'columnheader' },
        button
      );
      this.element.append(cell);
      const head = {
        column,
        button,
        text: new Text(button),
        sort: new Attribute(cell, 'aria-sort')
      };
      head.text.set(column.text);
      return head;
    });
    this.element.addEventListener('keydown', event => this.#onKey(event));
    this.setOrder(null);
  }

  setOrder(order: Order | null): void {
    for (const { column, sort } of this.#heads) {
      sort.set(order?.column === column.id ? order.direction : 'none');
    }
  }

  setText(id: string, text: string): void {
    this.#heads.find(({ column }) => column.id === id)?.text.set(text);
  }

  /** Focus the header that was focused last. */
  focus(): void {
    this.#heads.find(({ button }) => button.tabIndex === 0)?.button.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const step = steps[event.key];
    // Headers of columns that have no room now cannot be reached.
    const seen = this.#heads.filter(({ button }) => button.checkVisibility?.() ?? true);
    const at = seen.findIndex(({ button }) => button === event.target);
    const next = step === undefined || at < 0 ? undefined : seen[at + step];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      // The focus stays, and the notebook below does not scroll away with it.
      event.preventDefault();
    }
    if (next) {
      event.preventDefault();
      this.#heads.forEach(({ button }) => (button.tabIndex = -1));
      next.button.tabIndex = 0;
      next.button.focus();
    }
  }
}
