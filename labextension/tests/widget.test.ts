import { count, inUse, NOTHING, see } from './view/browser';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Asked, onAsked } from '../src/bridge';
import type { Snapshot } from '../src/snapshot';
import widget from '../src/widget';
import type { Answer } from '../src/wire';
import { giveSizes, serving } from './view/support';

interface Said {
  kind: string;
  view: string;
  command?: { id: string; name: string; args: object };
}

/** The model of a widget, as anywidget gives it to all of its views. */
class Model {
  readonly said: Said[] = [];
  readonly listeners = new Set<(message: unknown) => void>();

  constructor(
    readonly snapshot: unknown = {},
    readonly comm: unknown = undefined
  ) {}

  get(name: string): unknown {
    return name === 'comm_id' ? this.comm : this.snapshot;
  }

  on(name: string, listener: (message: unknown) => void): void {
    expect(name).toBe('msg:custom');
    this.listeners.add(listener);
  }

  off(_: string, listener: (message: unknown) => void): void {
    this.listeners.delete(listener);
  }

  send(content: unknown): void {
    this.said.push(content as Said);
  }

  tell(message: unknown): void {
    this.listeners.forEach(listener => listener(message));
  }

  show(values: Partial<Snapshot> = {}): void {
    this.tell({ kind: 'snapshot', snapshot: { ...serving, ...values } });
  }

  kinds(): string[] {
    return this.said.map(({ kind }) => kind);
  }
}

const IDLE = { running: false, number: 3 };
const BUSY = { running: true, number: 3 };

let model: Model;
let cell: HTMLElement;
let end: () => void;

function render(given: Model): () => void {
  model = given;
  return widget.render({ model, el: cell });
}

function find(selector: string): HTMLElement {
  const found =
    cell.firstElementChild?.shadowRoot?.querySelector<HTMLElement>(selector);
  if (!found) {
    throw new Error(`The view has no ${selector}.`);
  }
  return found;
}

function sentence(): string {
  return (find('.words strong').textContent ?? '').replaceAll('\u00a0', ' ');
}

beforeEach(() => {
  vi.useFakeTimers();
  giveSizes();
  count();
  cell = document.createElement('div');
  document.body.replaceChildren(cell);
  end = render(new Model());
});

afterEach(() => {
  end();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the widget', () => {
  it('says that it is ready, and that it can be seen', () => {
    expect(model.kinds().slice(0, 2)).toEqual(['ready', 'visible']);
    expect(new Set(model.said.map(({ view }) => view)).size).toBe(1);
  });

  it('waits for the kernel until the first word, and then draws', () => {
    vi.advanceTimersByTime(1000);
    expect(sentence()).toBe('Waiting for the kernel');
    model.show();
    vi.advanceTimersByTime(1000);
    expect(sentence()).toContain('Serving 4 objects');
  });

  it('draws nothing of a message that it does not know', () => {
    model.show();
    vi.advanceTimersByTime(1000);
    model.tell({ kind: 'snapshot', snapshot: { schema: 2, objects: [] } });
    model.tell({ kind: 'song' });
    vi.advanceTimersByTime(1000);
    expect(sentence()).toContain('Serving 4 objects');
  });

  it('says again that it can be seen, for as long as it can', () => {
    model.show({ cell: IDLE });
    const before = model.said.length;
    vi.advanceTimersByTime(60_500);
    expect(model.kinds().slice(before)).toEqual(['visible', 'visible', 'visible']);
  });

  it('says nothing while a cell runs', () => {
    model.show({ cell: BUSY });
    const before = model.said.length;
    vi.advanceTimersByTime(60_500);
    expect(model.said).toHaveLength(before);
  });

  it('is one of several of the same model, and each has a name of its own', () => {
    const first = model.said[0]?.view;
    const endSecond = render(model);
    expect(model.said.at(-1)?.view).not.toBe(first);
    endSecond();
  });
});

describe('a widget out of sight', () => {
  beforeEach(() => {
    end();
    end = render(new Model(serving));
    model.show({ cell: IDLE });
  });

  it('says so, and says when it is in sight again', () => {
    see(false);
    see(true);
    expect(model.kinds().slice(-2)).toEqual(['hidden', 'visible']);
  });

  it('says so when the cell has ended that runs now', () => {
    model.show({ seq: serving.seq + 1, cell: BUSY });
    const before = model.said.length;
    see(false);
    expect(model.said).toHaveLength(before);
    model.show({ seq: serving.seq + 2, cell: IDLE });
    expect(model.kinds().slice(before)).toEqual(['hidden']);
    model.show({ seq: serving.seq + 3, cell: IDLE });
    expect(model.said).toHaveLength(before + 1);
  });

  it('has nothing to say of a look away and back while a cell runs', () => {
    model.show({ seq: serving.seq + 1, cell: BUSY });
    const before = model.said.length;
    see(false);
    see(true);
    model.show({ seq: serving.seq + 2, cell: IDLE });
    expect(model.said).toHaveLength(before);
  });
});

