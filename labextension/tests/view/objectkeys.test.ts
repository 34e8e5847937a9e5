import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObjectList } from '../../src/view/objects';
import {
  chained,
  click,
  giveSizes,
  mount,
  names,
  object,
  press,
  Rest,
  rowNamed,
  START,
  state,
  textOf
} from './support';

let rest: Rest;
let list: ObjectList;

beforeEach(() => {
  giveSizes();
  rest = new Rest();
  list = mount(new ObjectList(rest));
});

afterEach(() => {
  list.dispose();
  vi.restoreAllMocks();
});

describe('the keys', () => {
  beforeEach(() => {
    list.update(
      state({
        objects: [
          object(1, 'model', { error: { key: 'k', type: 'KeyError', time: 1 } }),
          chained(2, 1, 'model.a'),
          chained(3, 1, 'model.b')
        ]
      })
    );
    rowNamed(list, 'model').focus();
  });

  const focused = () => document.activeElement as HTMLElement;

  it('left and right close and open, and go to the parent', () => {
    press(focused(), 'ArrowLeft');
    expect(names(list)).toEqual(['model']);
    expect(textOf(focused(), '.more')).toBe('+2 chained');
    press(focused(), 'ArrowRight');
    expect(names(list)).toEqual(['model', '.a', '.b']);
    rowNamed(list, '.b').focus();
    press(focused(), 'ArrowLeft');
    expect(textOf(focused(), '.id')).toBe('model');
  });

  it('right reaches the buttons of a row, left and Escape come back', () => {
    press(focused(), 'ArrowRight');
    expect(focused().dataset['do']).toBe('fault');
    press(focused(), 'ArrowRight');
    expect(focused().dataset['do']).toBe('copy');
    press(focused(), 'ArrowLeft');
    press(focused(), 'ArrowLeft');
    expect(focused().className).toBe('row');
    press(focused(), 'ArrowRight');
    press(focused(), 'Escape');
    expect(focused().className).toBe('row');
  });

  it('Enter opens and closes', () => {
    press(focused(), 'Enter');
    expect(names(list)).toEqual(['model']);
    press(focused(), 'Enter');
    expect(names(list)).toHaveLength(3);
  });

  it('leave what means nothing here to others', () => {
    const event = new KeyboardEvent('keydown', { key: '/', cancelable: true });
    focused().dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });
});

describe('a row can', () => {
  const button = (name: string, what: string) =>
    rowNamed(list, name).querySelector<HTMLButtonElement>(`[data-do=${what}]`);

  beforeEach(() => {
    list.update(
      state({
        objects: [
          object(1, 'df', {
            last_error: 'KeyError: a: b',
            error: { key: 'lost', type: 'KeyError', time: START - 7 }
          }),
          chained(2, 1, 'df.x'),
          chained(3, 1, 'df.groupby().y')
        ],
        chains: [
          { key: 'cut', path: 'df.x.y', type: 'X', level: 8, max_level: 7, cuts: 1 }
        ]
      })
    );
  });

  it('copy the line that fetches it', () => {
    click(button('df', 'copy'));
    click(button('.x', 'copy'));
    click(button('.groupby().y', 'copy'));
    expect(rest.copied).toEqual([
      'fetch(shared.df)',
      'fetch(shared.df.x)',
      'fetch(shared.df)'
    ]);
  });

  it('reset its peak, and be unshared if it was shared', () => {
    click(button('.x', 'reset'));
    click(button('df', 'unshare'));
    expect(rest.sent).toEqual([
      { name: 'reset_peaks', args: { idx: 2 } },
      { name: 'unshare', args: { object: 'df' } }
    ]);
    expect(button('.x', 'unshare')?.hidden).toBe(true);
    expect(button('df', 'unshare')?.getAttribute('aria-label')).toBe('Unshare df');
  });

  it('take no commands where nobody is there for them', () => {
    list.setLive(false);
    expect(button('df', 'unshare')?.disabled).toBe(true);
    expect(button('df', 'copy')?.disabled).toBe(false);
  });

  it('lead to its last error, and a cut to what to do', () => {
    click(button('df', 'fault'));
    click(list.element.querySelector('[data-do=what]'));
    expect(rest.shown).toEqual(['lost', 'cut']);
    expect(textOf(rowNamed(list, 'df'), '.ago')).toBe('7 s');
  });

  it('be dragged into a cell by its name', () => {
    const data = new Map<string, string>();
    const event = Object.assign(new Event('dragstart', { bubbles: true }), {
      dataTransfer: { setData: (type: string, text: string) => data.set(type, text) }
    });
    const id = rowNamed(list, '.x').querySelector<HTMLElement>('.id');
    expect(id?.draggable).toBe(true);
    id?.dispatchEvent(event);
    expect(data.get('text/plain')).toBe('fetch(shared.df.x)');
  });

  it('say in a narrow view what has no room there', () => {
    list.setNarrow(true);
    const row = rowNamed(list, 'df');
    row.dispatchEvent(new Event('pointerover', { bubbles: true }));
    expect(row.getAttribute('aria-description')).toContain(
      'last error: KeyError: a: b'
    );
    expect(list.element.getAttribute('role')).toBe('region');
  });
});
