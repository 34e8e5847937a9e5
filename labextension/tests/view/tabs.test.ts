import { beforeEach, describe, expect, it } from 'vitest';
import { Attribute } from '../../src/view/cells';
import type { List, ListCount } from '../../src/view/context';
import { Tabs } from '../../src/view/tabs';
import { press } from './support';

let counts: Record<'objects' | 'workers' | 'errors', ListCount>;
let frame: HTMLElement;
let tabs: Tabs;

function list(name: keyof typeof counts): List {
  return { count: () => counts[name] } as List;
}

function tab(name: string): HTMLButtonElement {
  return tabs.element.querySelector(`[aria-controls="p-${name}"]`) as HTMLButtonElement;
}

/** What is read on a tab. */
function read(name: string): string {
  const parts = [...tab(name).querySelectorAll<HTMLElement>('.n')];
  return [
    tab(name).firstChild?.textContent,
    ...parts.filter(({ hidden }) => !hidden).map(({ textContent }) => textContent)
  ].join(' ');
}

beforeEach(() => {
  counts = {
    objects: { text: '6', trouble: '' },
    workers: { text: '3', trouble: '1 killed' },
    errors: { text: '', trouble: '4' }
  };
  frame = document.createElement('div');
  const lists = {
    objects: list('objects'),
    workers: list('workers'),
    errors: list('errors')
  };
  tabs = new Tabs(lists, new Attribute(frame, 'data-pane'));
  document.body.replaceChildren(tabs.element);
});

describe('the tabs', () => {
  it('begin with the objects', () => {
    expect(frame.dataset['pane']).toBe('objects');
    expect(tab('objects').getAttribute('aria-selected')).toBe('true');
  });

  it('say how many there are, and what is wrong though the pane is closed', () => {
    tabs.update();
    expect(['objects', 'workers', 'errors'].map(read)).toEqual([
      'Objects 6',
      'Workers 3 1 killed',
      'Errors 4'
    ]);
  });

  it('say no more of what is over', () => {
    tabs.update();
    counts.workers = { text: '3', trouble: '' };
    tabs.update();
    expect(read('workers')).toBe('Workers 3');
  });

  it('show the pane whose tab is clicked, and only that one is chosen', () => {
    tab('errors').click();
    expect(frame.dataset['pane']).toBe('errors');
    const chosen = tabs.element.querySelectorAll('[aria-selected="true"]');
    expect([...chosen]).toEqual([tab('errors')]);
  });

  it('are one stop of the Tab key, in which arrows go around', () => {
    const stops = (): HTMLElement[] => [
      ...tabs.element.querySelectorAll<HTMLElement>('[tabindex="0"]')
    ];
    expect(stops()).toEqual([tab('objects')]);
    press(tab('objects'), 'ArrowLeft');
    expect(document.activeElement).toBe(tab('errors'));
    press(tab('errors'), 'ArrowRight');
    press(tab('objects'), 'ArrowRight');
    expect(document.activeElement).toBe(tab('workers'));
    expect([frame.dataset['pane'], stops()]).toEqual(['workers', [tab('workers')]]);
  });

  it('leave other keys alone', () => {
    press(tab('objects'), 'ArrowDown');
    expect(frame.dataset['pane']).toBe('objects');
  });
});
