/** The line that says why what is seen is not of now. */

import { Text } from './cells';
import { el, icon } from './dom';
import * as format from './format';
import type { Liveness } from './state';

export class Band {
  readonly element = el('div', { hidden: true });
  readonly #lead = new Text(el('b'));
  readonly #words = new Text(el('span'));
  readonly #line = new Text(el('code'));
  readonly #end = new Text(el('span'));

  constructor() {
    const parts = [this.#lead, this.#words, this.#line, this.#end];
    const words = el('p', {}, ...parts.map(part => part.element));
    this.element.append(icon('clock'), words);
  }

  /** Say it, where there is something to say. */
  say(liveness: Liveness, silence: number): void {
    this.element.hidden = liveness !== 'silent' && liveness !== 'saved';
    this.element.className = `band ${liveness === 'silent' ? 'warn' : 'quiet'}`;
    if (liveness === 'silent') {
      this.#write(
        `Last update ${format.age(silence)} ago.`,
        ' Most likely a C call in the running cell keeps the GIL. Workers go on ' +
          'computing; their calls wait. What they did meanwhile is drawn when the ' +
          'kernel answers.'
      );
    } else if (liveness === 'saved') {
      this.#write(
        '',
        'The last state this notebook was saved with. Run ',
        '%duck monitor',
        ' to watch the kernel.'
      );
    }
  }

  #write(lead: string, words: string, line = '', end = ''): void {
    this.#lead.set(lead);
    this.#words.set(words);
    this.#line.set(line);
    this.#end.set(end);
  }
}
