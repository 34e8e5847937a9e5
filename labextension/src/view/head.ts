/** The head of the view: the state in words, and the tools. */

import { Attribute, Flag, Parts, Text } from './cells';
import { el, icon, type IconName } from './dom';
import type { Say } from './state';

export const SPANS = [60, 300, 900];

export interface HeadActions {
  pause(paused: boolean): void;
  clear(): void;
  setSpan(seconds: number): void;
  find(text: string): void;
  save(): void;
  copyText(): void;
  resetPeaks(): void;
  unshareAll(): void;
  openErrors(): void;
  openWorkers(): void;
}

function tool(name: IconName, label: string, act: () => void): HTMLButtonElement {
  const button = el(
    'button',
    { class: 'btn', type: 'button', title: label, 'aria-label': label },
    icon(name)
  );
  button.addEventListener('click', act);
  return button;
}

export class Head {
  readonly element: HTMLElement;
  readonly menu: HTMLElement;
  readonly find: HTMLInputElement;
  readonly #whose = new Text(el('span', { class: 'whose' }));
  readonly #mark: Attribute;
  readonly #sentence = new Parts(el('strong'));
  readonly #aside = new Parts(el('span', { class: 'aside' }));
  readonly #rest = new Parts(el('span', { class: 'aside' }));
  readonly #isWarning: Flag;
  readonly #whole: Attribute;
  readonly #failed = new Text(el('button', { class: 'link err', type: 'button' }));
  readonly #workers = new Text(el('button', { class: 'link err', type: 'button' }));
  readonly #errors = new Text(
    el('button', { class: 'link err only-b', type: 'button' })
  );
  readonly #tools: HTMLElement;
  readonly #pause: HTMLButtonElement;
  readonly #more: HTMLButtonElement;
  readonly #spans: HTMLButtonElement[];
  readonly #disabled: (HTMLButtonElement | HTMLInputElement)[];
  #isPaused = false;

  constructor(private readonly actions: HeadActions) {
    const mark = el('span', { class: 'mark', 'data-s': 'none' });
    this.#mark = new Attribute(mark, 'data-s');
    this.#isWarning = new Flag(this.#aside.element, 'warn');
    this.#failed.element.addEventListener('click', () => actions.openErrors());
    this.#workers.element.addEventListener('click', () => actions.openWorkers());
    this.#errors.element.addEventListener('click', () => actions.openErrors());
    this.find = el('input', {
      type: 'text',
      placeholder: 'Find',
      'aria-label': 'Find a function, worker, object or error'
    });
    this.find.addEventListener('input', () => actions.find(this.find.value.trim()));
    this.find.addEventListener('keydown', event => {
      if (event.key === 'Escape' && this.find.value) {
        this.find.value = '';
        actions.find('');
        event.stopPropagation();
      }
    });
    this.#spans = SPANS.map((seconds, at) => {
      const button = el(
        'button',
        { type: 'button', role: 'radio', tabindex: at ? '-1' : '0' },
        `${seconds / 60}m`
      );
      button.addEventListener('click', () => actions.setSpan(seconds));
      return button;
    });
    const segments = el(
      'div',
      { class: 'seg', role: 'radiogroup', 'aria-label': 'Span' },
      ...this.#spans
    );
    segments.addEventListener('keydown', event => this.#moveSpan(event));
    this.#pause = tool('pause', 'Pause drawing', () => this.togglePause());
    const clear = tool('clear', 'Clear what is drawn and listed', () =>
      actions.clear()
    );
    clear.title = 'Clear what is drawn and listed; the kernel’s counts stay';
    this.#more = tool('more', 'More', () => this.openMenu(this.menu.hidden));
    this.#more.setAttribute('aria-haspopup', 'menu');
    this.menu = this.#makeMenu();
    this.#disabled = [...this.#spans, this.#pause, clear];
    this.#tools = el(
      'div',
      { class: 'tools', role: 'toolbar', 'aria-label': 'Monitor' },
      el('div', { class: 'find' }, icon('search'), this.find, el('kbd', {}, '/')),
      el('span', { class: 'sep' }),
      segments,
      el('span', { class: 'sep' }),
      this.#pause,
      clear,
      this.#more
    );
    const words = el(
      'p',
      { class: 'words' },
      this.#sentence.element,
      ' ',
      this.#aside.element,
      this.#rest.element,
      this.#failed.element,
      this.#workers.element,
      this.#errors.element
    );
    this.#whole = new Attribute(words, 'title');
    this.element = el(
      'header',
      { class: 'head' },
      el('div', { class: 'say' }, this.#whose.element, mark, words),
      this.#tools
    );
    this.openMenu(false);
  }

  say(say: Say, title: string): void {
    this.#whose.set(title);
    this.#mark.set(say.mark);
    this.#sentence.set(say.sentence);
    this.#aside.set(say.aside);
    this.#rest.set(say.more);
    const whole = [say.sentence, say.aside, say.more].filter(Boolean).join(', ');
    this.#whole.set(whole.replaceAll('`', ''));
    this.#isWarning.set(say.isWarning);
  }

  setTrouble(failed: string, workers: string, errors: string): void {
    for (const [link, text] of [
      [this.#failed, failed],
      [this.#workers, workers],
      [this.#errors, errors]
    ] as const) {
      link.set(text);
      link.element.hidden = !text;
    }
  }

  /** Show the tools, and offer those that need a kernel only where there is one. */
  setTools(shown: boolean, live: boolean): void {
    this.#tools.hidden = !shown;
    for (const control of this.#disabled) {
      control.disabled = !live;
    }
  }

  setSpan(seconds: number): void {
    for (const [at, button] of this.#spans.entries()) {
      const isIt = SPANS[at] === seconds;
      button.setAttribute('aria-checked', String(isIt));
      button.tabIndex = isIt ? 0 : -1;
    }
  }

  togglePause(): void {
    if (this.#pause.disabled) {
      return;
    }
    this.setPaused(!this.#isPaused);
    this.actions.pause(this.#isPaused);
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused;
    const label = paused ? 'Go on drawing' : 'Pause drawing';
    this.#pause.replaceChildren(icon(paused ? 'play' : 'pause'));
    this.#pause.title = label;
    this.#pause.setAttribute('aria-label', label);
    this.#pause.setAttribute('aria-pressed', String(paused));
  }

  openMenu(open: boolean): void {
    this.menu.hidden = !open;
    this.#more.setAttribute('aria-expanded', String(open));
    if (open) {
      this.menu.querySelector('button')?.focus();
    }
  }

  #makeMenu(): HTMLElement {
    const item = (name: IconName, label: string, act: () => void): HTMLElement => {
      const button = el(
        'button',
        { type: 'button', role: 'menuitem', tabindex: '-1' },
        icon(name),
        label
      );
      button.addEventListener('click', () => {
        this.openMenu(false);
        this.#more.focus();
        act();
      });
      return button;
    };
    const menu = el(
      'div',
      { class: 'menu', role: 'menu', 'aria-label': 'More' },
      item('save', 'Save what is shown as JSON', () => this.actions.save()),
      item('copy', 'Copy as text', () => this.actions.copyText()),
      el('hr'),
      item('reset', 'Reset all peaks', () => this.actions.resetPeaks()),
      item('unshare', 'Unshare all', () => this.actions.unshareAll())
    );
    menu.addEventListener('keydown', event => {
      const items = [...menu.querySelectorAll('button')];
      const at = items.indexOf(event.target as HTMLButtonElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === 'Escape') {
        this.openMenu(false);
        this.#more.focus();
        event.stopPropagation();
      } else if (step) {
        items.at((at + step) % items.length)?.focus();
        event.preventDefault();
      }
    });
    menu.addEventListener('focusout', event => {
      const next = event.relatedTarget as Node | null;
      if (!next || (!menu.contains(next) && next !== this.#more)) {
        this.openMenu(false);
      }
    });
    return menu;
  }

  #moveSpan(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this.#spans.indexOf(event.target as HTMLButtonElement);
    if (!step || at < 0) {
      return;
    }
    const next = (at + step + SPANS.length) % SPANS.length;
    this.#spans[next]?.focus();
    this.actions.setSpan(SPANS[next] ?? 60);
    event.preventDefault();
  }
}
