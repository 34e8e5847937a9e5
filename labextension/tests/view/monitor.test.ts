import { count, inUse, NOTHING, see } from './browser';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ObjectRow, Snapshot } from '../../src/snapshot';
import type { Absence, Command, Source, Update } from '../../src/source';
import { mountMonitor } from '../../src/view/monitor';
import { giveSizes, serving } from './support';

/** A host, of which a test says what comes. */
class Host implements Source {
  readonly host = { title: 'flights.ipynb' };
  readonly listeners = new Set<(update: Update) => void>();
  readonly seen: boolean[] = [];
  readonly commands: Command[] = [];
  first: Update = { kind: 'snapshot', snapshot: serving };

  current(): Update {
    return this.first;
  }

  subscribe(listener: (update: Update) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  setVisible(visible: boolean): void {
    this.seen.push(visible);
  }

  send(command: Command): Promise<void> {
    this.commands.push(command);
    return new Promise(() => undefined);
  }

  tell(update: Update): void {
    this.listeners.forEach(listener => listener(update));
  }

  /** Tell what there is so many seconds later. */
  after(seconds: number, values: Partial<Snapshot> = {}): void {
    const time = serving.time + seconds;
    this.tell({
      kind: 'snapshot',
      snapshot: { ...serving, seq: serving.seq + seconds, time, ...values }
    });
  }
}

let source: Host;
let element: HTMLElement;
let unmount: () => void;

function mountedOn(host: HTMLElement): () => void {
  return mountMonitor(host, source);
}

/** Let a second pass, in which words may change. */
function pass(milliseconds = 1000): void {
  vi.advanceTimersByTime(milliseconds);
}

function find(selector: string): HTMLElement {
  const found = element.shadowRoot?.querySelector<HTMLElement>(selector);
  if (!found) {
    throw new Error(`The view has no ${selector}.`);
  }
  return found;
}

function textOf(selector: string): string {
  return (find(selector).textContent ?? '').replaceAll('\u00a0', ' ');
}

function names(): string[] {
  const rows = element.shadowRoot?.querySelectorAll('.objects .row .id') ?? [];
  return [...rows].map(row => row.textContent ?? '');
}

function button(label: string): HTMLButtonElement {
  return find(`[aria-label="${label}"]`) as HTMLButtonElement;
}

beforeEach(() => {
  vi.useFakeTimers();
  giveSizes();
  count();
  source = new Host();
  element = document.createElement('div');
  document.body.replaceChildren(element);
  unmount = mountedOn(element);
  pass();
});

afterEach(() => {
  unmount();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('keys that are pressed in a view', () => {
  const heard: string[] = [];
  const listen = (event: KeyboardEvent): number => heard.push(event.key);

  beforeEach(() => {
    heard.length = 0;
    document.addEventListener('keydown', listen);
  });
  afterEach(() => document.removeEventListener('keydown', listen));

  function type(selector: string, key: string, values: KeyboardEventInit = {}): void {
    const target = find(selector);
    target.focus();
    target.dispatchEvent(
      new KeyboardEvent('keydown', { key, bubbles: true, composed: true, ...values })
    );
    expect(element.shadowRoot?.activeElement).toBe(target);
  }

  it.each([
    '.objects .rows .row',
    '.sort',
    '.tab',
    '.seg button',
    '.find input',
    '.plot'
  ])('never reach the page, and leave the focus: %s', selector => {
    ['d', 'x', 'ArrowDown', 'ArrowUp', 'Enter', 'z'].forEach(key => {
      if (!(key.startsWith('Arrow') && selector.includes('row'))) {
        type(selector, key);
      }
    });
    type(selector, 'Enter', { ctrlKey: true });
    expect(heard).toEqual([]);
  });

  it('are the page’s where they save or open the palette', () => {
    type('.sort', 's', { ctrlKey: true });
    type('.sort', 'C', { metaKey: true, shiftKey: true });
    type('.sort', 's');
    type('.sort', 'M', { ctrlKey: true, shiftKey: true });
    expect(heard).toEqual(['s', 'C']);
  });

  it('are no shortcuts, also where the page looks at a key before the view', () => {
    const marked: boolean[] = [];
    const look = (): number =>
      marked.push(element.hasAttribute('data-lm-suppress-shortcuts'));
    document.addEventListener('keydown', look, true);
    type('.sort', 'd');
    type('.sort', 's', { ctrlKey: true });
    document.removeEventListener('keydown', look, true);
    expect(marked).toEqual([true, false]);
  });
});

describe('a view that was out of sight', () => {
  it('draws no gap, and is not silent before it could hear anything', () => {
    source.after(1);
    pass();
    see(false);
    pass(20_000);
    see(true);
    pass(1000);
    expect(textOf('.words strong')).toContain('Serving');
    expect(find('.duck').dataset['state']).toBe('live');
    source.after(22);
    pass();
    expect(() => find('.plot .gap')).toThrow();
  });

  it('says that the kernel is silent where it is, after that', () => {
    see(false);
    pass(20_000);
    see(true);
    pass(4000);
    expect(textOf('.words strong')).toMatch(/^No news for [34] s/);
    source.after(25);
    source.after(30);
    pass();
    expect(find('.plot .gap')).toBeTruthy();
  });
});

describe('a view', () => {
  it('draws what its source has when it is mounted', () => {
    expect(textOf('.words strong')).toContain('Serving 4 objects to 3 workers');
    expect(textOf('[aria-controls="p-objects"]').trim()).toBe('Objects 4');
    expect(names()).toContain('cache');
  });

  it('draws what comes', () => {
    const fresh = { ...(serving.objects[0] as ObjectRow), idx: 99, path: 'fresh' };
    source.after(1, { objects: [...serving.objects, fresh] });
    pass(2500);
    expect(names()).toEqual(expect.arrayContaining(['df', 'cache', 'fresh']));
    source.after(4);
    pass(2500);
    expect(names()).not.toContain('fresh');
  });

  it.each<[Absence, string]>([
    [{ kind: 'waiting' }, 'Waiting for the kernel'],
    [{ kind: 'no-kernel' }, 'No kernel'],
    [{ kind: 'not-loaded' }, 'Not loaded'],
    [{ kind: 'language', language: 'R' }, 'Nothing to show here'],
    [{ kind: 'silent' }, 'The kernel does not answer'],
    [{ kind: 'dead' }, 'The kernel has ended']
  ])('says in words why there is nothing to draw: %o', (absence, words) => {
    source.tell({ kind: 'absence', absence });
    pass();
    expect(textOf('.words strong')).toBe(words);
    expect(find('.tools').hidden).toBe(true);
  });

  it('comes back after an absence', () => {
    source.tell({ kind: 'absence', absence: { kind: 'silent' } });
    pass();
    source.tell({ kind: 'snapshot', snapshot: serving });
    pass();
    expect(textOf('.words strong')).toContain('Serving 4 objects');
    expect(find('.tools').hidden).toBe(false);
  });

  it('shows a saved session as old, and offers nothing that needs a kernel', () => {
    source.tell({ kind: 'absence', absence: { kind: 'saved', snapshot: serving } });
    pass();
    expect(textOf('.words strong')).toMatch(/^Saved /);
    expect(button('Pause drawing').disabled).toBe(true);
    expect(names()).toContain('df');
  });

  it('says so when there is no news', () => {
    pass(6000);
    expect(textOf('.words strong')).toMatch(/^No news for [67] s$/);
  });

  it('stands still while it is paused, and then draws what came', () => {
    button('Pause drawing').click();
    source.after(3, { workers: [] });
    pass();
    expect(textOf('.words strong')).toContain('Drawing paused, 3 s behind');
    expect(textOf('[aria-controls="p-workers"] .n')).toBe('3');
    button('Go on drawing').click();
    pass();
    expect(textOf('[aria-controls="p-workers"] .n')).toBe('0');
  });

  it('finds in all lists at once', () => {
    const input = find('.find input') as HTMLInputElement;
    input.value = 'cache';
    input.dispatchEvent(new Event('input', { bubbles: true }));
    pass();
    expect(names()).toEqual(['cache']);
    expect(textOf('[aria-controls="p-objects"]')).toContain('1 of 4');
    expect(textOf('[aria-controls="p-workers"]')).toContain('0 of 3');
    expect(textOf('[aria-controls="p-errors"]')).toContain('1 of 2');
  });

  it('begins the search with a slash, and pauses with a space', () => {
    const press = (target: HTMLElement, key: string): boolean =>
      target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    press(find('.duck'), '/');
    expect(element.shadowRoot?.activeElement).toBe(find('.find input'));
    press(find('.duck'), ' ');
    expect(button('Go on drawing')).toBeTruthy();
  });

  it('opens the errors at the one that a row names', () => {
    find('.objects .fault:not([hidden])').click();
    expect(find('.duck').dataset['pane']).toBe('errors');
    expect(find('.ehead[aria-expanded="true"]').textContent).toContain('KeyError');
  });

  it('says how many kinds of error there are, as the list has them', () => {
    expect(textOf('.words')).toContain('2 kinds of error');
    expect(textOf('[aria-controls="p-errors"]')).toContain('2');
    button('Clear what is drawn and listed').click();
    pass();
    expect(textOf('.words')).not.toContain('error');
    expect(textOf('.errors .nothing')).toBe(
      'No call and no task has failed since the list was cleared.'
    );
  });

  it('lets other views of the page be', () => {
    const other = document.createElement('div');
    document.body.append(other);
    const unmountOther = mountedOn(other);
    button('Pause drawing').click();
    pass();
    const words = other.shadowRoot?.querySelector('.words')?.textContent;
    expect(words).toContain('Serving 4 objects');
    unmountOther();
    expect(names()).toContain('df');
  });
});

describe('a view that nobody can see', () => {
  it('says so to its source, and draws nothing until it can be seen', () => {
    see(false);
    pass(50); // for a picture that was due already
    const before = find('.objects .rows').innerHTML;
    source.after(1, { objects: [], state: 'empty' });
    pass(5000);
    expect(source.seen.at(-1)).toBe(false);
    expect(find('.objects .rows').innerHTML).toBe(before);
    see(true);
    pass();
    expect(source.seen.at(-1)).toBe(true);
    expect(textOf('.words strong')).toBe('Ready, nothing shared yet');
  });

  it('is one of a hidden page, too', () => {
    const hidden = vi.spyOn(document, 'visibilityState', 'get');
    hidden.mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(source.seen.at(-1)).toBe(false);
  });
});

describe('a view that was taken out', () => {
  it('leaves nothing behind: no timer, no observer, no listener, no picture due', () => {
    expect(inUse()).not.toEqual(NOTHING);
    source.after(1);
    unmount();
    expect(inUse()).toEqual(NOTHING);
    expect(source.listeners.size).toBe(0);
    expect(source.seen.at(-1)).toBe(false);
    expect(element.shadowRoot?.childElementCount).toBe(0);
  });

  it('leaves nothing behind where a command waited, something was found, and paused', () => {
    find('.objects [data-do="reset"]').click();
    find('.objects .fault:not([hidden])').click();
    button('Pause drawing').click();
    expect(source.commands).toHaveLength(1);
    unmount();
    expect(inUse()).toEqual(NOTHING);
  });

  it('leaves nothing behind where it was only an absence', () => {
    unmount();
    source.first = { kind: 'absence', absence: { kind: 'not-loaded' } };
    const other = document.createElement('div');
    document.body.append(other);
    mountedOn(other)();
    expect(inUse()).toEqual(NOTHING);
  });

  it('can be mounted again in the same place', () => {
    unmount();
    unmount = mountedOn(element);
    pass();
    expect(names()).toContain('df');
    unmount();
    expect(inUse()).toEqual(NOTHING);
  });

  it('may be taken out twice', () => {
    unmount();
    expect(unmount).not.toThrow();
  });
});
