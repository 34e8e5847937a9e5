import { beforeEach, describe, expect, it } from 'vitest';
import { putInOrder, rangeInSight, VirtualRows } from '../../src/view/virtual';

const tops = Float64Array.from({ length: 1001 }, (_, at) => at * 24);

describe('the rows in sight', () => {
  it('are those in what is seen, and a few around them', () => {
    expect(rangeInSight(tops, 12_000, 240)).toEqual({ from: 495, to: 516 });
  });

  it('end with the last one', () => {
    expect(rangeInSight(tops, 24_000 - 240, 240)).toEqual({ from: 985, to: 1000 });
    expect(rangeInSight(tops, -500, 240)).toEqual({ from: 0, to: 0 });
  });

  it('are none where nothing is seen', () => {
    expect(rangeInSight(tops, 0, 0)).toEqual({ from: 0, to: 0 });
    expect(rangeInSight([0], 0, 240)).toEqual({ from: 0, to: 0 });
  });

  it('are found where heights differ', () => {
    expect(rangeInSight([0, 200, 224, 500, 900], 430, 10)).toEqual({ from: 2, to: 4 });
  });
});

interface Item {
  key: string;
}

function virtual(): { rows: VirtualRows<Item>; made: () => number } {
  let made = 0;
  const rows = new VirtualRows<Item>({
    key: item => item.key,
    height: () => 24,
    kind: () => 'row',
    create: () => {
      made += 1;
      const element = document.createElement('button');
      return { element, bind: item => (element.textContent = item.key) };
    }
  });
  document.body.replaceChildren(rows.element);
  return { rows, made: () => made };
}

const thousand = Array.from({ length: 1000 }, (_, at) => ({ key: `row ${at}` }));

describe('a thousand rows', () => {
  let rows: VirtualRows<Item>;
  let made: () => number;

  beforeEach(() => {
    ({ rows, made } = virtual());
    rows.setItems(thousand);
    rows.draw(0, 240, []);
  });

  it('are as high as all, and few in the document', () => {
    expect(rows.element.style.height).toBe('24000px');
    expect(rows.element.children).toHaveLength(16);
  });

  it('use the elements of those that went out of sight', () => {
    const before = made();
    rows.draw(12_000, 240, []);
    expect(rows.element.firstElementChild?.textContent).toBe('row 495');
    expect(made() - before).toBeLessThanOrEqual(5);
  });

  it('keep the one that has the focus where it is', () => {
    const focused = rows.elementOf('row 3') as HTMLElement;
    focused.focus();
    rows.draw(12_000, 240, ['row 3']);
    expect(document.activeElement).toBe(focused);
    expect(rows.element.firstElementChild).toBe(focused);
    rows.setItems([...thousand].reverse());
    rows.draw(0, 240, ['row 3']);
    expect(document.activeElement).toBe(focused);
    expect(rows.element.lastElementChild).toBe(focused);
  });
});

describe('putting elements in order', () => {
  it('moves all but the one with the focus', () => {
    const parent = document.createElement('div');
    document.body.replaceChildren(parent);
    const buttons = ['a', 'b', 'c', 'd'].map(text => {
      const button = document.createElement('button');
      button.textContent = text;
      return button;
    });
    parent.append(...buttons);
    buttons[1]?.focus();
    putInOrder(parent, [
      buttons[3],
      buttons[1],
      buttons[2],
      buttons[0]
    ] as HTMLElement[]);
    expect(parent.textContent).toBe('dbca');
    expect(document.activeElement).toBe(buttons[1]);
  });
});
