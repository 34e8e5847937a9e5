import './page';
import { count, inUse, NOTHING, see } from '../view/browser';

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Live } from '../../src/live';
import { MonitorPanel } from '../../src/panel';
import { readSettings } from '../../src/settings';
import type { Tracker } from '../../src/tracker';
import { giveSizes } from '../view/support';
import { FakeKernel, snapshot, tick } from './kernel';

vi.mock('@jupyterlab/apputils', () => ({ Notification: {} }));
vi.mock('@jupyterlab/ui-components', () => ({ LabIcon: Object }));

/** What is followed: one notebook, and whatever kernel a test gives it. */
class FakeTracker {
  readonly changed = new Signal<this, void>(this);
  readonly title = 'flights.ipynb';
  readonly kernelTitle = 'Python 3';
  document: { id: string } | null = { id: 'notebook' };
  kernel: FakeKernel | null = new FakeKernel();
  language: string | null = 'python';

  become(values: Partial<FakeTracker>): void {
    Object.assign(this, values);
    this.changed.emit();
  }
}

const executed: string[] = [];
const app = {
  shell: { activateById: (id: string) => executed.push(id) },
  commands: {
    hasCommand: (id: string) => id === 'notebook:change-kernel',
    isEnabled: () => true,
    execute: (id: string) => {
      executed.push(id);
      return Promise.resolve();
    }
  }
} as unknown as JupyterFrontEnd;

const settings = { rate: 4, span: 60, statusItem: true };

let tracker: FakeTracker;
let live: Live;
let panel: MonitorPanel;

function kernel(): FakeKernel {
  return tracker.kernel as FakeKernel;
}

/** Open the panel, as JupyterLab does with one that lay behind others. */
function open(): void {
  panel.hide();
  Widget.attach(panel, document.body);
  panel.show();
}

async function opened(): Promise<void> {
  open();
  await vi.advanceTimersByTimeAsync(0);
  await kernel().last.reply({ status: 'ok', snapshot: snapshot(1) });
  await vi.advanceTimersByTimeAsync(1000);
}

function sentence(): string {
  const found = panel.node.shadowRoot?.querySelector('.words strong')?.textContent;
  return (found ?? '').replaceAll('\u00a0', ' ');
}

async function sentenceOf(values: Partial<FakeTracker>): Promise<string> {
  tracker.become(values);
  await vi.advanceTimersByTimeAsync(1000);
  return sentence();
}

beforeEach(() => {
  vi.useFakeTimers();
  giveSizes();
  count();
  executed.length = 0;
  document.body.replaceChildren();
  tracker = new FakeTracker();
  live = new Live(tracker as unknown as Tracker);
  panel = new MonitorPanel(app, live, settings);
});

afterEach(() => {
  panel.dispose();
  live.dispose();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the panel', () => {
  it('makes nothing and asks nothing before it is opened', () => {
    expect(panel.node.shadowRoot).toBeNull();
    expect(kernel().sent).toEqual([]);
  });

  it('draws the session of the notebook in front, under its name', async () => {
    await opened();
    expect(kernel().sent[0]?.content).toMatchObject({ every: 0.25 });
    expect(sentence()).toContain('Serving 4 objects');
    const whose = panel.node.shadowRoot?.querySelector('.whose')?.textContent;
    expect(whose).toBe('flights.ipynb · Python 3');
    kernel().show(tick(2, { workers: [] }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(sentence()).not.toContain('to 2 workers');
  });

  it('asks for nothing while something else lies before it', async () => {
    await opened();
    panel.hide();
    expect(kernel().types).toEqual(['watch', 'unwatch']);
    panel.show();
    expect(kernel().types.at(-1)).toBe('watch');
  });

  it('asks for nothing while nobody can see it', async () => {
    await opened();
    see(false);
    expect(kernel().types).toEqual(['watch', 'unwatch']);
  });

  it('asks for as many pictures as its user has chosen', async () => {
    await opened();
    panel.configure({ ...settings, rate: 2 });
    expect(kernel().last.content).toMatchObject({ every: 0.5 });
  });

  it('says why there is nothing to show', async () => {
    open();
    await vi.advanceTimersByTimeAsync(0);
    await kernel().last.ignore();
    await vi.advanceTimersByTimeAsync(1000);
    expect(sentence()).toBe('Not loaded');
    expect(await sentenceOf({ language: null })).toBe('Waiting for the kernel');
    expect(await sentenceOf({ language: 'r' })).toBe('Nothing to show here');
    expect(await sentenceOf({ kernel: null })).toBe('No kernel');
  });

  it('says that a kernel died, and follows the next one', async () => {
    await opened();
    kernel().become('dead');
    await vi.advanceTimersByTimeAsync(1000);
    expect(sentence()).toBe('The kernel has ended');
    tracker.become({ kernel: new FakeKernel() });
    await vi.advanceTimersByTimeAsync(0);
    await kernel().last.reply({ status: 'ok', snapshot: snapshot(1) });
    await vi.advanceTimersByTimeAsync(1000);
    expect(sentence()).toContain('Serving 4 objects');
  });

  it('lets another kernel be chosen', async () => {
    open();
    await sentenceOf({ language: 'r' });
    panel.node.shadowRoot?.querySelector<HTMLElement>('.absence .push')?.click();
    await vi.advanceTimersByTimeAsync(0);
    expect(executed).toEqual(['notebook', 'notebook:change-kernel']);
  });

  it('knows when its errors can be seen', async () => {
    await opened();
    kernel().show(tick(2));
    see(true);
    expect(live.seesErrors).toBe(true);
    see(false);
    expect(live.seesErrors).toBe(false);
  });

  it('leaves nothing behind', async () => {
    await opened();
    panel.dispose();
    live.dispose();
    expect(inUse()).toEqual(NOTHING);
  });
});

describe('the settings', () => {
  it('are those of the schema where nothing is chosen, or nonsense', () => {
    const usual = { rate: 4, span: 60, statusItem: true };
    expect(readSettings()).toEqual(usual);
    expect(readSettings({ rate: 'fast', span: '2m' })).toEqual(usual);
  });

  it('are what the user chose', () => {
    const chosen = readSettings({ rate: 1, span: '15m', statusItem: false });
    expect(chosen).toEqual({ rate: 1, span: 900, statusItem: false });
  });
});
