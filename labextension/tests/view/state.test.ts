import { describe, expect, it } from 'vitest';
import { sayAbsence, sayOf, workerTrouble } from '../../src/view/state';
import { serving, object, START, worker } from './support';

const now = {
  ...serving,
  time: START,
  busy_delay: null,
  objects: [object(1, 'df'), object(2, 'bar')],
  workers: [worker(1)]
};
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('the sentence', () => {
  it('says what is served, to whom', () => {
    const say = sayOf(now, 'live', 0, 0);
    expect(say.sentence).toBe('Serving 2 objects to 1 worker');
    expect(say.mark).toBe('live');
  });

  it('counts shared objects, not what is reached through them', () => {
    const below = object(3, 'df.index', { parent: 1, level: 1 });
    const say = sayOf({ ...now, objects: [...now.objects, below] }, 'live', 0, 0);
    expect(say.sentence).toContain('2 objects');
  });

  it('warns of a kernel that is busy', () => {
    const say = sayOf({ ...now, busy_delay: 0.009 }, 'live', 0, 0);
    expect(plain(say.aside)).toBe('kernel busy, +9 ms a call');
    expect(say.isWarning).toBe(true);
  });

  it('says that there was no call only before the first one', () => {
    const totals = { ...now.totals, gets: 0, sets: 0, executes: 0, handovers: 0 };
    const aside = (values: Partial<typeof totals>): string =>
      plain(sayOf({ ...now, totals: { ...totals, ...values } }, 'live', 0, null).aside);
    expect(aside({})).toBe('no call yet');
    expect(aside({ gets: 2, executes: 1 })).toBe('3 calls before this was opened');
    expect(aside({ handovers: 8 })).toBe('8 hand-overs, no call');
  });

  it('says who holds versions where nobody calls', () => {
    const workers = [worker(1, { holds: 1 }), worker(2)];
    const say = sayOf({ ...now, workers }, 'live', 0, null);
    expect(say.sentence).toBe('Serving 2 objects to 2 workers');
    expect(say.aside).toBe('1 worker with versions');
    expect(say.mark).toBe('live');
  });

  it('says since when nobody calls', () => {
    const say = sayOf(now, 'live', 0, 38);
    expect(say.sentence).toMatch(/nobody is calling$/);
    expect(plain(say.aside)).toBe('last call 38 s ago');
  });

  it('says that there is no news', () => {
    expect(plain(sayOf(now, 'silent', 6, 0).sentence)).toBe('No news for 6 s');
  });

  it('says how far a pause is behind', () => {
    const say = sayOf(now, 'paused', 12, 0);
    expect(plain(say.sentence)).toBe('Drawing paused, 12 s behind');
  });

  it('says that what was saved is not live', () => {
    expect(sayOf(now, 'saved', 0, 0).aside).toBe('not live');
  });

  it('has words for each absence', () => {
    const kinds = ['waiting', 'no-kernel', 'not-loaded', 'silent', 'dead'] as const;
    const words = kinds.map(kind => sayAbsence({ kind }).sentence);
    expect(new Set(words).size).toBe(kinds.length);
  });

  it('names workers that were killed', () => {
    expect(workerTrouble('1 killed')).toBe('1 worker killed');
    expect(workerTrouble('3 killed')).toBe('3 workers killed');
    expect(workerTrouble('')).toBe('');
  });
});
