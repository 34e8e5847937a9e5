import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorRow } from '../../src/snapshot';
import { shortened } from '../../src/view/erroritem';
import { ErrorList } from '../../src/view/errors';
import { MOVE_EVERY_MS } from '../../src/view/sort';
import { coloured, framesIn } from '../../src/view/traceback';
import {
  click,
  error,
  giveSizes,
  golden,
  mount,
  press,
  Rest,
  START,
  state,
  stateOf,
  textOf,
  worker
} from './support';

let rest: Rest;
let list: ErrorList;

beforeEach(() => {
  giveSizes();
  rest = new Rest();
  list = mount(new ErrorList(rest));
});

afterEach(() => {
  list.dispose();
  vi.restoreAllMocks();
});

function items(): HTMLElement[] {
  return [...list.element.querySelectorAll<HTMLElement>('.error')];
}

function types(): string[] {
  return items().map(item => textOf(item, '.t b'));
}

function heads(): HTMLElement[] {
  return [...list.element.querySelectorAll<HTMLElement>('.ehead')];
}

function update(...errors: ErrorRow[]): void {
  rest.clock += MOVE_EVERY_MS;
  list.update(state({ errors, workers: [worker(1), worker(2), worker(3)] }));
}

const old = error('KeyError', { last: START - 50 });
const young = error('ValueError', { last: START - 5 });
const newest = error('TypeError', { last: START - 1 });

describe('the list of errors', () => {
  it('draws the session that both languages are tested with', () => {
    list.update(stateOf(golden));
    expect(types()).toEqual(['LimitedProxyChaining', 'KeyError']);
    const first = items()[0] as HTMLElement;
    expect(textOf(first, '.x')).toBe('×4');
    expect(textOf(first, '.obj')).toBe('root');
    expect(textOf(first, '.msg')).toContain('root.next.next was reached');
    expect(textOf(first, '.by')).toBe('4101');
    expect(textOf(first, '.age')).toBe('2 s');
    expect(textOf(items()[1] as HTMLElement, '.by')).toBe('2 workers');
    expect(list.count()).toEqual({ text: '', trouble: '2' });
  });

  it('says that there may be more workers than the kernel keeps', () => {
    const pids = Array.from({ length: 100 }, (_, at) => 4000 + at);
    update(error('KeyError', { pids }));
    expect(textOf(items()[0] as HTMLElement, '.by')).toBe('100 workers or more');
  });

  it('has the newest on top, whatever comes first', () => {
    update(old, young);
    expect(types()).toEqual(['ValueError', 'KeyError']);
    update(old, young, newest);
    expect(types()).toEqual(['TypeError', 'ValueError', 'KeyError']);
  });

  it('counts one that comes again where it is', () => {
    update(young);
    const before = items()[0];
    update({ ...young, count: 112 });
    expect(items()).toEqual([before]);
    expect(textOf(before as HTMLElement, '.x')).toBe('×112');
  });

  it('says that there is none', () => {
    update();
    expect(textOf(list.element, '.nothing')).toBe('No call has failed.');
    expect(list.count()).toEqual({ text: '0', trouble: '' });
  });

  it('forgets what was when it is cleared, and shows what comes after', () => {
    update(old, young);
    list.clear();
    expect(types()).toEqual([]);
    update(old, { ...young, last: START + 1 });
    expect(types()).toEqual(['ValueError']);
  });

  it('finds errors by what is said of them', () => {
    update(old, { ...young, message: 'no such column' });
    list.find('COLUMN');
    expect(types()).toEqual(['ValueError']);
    expect(list.element.querySelector('mark')?.textContent).toBe('column');
    expect(list.count().text).toBe('1 of 2');
  });
});

describe('kinds of error that are not all listed', () => {
  const cut = (): void => {
    rest.clock += MOVE_EVERY_MS;
    list.update(state({ errors: [young, newest], errorKinds: 1500 }));
  };
  const more = (): HTMLElement | null => list.element.querySelector('.rest');

  it('are said to be more than those', () => {
    cut();
    expect(list.count().trouble).toBe('2 of 1,500');
    expect(list.words).toBe('2 of 1,500 kinds of error');
    expect(more()?.textContent).toBe('Only the newest 2 kinds are listed.');
    expect(more()?.hidden).toBe(false);
  });

  it('are not where all are listed', () => {
    update(young, newest);
    expect(list.words).toBe('2 kinds of error');
    expect(more()?.hidden).toBe(true);
  });

  it('are a number that is not known where the list was cleared since', () => {
    list.time = START - 60;
    list.clear();
    cut();
    expect(list.words).toBe('2+ kinds of error');
    expect(more()?.textContent).toBe('Only the newest 2 kinds are listed.');
  });
});

describe('one kind of error of many objects', () => {
  it('is one line, with how many they are', () => {
    update({ ...young, object: 'd7', objects: 150, count: 300 });
    const [item] = items();
    expect(textOf(item as HTMLElement, '.obj')).toBe('d7 and 149 others');
    expect(textOf(item as HTMLElement, '.x')).toBe('×300');
    expect(list.words).toBe('1 kind of error');
  });
});