describe('a widget in JupyterLab', () => {
  const asked: Asked[] = [];
  let answer: Answer | null;
  let stop: () => void;
  beforeEach(() => {
    end();
    asked.length = 0;
    answer = { status: 'ok' };
    stop = onAsked(found => {
      asked.push(found);
      return found.comm === 'c1' ? Promise.resolve(answer) : undefined;
    });
    end = render(new Model(serving, 'c1'));
    model.show({ cell: BUSY });
  });

  afterEach(() => {
    end();
    stop();
  });

  it('has the extension say what it says, also while a cell runs', () => {
    see(false);
    see(true);
    end();
    expect(asked.map(({ question }) => question)).toEqual(
      asked.map(() => 'duck_look_request')
    );
    const kinds = ['ready', 'visible', 'hidden', 'visible', 'hidden', 'hidden'];
    expect(asked.map(({ content }) => content['look'])).toEqual(kinds);
    expect(asked[0]?.content).toMatchObject({ comm_id: 'c1' });
    expect(model.said).toEqual([]);
  });

  it('says it itself where the extension does not know its kernel', () => {
    end();
    end = render(new Model(serving, 'c2'));
    expect(model.kinds()).toEqual(['ready', 'visible']);
  });

  it.each([
    [{ status: 'error', message: 'df is in use.' } as const, 'df is in use.'],
    [null, 'duck_jupyter is not loaded in this kernel.']
  ])('has it send commands, and says what is answered: %j', async (given, words) => {
    answer = given;
    vi.advanceTimersByTime(1000);
    find('.objects [data-do="unshare"]:not([hidden])').click();
    expect(asked.at(-1)).toMatchObject({
      question: 'duck_command_request',
      content: { name: 'unshare', args: { object: 'df' } }
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(find('.band:has(.push)').textContent).toContain(words);
    expect(model.said).toEqual([]);
  });
});

describe('a widget of a saved notebook', () => {
  beforeEach(() => {
    end();
    end = render(new Model(serving));
  });

  it('draws what was saved at once', () => {
    vi.advanceTimersByTime(500);
    expect(sentence()).toContain('4 objects');
  });

  it('says that it is old when no kernel is heard', () => {
    vi.advanceTimersByTime(10_000);
    expect(sentence()).toMatch(/^Saved /);
  });

  it('is live as soon as a kernel is heard', () => {
    vi.advanceTimersByTime(10_000);
    model.show({ seq: 1, time: serving.time + 500 });
    vi.advanceTimersByTime(1000);
    expect(sentence()).toContain('Serving 4 objects');
  });
});

describe('a command of the widget', () => {
  beforeEach(() => {
    model.show();
    vi.advanceTimersByTime(1000);
    find('.objects [data-do="unshare"]:not([hidden])').click();
  });

  function command(): Said {
    const found = model.said.find(({ kind }) => kind === 'command');
    if (!found) {
      throw new Error('No command was sent.');
    }
    return found;
  }

  it('goes to the kernel with an id, by which it is done once', () => {
    expect(command().command).toMatchObject({
      name: 'unshare',
      args: { object: 'df' }
    });
    expect(command().command?.id).toMatch(/\S{8,}/);
  });

  it('waits in sight until the kernel says that it is done', async () => {
    await vi.advanceTimersByTimeAsync(700);
    expect(find('.pending + p').textContent).toContain('Unshare df is waiting');
    model.show({ seq: serving.seq + 1, done: [command().command?.id ?? ''] });
    await vi.advanceTimersByTimeAsync(0);
    expect(() => find('.pending')).toThrow();
  });

  it('says what the kernel says against it', async () => {
    const id = command().command?.id;
    const message = 'df is in use.';
    model.tell({ kind: 'answer', answer: { id, status: 'error', message } });
    await vi.advanceTimersByTimeAsync(0);
    expect(find('.band:has(.push)').textContent).toContain('Unshare df: df is in use.');
  });

  it('is over with an answer that it is done', async () => {
    const id = command().command?.id;
    model.tell({ kind: 'answer', answer: { id, status: 'ok' } });
    await vi.advanceTimersByTimeAsync(700);
    expect(() => find('.pending')).toThrow();
  });

  it('can be withdrawn, and its answer is then nobody’s', async () => {
    await vi.advanceTimersByTimeAsync(700);
    find('.pending ~ button').click();
    await vi.advanceTimersByTimeAsync(0);
    const id = command().command?.id;
    model.tell({ kind: 'answer', answer: { id, status: 'error', message: 'late' } });
    await vi.advanceTimersByTimeAsync(0);
    expect(find('.duck').textContent).not.toContain('late');
  });
});

describe('a widget whose output goes', () => {
  it('says so, and leaves nothing behind', () => {
    model.show();
    vi.advanceTimersByTime(1000);
    end();
    expect(model.kinds().at(-1)).toBe('hidden');
    expect(model.listeners.size).toBe(0);
    expect(cell.childElementCount).toBe(0);
    expect(inUse()).toEqual(NOTHING);
  });

  it('leaves nothing behind while a command waits', () => {
    model.show();
    vi.advanceTimersByTime(1000);
    find('.objects [data-do="unshare"]:not([hidden])').click();
    end();
    expect(inUse()).toEqual(NOTHING);
  });

  it('leaves nothing behind where it never heard of a kernel', () => {
    end();
    expect(inUse()).toEqual(NOTHING);
  });
});
