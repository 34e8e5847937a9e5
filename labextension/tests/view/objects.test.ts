import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObjectList } from '../../src/view/objects';
import { MOVE_EVERY_MS } from '../../src/view/sort';
import {
  chained,
  click,
  giveSizes,
  golden,
  header,
  mount,
  names,
  object,
  press,
  Rest,
  rowNamed,
  rowsOf,
  state,
  stateOf,
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

/** The total of a row's calls, which has no column. */
function callsOf(row: HTMLElement): string {
  return row.querySelector<HTMLElement>('.c-rate')?.title ?? '';
}

const three = [object(1, 'flights'), object(2, 'bar'), object(3, 'conn')];

describe('the list of objects', () => {
  it('draws the session that both languages are tested with', () => {
    list.update(stateOf(golden));
    expect(names(list)).toEqual(['df', 'cache', 'root', '.next', '.next', 'grid']);
    const df = rowNamed(list, 'df');
    expect(textOf(df, '.type')).toBe('DataFrame 336,776 × 19');
    expect(textOf(df, '.c-mode')).toBe('live');
    expect(callsOf(df)).toBe('9,917 calls');
    expect(textOf(df, '.c-over')).toBe('24 · 96.0 MB');
    expect(textOf(df, '.c-fill .val')).toBe('75 %');
    expect(textOf(df, '.c-fill .of')).toBe('of 64 KB');
    expect(textOf(df, '.c-pub')).toBe('2 · 4.00 MB');
    expect(textOf(rowNamed(list, 'cache'), '.what')).toBe('KeyError');
    expect(textOf(rowNamed(list, 'cache'), '.ago')).toBe('6 s');
    expect(textOf(rowNamed(list, 'grid'), '.c-mode')).toBe('in place');
    const cut = rowsOf(list)[4];
    expect(cut?.className).toContain('cut');
    expect(textOf(cut as HTMLElement, '.why')).toBe(
      'cut here, it would be level 3 of at most 2, 4 times'
    );
    expect(list.count()).toEqual({ text: '4', trouble: '' });
  });

  it('is a tree for who cannot see it', () => {
    list.update(stateOf(golden));
    const grid = list.element.querySelector('[role=treegrid]');
    expect(grid?.getAttribute('aria-rowcount')).toBe('7');
    const said = rowsOf(list).map(row =>
      ['aria-level', 'aria-posinset', 'aria-setsize', 'aria-rowindex', 'aria-expanded']
        .map(name => row.getAttribute(name) ?? '')
        .join(' ')
    );
    expect(said).toEqual([
      '1 1 4 2 ',
      '1 2 4 3 ',
      '1 3 4 4 true',
      '2 1 1 5 true',
      '3 1 1 6 ',
      '1 4 4 7 '
    ]);
    expect(rowsOf(list).filter(row => row.tabIndex === 0)).toHaveLength(1);
  });

  it('says the level, and that it is the last one allowed', () => {
    list.update(
      state({
        objects: [
          object(1, 'model'),
          chained(2, 1, 'model.a', { level: 2 }),
          chained(3, 1, 'model.b', { level: 7 })
        ]
      })
    );
    expect(textOf(rowNamed(list, '.a'), '.name .lvl')).toBe('level 2');
    expect(textOf(rowNamed(list, '.b'), '.name .lvl')).toBe('level 7 of 7');
    const level = rowNamed(list, '.b').querySelector('.name .lvl');
    expect(level?.classList.contains('full')).toBe(true);
  });

  it('says the size of the buffers once where they are all the same', () => {
    list.update(state({ objects: [object(1, 'a', { bufsize: 65536 })] }));
    expect(header(list, 'Fill of 64\u00a0KB')).toBeTruthy();
    expect(rowsOf(list)[0]?.querySelector<HTMLElement>('.of')?.hidden).toBe(true);
  });

  it('draws a refused object in the colour of errors', () => {
    const refused = { key: 'k', type: 'DataTooBigError', time: 1 };
    const objects = [object(1, 'a', { error: refused })];
    list.update(state({ objects }));
    expect(rowsOf(list)[0]?.querySelector<HTMLElement>('.bar')?.dataset['z']).toBe(
      'refused'
    );
  });

  it('shows what is handed over and not called by its hand-overs where it is narrow', () => {
    const values = { handovers: 205, handed_bytes: 19.5 * 1024 ** 3 };
    list.update(
      state({ objects: [object(1, 'flights', values), object(2, 'conn', values)] })
    );
    rest.rates.set(2, 64);
    list.setNarrow(true);
    list.update(
      state({ objects: [object(1, 'flights', values), object(2, 'conn', values)] })
    );
    const flights = rowNamed(list, 'flights');
    expect(textOf(flights, '.c-over')).toBe('205 · 19.5 GB');
    expect(textOf(flights, '.c-rate .only-narrow')).toBe('205 hand-overs');
    expect(textOf(flights, '.c-fill .only-narrow')).toBe('19.5 GB not copied');
    expect(flights.classList.contains('handed')).toBe(true);
  });

  it('warns of frames beside the buffer only while they are many', () => {
    const objects = [object(1, 'a', { gets: 1000, last: 10, peak: 90, beside: 3 })];
    list.update(state({ objects }));
    const bar = (): HTMLElement | null | undefined =>
      rowsOf(list)[0]?.querySelector<HTMLElement>('.bar');
    const title = (): string =>
      rowsOf(list)[0]?.querySelector<HTMLElement>('.c-fill')?.title ?? '';
    expect(bar()?.dataset['z']).toBe('calm');
    expect(bar()?.querySelector('.peak')?.className).toBe('peak past');
    expect(title()).toMatch(/^3 of 1\.00k frames were larger than the buffer/);
    rest.besides.set(1, 0.31);
    list.update(state({ objects }));
    expect(bar()?.dataset['z']).toBe('over');
    expect(title()).toMatch(/^31\u00a0% of the frames of the last minute/);
  });

  it('gives the size of one version', () => {
    const values = { versions: 2, version_bytes: 2 * 1024 ** 2 };
    list.update(state({ objects: [object(1, 'a', values)] }));
    expect(textOf(rowNamed(list, 'a'), '.c-pub')).toBe('2 · 1.00 MB');
  });

  it('writes what a name holds as text, whatever it is', () => {
    const name = '<img src=x onerror=alert(1)>';
    list.update(state({ objects: [object(1, 'a', { type: name })] }));
    expect(textOf(list.element, '.type')).toContain(name);
    expect(list.element.querySelector('img')).toBeNull();
  });
});

describe('many objects of one path', () => {
  const path = 'model.deeper.deeper';
  const many = [3, 5, 7].map(idx =>
    chained(idx, idx - 1, path, { level: 2, executes: idx, peak: 10 })
  );

  beforeEach(() => {
    many.forEach(({ idx }) => rest.rates.set(idx, 10));
    list.update(state({ objects: [object(1, 'model'), ...many] }));
  });

  it('are one row that says how many live, and adds up their numbers', () => {
    expect(names(list)).toEqual(['model', '.deeper.deeper']);
    expect(list.count().text).toBe('1');
    const row = rowNamed(list, '.deeper.deeper');
    expect(textOf(row, '.live')).toBe('×3');
    expect(textOf(row, '.c-rate')).toBe('30');
    expect(callsOf(row)).toBe('15 calls');
    expect(textOf(rowNamed(list, 'model'), '.live')).toBe('');
  });

  it('are reset together', () => {
    click(rowNamed(list, '.deeper.deeper').querySelector('[data-do=reset]'));
    expect(rest.sent).toEqual([{ name: 'reset_peaks', args: { idx: [3, 5, 7] } }]);
  });

  it('stay in their row when some go and others come', () => {
    const row = rowNamed(list, '.deeper.deeper');
    const next = [5, 7, 9, 11].map(idx => chained(idx, idx - 1, path, { level: 2 }));
    rest.clock += MOVE_EVERY_MS;
    list.update(state({ objects: [object(1, 'model'), ...next] }));
    expect(rowNamed(list, '.deeper.deeper')).toBe(row);
    expect(textOf(row, '.live')).toBe('×4');
  });
});

describe('rows are changed where they are', () => {
  it('and not made anew', () => {
    list.update(state({ objects: three }));
    const before = rowsOf(list);
    rest.clock += 1000;
    list.update(
      state({ objects: [object(1, 'flights', { gets: 5 }), ...three.slice(1)] })
    );
    expect(rowsOf(list)).toEqual(before);
    expect(callsOf(before[0] as HTMLElement)).toBe('5 calls');
  });

  it('with every tick, so that a call is soon seen', () => {
    const calls = (gets: number): string => {
      list.update(state({ objects: [object(1, 'a', { gets, last: 10 * gets })] }));
      const row = rowNamed(list, 'a');
      const words = `${callsOf(row)} ${textOf(row, '.val')}`;
      return words.replace(/\s/g, ' ');
    };
    expect(calls(0)).toBe('0 calls 0 %');
    for (const gets of [2, 3, 4]) {
      rest.clock += 250;
      expect(calls(gets)).toBe(`${gets} calls ${gets} %`);
    }
  });

  it('but their rate once a second, and at once if it was still', () => {
    const rates = (value: number): string => {
      rest.rates.set(1, value);
      list.update(state({ objects: [object(1, 'a', {})] }));
      return textOf(rowNamed(list, 'a'), '.c-rate');
    };
    expect(rates(0)).toBe('0');
    rest.clock += 250;
    expect(rates(10)).toBe('10');
    rest.clock += 250;
    expect(rates(20)).toBe('10');
    rest.clock += 750;
    expect(rates(30)).toBe('30');
  });
});

describe('the order', () => {
  it('is that of sharing', () => {
    list.update(state({ objects: three }));
    expect(names(list)).toEqual(['flights', 'bar', 'conn']);
  });

  it('follows a header, which says so, and the third click undoes it', () => {
    list.update(state({ objects: three }));
    const button = header(list, 'Name');
    const sorted = () => button.parentElement?.getAttribute('aria-sort');
    click(button);
    expect(names(list)).toEqual(['bar', 'conn', 'flights']);
    expect(sorted()).toBe('ascending');
    click(button);
    expect(names(list)).toEqual(['flights', 'conn', 'bar']);
    expect(sorted()).toBe('descending');
    click(button);
    expect(names(list)).toEqual(['flights', 'bar', 'conn']);
    expect(sorted()).toBe('none');
  });

  it('puts a parent where the sum of its tree belongs', () => {
    list.update(
      state({
        objects: [
          object(1, 'a', { bytes_in: 50 }),
          object(2, 'b', { bytes_in: 1 }),
          chained(3, 2, 'b.x', { bytes_in: 99 })
        ]
      })
    );
    click(header(list, 'Bytes'));
    expect(names(list)).toEqual(['b', '.x', 'a']);
    expect(textOf(rowNamed(list, 'b'), '.c-bytes')).toBe('1 B');
  });

  it('by a number moves at most every two seconds', () => {
    const calls = (a: number, b: number): string[] => {
      list.update(
        state({
          objects: [object(1, 'a', { bytes_in: a }), object(2, 'b', { bytes_in: b })]
        })
      );
      return names(list);
    };
    calls(2, 1);
    click(header(list, 'Bytes'));
    expect(calls(2, 3)).toEqual(['b', 'a']);
    rest.clock += MOVE_EVERY_MS - 1;
    expect(calls(5, 3)).toEqual(['b', 'a']);
    rest.clock += MOVE_EVERY_MS;
    expect(calls(5, 3)).toEqual(['a', 'b']);
  });

  it.each([
    ['pointerover', 'pointerleave'],
    ['focusin', 'focusout']
  ])('does not move between %s and %s', (enter, leave) => {
    const objects = (a: number) => [
      object(1, 'a', { bytes_in: a }),
      object(2, 'b', { bytes_in: 3 })
    ];
    list.update(state({ objects: objects(2) }));
    click(header(list, 'Bytes'));
    const grid = list.element.querySelector('[role=treegrid]');
    rowNamed(list, 'a').dispatchEvent(new Event(enter, { bubbles: true }));
    rest.clock += MOVE_EVERY_MS;
    list.update(state({ objects: objects(9) }));
    expect(names(list)).toEqual(['b', 'a']);
    grid?.dispatchEvent(new FocusEvent(leave, { bubbles: true }));
    rest.clock += MOVE_EVERY_MS;
    list.update(state({ objects: objects(9) }));
    expect(names(list)).toEqual(['a', 'b']);
  });

  it('can be chosen where there is no room for headers', () => {
    list.setNarrow(true);
    list.update(state({ objects: three }));
    const by = list.element.querySelector('.by');
    expect(by?.textContent).toBe('as shared');
    click(by);
    expect(by?.textContent).toBe('by name');
    for (let at = 0; at < 4; at += 1) {
      click(by);
    }
    expect(by?.textContent).toBe('as shared');
  });
});

describe('a row under its user', () => {
  it('stays, greyed, until it is left', () => {
    list.update(state({ objects: three }));
    rowNamed(list, 'bar').dispatchEvent(new Event('pointerover', { bubbles: true }));
    list.update(state({ objects: [three[0], three[2]].flatMap(row => row ?? []) }));
    expect(names(list)).toEqual(['flights', 'bar', 'conn']);
    const bar = rowNamed(list, 'bar');
    expect(bar.classList.contains('gone')).toBe(true);
    expect(bar.querySelector<HTMLButtonElement>('[data-do=unshare]')?.disabled).toBe(
      true
    );
    list.element
      .querySelector('[role=treegrid]')
      ?.dispatchEvent(new Event('pointerleave'));
    expect(names(list)).toEqual(['flights', 'conn']);
  });
});

describe('find', () => {
  it('keeps what leads to what is found, marks it, and counts', () => {
    list.update(
      state({
        objects: [object(1, 'model'), chained(2, 1, 'model.forest'), object(3, 'other')]
      })
    );
    list.find('Forest');
    expect(names(list)).toEqual(['model', '.forest']);
    expect(list.element.querySelector('mark')?.textContent).toBe('forest');
    expect(list.count().text).toBe('1 of 2');
    list.find('');
    expect(names(list)).toEqual(['model', '.forest', 'other']);
    expect(list.element.querySelector('mark')).toBeNull();
  });

  it('says so where there is nothing', () => {
    list.update(state({ objects: three }));
    list.find('xyz');
    expect(names(list)).toEqual([]);
    expect(textOf(list.element, '.nothing')).toBe('Nothing here matches “xyz”.');
  });
});

describe('a thousand objects', () => {
  const thousand = Array.from({ length: 1000 }, (_, at) => object(at, `name${at}`));

  it('are few in the document, and all for who cannot see them', () => {
    list.update(state({ objects: thousand }));
    expect(rowsOf(list).length).toBeLessThan(30);
    const grid = list.element.querySelector('[role=treegrid]');
    expect(grid?.getAttribute('aria-rowcount')).toBe('1001');
  });

  it('are drawn where they are scrolled to', async () => {
    list.update(state({ objects: thousand }));
    list.element.scrollTop = 12_000;
    list.element.dispatchEvent(new Event('scroll'));
    await vi.waitFor(() => expect(names(list)).toContain('name500'));
    // The first one can be reached by Tab still.
    expect(rowsOf(list)[0]?.tabIndex).toBe(0);
  });

  it('are gone through by the keys', () => {
    list.update(state({ objects: thousand }));
    const focused = () => document.activeElement?.querySelector('.id')?.textContent;
    rowNamed(list, 'name0').focus();
    press(document.activeElement as Element, 'ArrowDown');
    expect(focused()).toBe('name1');
    press(document.activeElement as Element, 'End');
    expect(focused()).toBe('name999');
    press(document.activeElement as Element, 'Home');
    expect(focused()).toBe('name0');
    press(document.activeElement as Element, 'ArrowUp');
    expect(document.activeElement?.className).toBe('sort');
  });
});

describe('a branch', () => {
  const many = (count: number) => [
    object(1, 'conn'),
    ...Array.from({ length: count }, (_, at) => chained(at + 2, 1, `conn.c${at}`))
  ];

  it('with many below it is closed at first, and opened by its arrow', () => {
    list.update(state({ objects: many(12) }));
    expect(names(list)).toEqual(['conn']);
    click(rowNamed(list, 'conn').querySelector('.tw'));
    expect(names(list)).toHaveLength(13);
  });

  it('is open where a chain was cut below it', () => {
    const chains = [
      { key: 'cut', path: 'conn.c3.x', type: 'X', level: 8, max_level: 7, cuts: 1 }
    ];
    list.update(state({ objects: many(12), chains }));
    expect(names(list)).toHaveLength(14);
  });
});