describe('an error that is opened', () => {
  it('says first what to do next, with lines to copy', () => {
    list.update(stateOf(golden));
    click(heads()[0] ?? null);
    const detail = list.element.querySelector('.edetail') as HTMLElement;
    expect(heads()[0]?.getAttribute('aria-expanded')).toBe('true');
    expect(heads()[0]?.getAttribute('aria-controls')).toBe(detail.id);
    expect(detail.firstElementChild?.textContent).toBe('What to do next');
    expect(textOf(detail, '.todo p')).toBe('Allow one level more.');
    const snips = detail.querySelectorAll('.snip');
    expect([...snips].map(snip => snip.textContent)).toEqual([
      '%share root --max-chain 3'
    ]);
    click(detail.querySelector('.snip button'));
    expect(rest.copied).toEqual(['%share root --max-chain 3']);
  });

  it('says where, from whom and since when, and has the traceback folded', () => {
    update(error('KeyError', { pids: [1, 2, 3], traceback: 'File "a.py", line 1\nX' }));
    click(heads()[0] ?? null);
    const detail = list.element.querySelector('.edetail') as HTMLElement;
    expect(textOf(detail, '.at')).toBe(
      'df, from PoolWorker-1, -2 and -3, first 1 m ago'
    );
    expect(detail.querySelector('details')?.open).toBe(false);
    expect(textOf(detail, 'summary')).toBe('Remote traceback, 1 frame');
  });

  it('has no traceback and no advice where there is none', () => {
    update(error('KeyError'));
    click(heads()[0] ?? null);
    expect(list.element.querySelector('h4')).toBeNull();
    expect(list.element.querySelector('details')?.hidden).toBe(true);
  });

  it('leaves all others where they are, and those that come go below', () => {
    update(old, young);
    click(heads()[1] ?? null);
    expect(types()).toEqual(['ValueError', 'KeyError']);
    update({ ...old, last: START, count: 9 }, young, newest);
    expect(types()).toEqual(['ValueError', 'KeyError', 'TypeError']);
    click(heads()[1] ?? null);
    update({ ...old, last: START, count: 9 }, young, newest);
    expect(types()).toEqual(['KeyError', 'TypeError', 'ValueError']);
  });

  it('is still open when it comes again', () => {
    update(young);
    click(heads()[0] ?? null);
    const detail = list.element.querySelector('.edetail');
    update({ ...young, count: 2 });
    expect(list.element.querySelector('.edetail')).toBe(detail);
    expect(detail?.getAttribute('hidden')).toBeNull();
  });
});

describe('nothing moves', () => {
  it('under the pointer', () => {
    update(old);
    const all = list.element.querySelector('[role=list]');
    all?.dispatchEvent(new Event('pointerenter'));
    update(old, newest);
    expect(types()).toEqual(['KeyError', 'TypeError']);
    all?.dispatchEvent(new Event('pointerleave'));
    update(old, newest);
    expect(types()).toEqual(['TypeError', 'KeyError']);
  });

  it('under the focus', () => {
    update(old);
    heads()[0]?.focus();
    update(old, newest);
    expect(types()).toEqual(['KeyError', 'TypeError']);
    expect(document.activeElement).toBe(heads()[0]);
  });
});

describe('the keys', () => {
  it('go from error to error, and open and close them', () => {
    update(old, young);
    expect(heads().map(head => head.tabIndex)).toEqual([0, -1]);
    heads()[0]?.focus();
    press(heads()[0] as HTMLElement, 'ArrowDown');
    expect(document.activeElement).toBe(heads()[1]);
    expect(heads().map(head => head.tabIndex)).toEqual([-1, 0]);
    press(heads()[1] as HTMLElement, 'ArrowRight');
    expect(heads()[1]?.getAttribute('aria-expanded')).toBe('true');
    press(heads()[1] as HTMLElement, 'ArrowLeft');
    expect(heads()[1]?.getAttribute('aria-expanded')).toBe('false');
    press(heads()[1] as HTMLElement, 'Home');
    expect(document.activeElement).toBe(heads()[0]);
  });
});

describe('from another list', () => {
  it('the error that is meant is opened', () => {
    const message = 'level 8 of at most 7: model.a.b';
    update(old, { ...old, key: 'cut', message }, young);
    list.open('cut');
    const open = items().filter(item => item.querySelector('.edetail'));
    expect(open.map(item => textOf(item, '.msg'))).toEqual([
      'level 8 of at most 7: model.a.b'
    ]);
    expect(document.activeElement).toBe(open[0]?.querySelector('.ehead'));
  });

  it('one that is not there any more is not', () => {
    update(old);
    list.open('gone');
    expect(list.element.querySelector('.edetail')).toBeNull();
  });
});

describe('a traceback', () => {
  const text = [
    'Traceback (most recent call last):',
    '  File "<img src=x>", line 48, in importance',
    '    base = tree.value',
    'duck.LimitedProxyChaining: level 8 of at most 7'
  ].join('\n');

  it('is the same text, with its parts in colour', () => {
    const pre = document.createElement('pre');
    pre.append(...coloured(text));
    expect(pre.textContent).toBe(text);
    expect(pre.querySelector('img')).toBeNull();
    expect(textOf(pre, '.e')).toBe('duck.LimitedProxyChaining');
    expect([...pre.querySelectorAll('.d')].map(part => part.textContent)).toEqual([
      '(most recent call last):',
      '"<img src=x>"'
    ]);
    expect(framesIn(text)).toBe(1);
  });
});

describe('names of workers', () => {
  it.each([
    [['A-1'], 'A-1'],
    [['A-1', 'A-4'], 'A-1 and -4'],
    [['A-1', 'A-4', 'B-2'], 'A-1, -4 and B-2'],
    [['MainProcess', 'A-4'], 'MainProcess and A-4']
  ])('%s are said as "%s"', (names, words) => {
    expect(shortened(names)).toBe(words);
  });
});
