import { beforeEach, describe, expect, it } from 'vitest';
import { Attribute } from '../../src/view/cells';
import type { List, ListCount } from '../../src/view/context';
import { Tabs } from '../../src/view/tabs';
import { press } from './support';

let counts: Record<'tasks' | 'workers' | 'objects' | 'errors', ListCount>;
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
    tasks: { text: '2 running', trouble: '1 failed' },
    objects: { text: '6', trouble: '' },
    workers: { text: '3', trouble: '1 killed' },
    errors: { text: '', trouble: '4' }
  };
  frame = document.createElement('div');
  const lists = {
    tasks: list('tasks'),
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
    expect(['tasks', 'workers', 'objects', 'errors'].map(read)).toEqual([
      'Tasks 2 running 1 failed',
      'Workers 3 1 killed',
      'Objects 6',
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
    press(tab('objects'), 'ArrowRight');
    expect(document.activeElement).toBe(tab('errors'));
    press(tab('errors'), 'ArrowRight');
    expect(document.activeElement).toBe(tab('tasks'));
    press(tab('tasks'), 'ArrowRight');
    expect([frame.dataset['pane'], stops()]).toEqual(['workers', [tab('workers')]]);
  });

  it('open one first, and never change by themselves afterwards', () => {
    tabs.begin('tasks');
    expect(frame.dataset['pane']).toBe('tasks');
    tab('errors').click();
    tabs.begin('objects');
    expect(frame.dataset['pane']).toBe('errors');
  });

  it('leave other keys alone', () => {
    press(tab('objects'), 'ArrowDown');
    expect(frame.dataset['pane']).toBe('objects');
  });
});
