/** Commands that were sent and are not done yet: shown as waiting, and never lost. */

import type { Command, Source } from '../source';
import { el } from './dom';

/** Commands that are done within so many milliseconds are not shown as waiting. */
const PATIENCE_MS = 600;

/** A command that was sent and is not done. */
interface Pending {
  command: Command;
  words: string;
  withdraw: AbortController;
  since: number;
  timer: number;
}

function wordsOf(command: Command): string {
  switch (command.name) {
    case 'unshare':
      return `Unshare ${String(command.args['object'])}`;
    case 'unshare_all':
      return 'Unshare all';
    case 'reset_peaks':
      return 'Reset peaks';
  }
}

export class PendingCommands {
  readonly element = el('div');
  readonly #waiting = new Set<Pending>();
  #refusal = '';

  constructor(
    private readonly source: Source,
    private readonly announce: (words: string) => void
  ) {}

  /** Send a command; the same one that waits already is not sent again. */
  send(command: Command): void {
    const words = wordsOf(command);
    if ([...this.#waiting].some(pending => pending.words === words)) {
      return;
    }
    const pending = {
      command,
      words,
      withdraw: new AbortController(),
      since: performance.now(),
      timer: window.setTimeout(() => this.#draw(), PATIENCE_MS)
    };
    this.#waiting.add(pending);
    this.#refusal = '';
    this.source.send(command, pending.withdraw.signal).then(
      () => this.#end(pending, ''),
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#end(pending, pending.withdraw.signal.aborted ? '' : `${words}: ${why}`);
      }
    );
  }

  dispose(): void {
    this.#waiting.forEach(({ timer }) => clearTimeout(timer));
  }

  #end(pending: Pending, refusal: string): void {
    this.#waiting.delete(pending);
    clearTimeout(pending.timer);
    if (refusal) {
      this.#refusal = refusal;
      this.announce(refusal);
    }
    this.#draw();
  }

  #draw(): void {
    const now = performance.now();
    const bands = [...this.#waiting]
      .filter(pending => now - pending.since >= PATIENCE_MS - 50)
      .map(pending => {
        const button = el('button', { class: 'push', type: 'button' }, 'Withdraw');
        button.addEventListener('click', () => pending.withdraw.abort());
        const words = `${pending.words} is waiting for the kernel: it may take commands only between cells.`;
        return el(
          'div',
          { class: 'band quiet' },
          el('span', { class: 'pending' }),
          el('p', {}, words),
          button
        );
      });
    if (this.#refusal) {
      const button = el('button', { class: 'push', type: 'button' }, 'Close');
      button.addEventListener('click', () => {
        this.#refusal = '';
        this.#draw();
      });
      bands.push(el('div', { class: 'band warn' }, el('p', {}, this.#refusal), button));
    }
    this.element.replaceChildren(...bands);
  }
}
