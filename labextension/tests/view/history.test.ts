import { describe, expect, it } from 'vitest';
import { isSnapshot } from '../../src/checks';
import type { Snapshot } from '../../src/snapshot';
import { GAP_S, History, KEPT_S, quantile } from '../../src/view/history';
import { columnsOf, roundUp, Scale } from '../../src/view/series';
import { object, serving, START, worker } from './support';

function at(seconds: number, values: Partial<Snapshot> = {}): Snapshot {
  return { ...serving, ended: [], workers: [], time: START + seconds, ...values };
}

function totals(gets: number, latency: number[] = []): Snapshot['totals'] {
  const none = { sets: 0, executes: 0, bytes_in: 0, bytes_out: 0, last: 0, peak: 0 };
  return { ...none, gets, latency };
}

describe('what a view keeps', () => {
  it('takes the snapshot that both languages are tested with', () => {
    expect(isSnapshot(serving)).toBe(true);
    expect(isSnapshot({ ...serving, schema: 2 })).toBe(false);
  });

  it('gives rates as differences of totals', () => {
    const history = new History();
    history.add(at(0, { totals: totals(1000) }));
    history.add(at(2, { totals: totals(1500) }));
    expect(history.ratesOfLast(1, START + 2)?.gets).toBe(250);
  });

  it('gives the rates of an earlier moment while the drawing pauses', () => {
    const history = new History();
    [0, 100, 900].forEach((gets, second) =>
      history.add(at(second, { totals: totals(gets) }))
    );
    expect(history.ratesOfLast(1, START + 1)?.gets).toBe(100);
  });

  it('forgets what was when the kernel is another one', () => {
    const history = new History();
    history.add(at(0));
    history.add(at(1));
    history.add(at(2, { kernel: { pid: 1, python: '3.11', session: 'restarted' } }));
    expect(history.samples).toHaveLength(1);
  });

  it('says how many workers waited', () => {
    const history = new History();
    const pair = (waited: number) => [worker(1, { waited }), worker(2, { waited: 7 })];
    history.add(at(0, { workers: pair(3) }));
    history.add(at(2, { workers: pair(4) }));
    const rates = history.ratesOfLast(2, START + 2);
    expect(rates?.waiting).toBeCloseTo(0.5);
    expect([rates?.workers, rates?.computing]).toEqual([2, null]);
  });

  it('says how many workers computed, where their tasks are seen', () => {
    const history = new History();
    const pair = (computed: number, waited: number) => [
      worker(1, { t_computing: computed, t_waiting: waited }),
      worker(2, { waited: 7 })
    ];
    history.add(at(0, { workers: pair(30, 9) }));
    history.add(at(2, { workers: pair(31.5, 9.25) }));
    const rates = history.ratesOfLast(2, START + 2);
    expect(rates?.computing).toBeCloseTo(0.75);
    expect(rates?.waiting).toBeCloseTo(0.125);
  });

  it('says which share of the last frames was larger than the buffer', () => {
    const history = new History();
    const row = (gets: number, beside: number) => object(1, 'df', { gets, beside });
    history.add(at(0, { objects: [row(1000, 900)] }));
    expect(history.besideOf(1)).toBe(0);
    history.add(at(2, { objects: [row(1100, 905)] }));
    expect(history.besideOf(1)).toBeCloseTo(0.05);
  });

  it('keeps no more than fits, and one a second of what is old', () => {
    const history = new History();
    for (let tick = 0; tick < (KEPT_S + 60) * 4; tick++) {
      history.add(at(tick / 4));
    }
    const { samples } = history;
    const span = (samples.at(-1)?.time ?? 0) - (samples[0]?.time ?? 0);
    expect(span).toBeLessThanOrEqual(KEPT_S);
    expect(samples.length).toBeLessThan(5 * 60 * 4 + 10 * 60 + 10);
  });

  it('marks a worker that was killed once that is known, not one that ended by itself', () => {
    const history = new History();
    history.add(at(0));
    const end = { since: START, ended: START + 1, calls: 1, tasks: null };
    const ended = [
      { ...end, pid: 7, name: 'one', exit_code: 0, how: 'ended', words: 'ended' },
      { ...end, pid: 8, name: 'two', exit_code: null, how: 'gone', words: 'gone' }
    ] as const;
    history.add(at(1, { ended: [...ended] }));
    expect(history.events).toEqual([]);
    const [one, two] = ended;
    const killed = {
      exit_code: -9,
      how: 'killed',
      words: 'killed by SIGKILL'
    } as const;
    history.add(at(2, { ended: [one, { ...two, ...killed }] }));
    expect(history.events.map(event => event.what)).toEqual(['two killed by SIGKILL']);
  });
});

describe('latency', () => {
  it('lies within its bucket', () => {
    const counts = [0, 0, 0, 0, 10];
    expect(quantile(counts, 0.5)).toBeGreaterThan(2 ** 3 / 4e6);
    expect(quantile(counts, 0.99)).toBeLessThanOrEqual(2 ** 4 / 4e6);
  });

  it('is not known without calls', () => {
    expect(quantile([0, 0], 0.5)).toBeNull();
  });
});

describe('lines', () => {
  it('are broken where nothing was heard, and the gap is told', () => {
    const history = new History();
    [0, 1, 2 + GAP_S + 1].forEach(second => history.add(at(second)));
    const columns = columnsOf(history, 60, START + 5);
    expect(columns.gaps).toEqual([[-4, 0]]);
    expect(columns.calls.filter(value => value === null)).toHaveLength(1);
  });

  it('go on with the mean where nobody looked', () => {
    const history = new History();
    [0, 1].forEach(second => history.add(at(second, { totals: totals(100 * second) })));
    history.add(at(11, { totals: totals(600) }), true);
    const columns = columnsOf(history, 60, START + 11);
    expect(columns.gaps).toEqual([]);
    expect(columns.gets.map(Math.round as (value: number | null) => number)).toEqual([
      ...[100, 50, 50]
    ]);
  });

  it('have the same moments in the next picture', () => {
    const history = new History();
    for (let tick = 0; tick < 1200; tick++) {
      history.add(at(tick / 4));
    }
    const moments = (now: number): number[] =>
      columnsOf(history, 300, now).x.map(x => Math.round((now + x - START) * 4));
    const first = moments(START + 290);
    const second = moments(START + 290.25);
    const kept = second.filter(moment => first.includes(moment));
    expect(first.length).toBeLessThan(260);
    expect(kept.length).toBeGreaterThan(first.length - 4);
  });

  it('leave out what came after the moment that is drawn', () => {
    const history = new History();
    [0, 1, 2, 3].forEach(second => history.add(at(second)));
    expect(columnsOf(history, 60, START + 2).x).toEqual([-1, 0]);
  });
});

describe('a scale', () => {
  it('ends at a round number', () => {
    expect([0, 3, 1130, 17].map(roundUp)).toEqual([1, 3, 1200, 18]);
  });

  it('is round in units of 1024 for bytes', () => {
    expect(new Scale(1024).fit(3.7 * 1024 ** 2, 0)).toBe(4 * 1024 ** 2);
  });

  it('shrinks only after some seconds below half', () => {
    const scale = new Scale();
    expect(scale.fit(900, 0)).toBe(1000);
    expect(scale.fit(100, 1)).toBe(1000);
    expect(scale.fit(100, 7)).toBe(120);
  });
});
