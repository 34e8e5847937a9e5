import { describe, expect, it } from 'vitest';
import golden from '../../tests/data/snapshot.json';
import { isSnapshot } from '../src/checks';
import { merge, Whole } from '../src/merge';
import { SCHEMA, type Snapshot } from '../src/snapshot';

const whole = golden as unknown as Snapshot;

describe('what the kernel tells', () => {
  it('is known by its shape, as the kernel writes it', () => {
    expect(golden.schema).toBe(SCHEMA);
    expect(isSnapshot(golden)).toBe(true);
    expect(isSnapshot(JSON.parse(JSON.stringify(golden)))).toBe(true);
  });

  it.each([
    ['nothing', null],
    ['a word', 'snapshot'],
    ['a list', []],
    ['an empty state, as of a widget that heard nothing yet', {}],
    ['a later schema', { ...golden, schema: SCHEMA + 1 }],
    ['one without objects', { ...golden, objects: null }],
    ['one without workers', { ...golden, workers: undefined }],
    ['one without totals', { ...golden, totals: undefined }],
    ['one whose totals are null', { ...golden, totals: null }],
    ['one without a time', { ...golden, time: 'now' }],
    ['one without a number', { ...golden, seq: null }]
  ])('is not %s', (_, value) => {
    expect(isSnapshot(value)).toBe(false);
  });
});

describe('a tick upon a whole', () => {
  const tick: Snapshot = {
    ...whole,
    whole: false,
    seq: whole.seq + 1,
    objects: [],
    gone: [],
    errors: null,
    chains: null
  };

  it('changes nothing that it does not name', () => {
    const merged = merge(whole, tick);
    expect(merged).toEqual({ ...whole, gone: [], seq: tick.seq });
    expect(merged.errors).toBe(whole.errors);
  });

  it('takes the place of rows, adds new ones at the end, and removes those gone', () => {
    const [first, second] = whole.objects as [
      Snapshot['objects'][0],
      Snapshot['objects'][0]
    ];
    const merged = merge(whole, {
      ...tick,
      objects: [
        { ...first, gets: 12345 },
        { ...first, idx: 77, path: 'fresh' }
      ],
      gone: [second.idx]
    });
    expect(merged.objects.map(({ path }) => path)).toEqual([
      first.path,
      ...whole.objects.slice(2).map(({ path }) => path),
      'fresh'
    ]);
    expect(merged.objects[0]?.gets).toBe(12345);
  });
});

describe('the whole of a session', () => {
  const session = (values: Partial<Snapshot>): Snapshot => ({ ...whole, ...values });
  const tickOf = (seq: number, values: Partial<Snapshot> = {}): Snapshot =>
    session({ seq, whole: false, objects: [], errors: null, chains: null, ...values });

  it('begins with a whole snapshot, and goes on with ticks', () => {
    const known = new Whole();
    expect([known.take(tickOf(1)), known.now]).toEqual([false, null]);
    expect(known.take(session({ seq: 2 }))).toBe(true);
    expect(known.take(tickOf(3, { gone: [whole.objects[0]?.idx ?? -1] }))).toBe(true);
    expect(known.now?.objects).toEqual(whole.objects.slice(1));
  });

  it('leaves out what is older than what is known', () => {
    const known = new Whole();
    known.take(session({ seq: 5 }));
    expect(known.take(tickOf(4))).toBe(false);
    expect(known.take(session({ seq: 4 }))).toBe(false);
    expect(known.now?.seq).toBe(5);
  });

  it('leaves a tick of another kernel until a whole snapshot comes', () => {
    const known = new Whole();
    known.take(session({ seq: 5 }));
    const kernel = { pid: 1, python: '3.11', session: 'restarted' };
    expect(known.take(tickOf(6, { kernel }))).toBe(false);
    expect(known.take(session({ seq: 1, kernel }))).toBe(true);
  });

  it('goes on where the extension was loaded again, and counts anew', () => {
    const known = new Whole();
    known.take(session({ seq: 5 }));
    expect(known.take(session({ seq: 1, time: whole.time + 1 }))).toBe(true);
    expect(known.take(tickOf(2))).toBe(true);
  });
});
