import './page';

import { describe, expect, it, vi } from 'vitest';

import { StatusModel } from '../../src/status_model';
import type { EndedRow, Totals } from '../../src/snapshot';
import { say } from '../../src/statusbar';
import { snapshot } from './kernel';

vi.mock('@jupyterlab/apputils', () => ({ Notification: {} }));

const calm = { error_count: 0, ended: [] };

function endOf(pid: number, how: EndedRow['how'], code: number): EndedRow {
  const row = { pid, name: 'w', since: 0, ended: 1, exit_code: code, how, words: how };
  return { ...row, calls: 1, tasks: null };
}

function totals(gets: number): Totals {
  return { ...snapshot(1).totals, gets, sets: 0, executes: 0 };
}

function sentence(model: StatusModel, now = 0): string {
  const { state, words } = say(model, now);
  return `${state}: ${words.map(([word]) => word).join('')}`;
}

/** Two shared objects, called so often in two seconds. */
function served(calls: number, values = {}): StatusModel {
  const model = new StatusModel();
  for (const [seq, gets] of [
    [1, 0],
    [2, calls]
  ] as const) {
    model.take(
      snapshot(seq, { ...calm, ...values, time: 2 * seq, totals: totals(gets) }),
      0
    );
  }
  return model;
}

const roots = snapshot(1).objects.filter(row => row.parent === null).length;

describe('the item of the status bar', () => {
  it('says how much is shared, and how fast it goes', () => {
    expect(sentence(served(2400))).toBe(`live: ${roots} shared · 1.2k calls/s`);
  });

  it('says that nobody calls', () => {
    expect(sentence(served(0))).toBe(`idle: ${roots} shared · idle`);
  });

  it('says that nothing is shared', () => {
    expect(sentence(served(0, { objects: [] }))).toBe('idle: nothing shared');
  });

  it('says for how long there was no news', () => {
    expect(sentence(served(10), 6200)).toBe(
      `silent: ${roots} shared · no news for 6 s`
    );
  });

  it('is red until the errors were looked at, and again after the next', () => {
    const ended = [
      endOf(7, 'killed', -9),
      endOf(8, 'ended', 0),
      // By its pool, with SIGTERM.
      endOf(9, 'ended', -15)
    ];
    const model = served(0, { error_count: 5, ended });
    expect(sentence(model)).toBe(
      `errors: ${roots} shared · idle · 1 worker lost, 5 errors`
    );
    model.look();
    expect(sentence(model)).toBe(`idle: ${roots} shared · idle`);
    model.take(snapshot(3, { error_count: 6, ended, totals: totals(0) }), 0);
    expect(sentence(model)).toContain('· 1 error');
  });

  it('forgets what was in another session', () => {
    const model = served(2400, { error_count: 5 });
    model.look();
    const kernel = { pid: 1, python: '3.12.0', session: 'another' };
    model.take(snapshot(1, { ...calm, kernel, error_count: 2 }), 0);
    expect([model.rate, model.errors]).toEqual([0, 2]);
  });

  it('has the rate of the last second, as the headline of the view', () => {
    const model = new StatusModel();
    const counts = [0, 1000, 4000, 4500];
    counts.forEach((gets, second) =>
      model.take(snapshot(second + 1, { time: second, totals: totals(gets) }), 0)
    );
    expect(model.rate).toBe(500);
  });

  it('forgets the rate of the seconds before', () => {
    const model = new StatusModel();
    for (let second = 0; second < 20; second++) {
      const gets = second < 10 ? 1000 * second : 9000;
      model.take(snapshot(second + 1, { time: second, totals: totals(gets) }), 0);
    }
    expect(model.rate).toBe(0);
  });
});
