/** The row of a chain that was cut. */

import { Attribute, Text } from './cells';
import { el, icon } from './dom';
import { total } from './format';
import { type CutLine, type Line, splitName } from './tree';
import { TreeRow, type RowView } from './treerow';

export class CutRowView extends TreeRow {
  readonly #what = new Text(el('span'));
  readonly #limit = new Text(el('span'));
  readonly #times = new Text(el('span', { class: 'long' }));
  readonly #path: Attribute;

  constructor(view: RowView) {
    super(
      'row cut',
      el(
        'div',
        { class: 'name', role: 'gridcell' },
        el('span', { class: 'tw leaf' }),
        icon('cut')
      ),
      view
    );
    const why = el(
      'span',
      { class: 'why' },
      el('span', { class: 'long' }, 'cut here, it would be '),
      this.#what.element,
      el('span', { class: 'long' }, 'at most '),
      this.#limit.element,
      this.#times.element
    );
    const link = el(
      'button',
      { class: 'link err', type: 'button', tabindex: -1, 'data-do': 'what' },
      'What to do'
    );
    this.name.append(why, link);
    this.#path = new Attribute(this.name, 'title');
  }

  override bind(line: Line, index: number): void {
    super.bind(line, index);
    if (line.kind === 'cut') {
      this.#bindCut(line);
    }
  }

  #bindCut({ front, chain }: CutLine): void {
    const [start, end] = splitName(front);
    this.front.set(start, this.view.sought);
    this.tail.set(end, this.view.sought);
    this.#path.set(chain.path);
    this.#what.set(`level ${chain.level} of `);
    this.#limit.set(String(chain.max_level));
    this.#times.set(chain.cuts > 1 ? `, ${total(chain.cuts)} times` : '');
  }
}
