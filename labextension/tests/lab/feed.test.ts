import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Feed } from '../../src/feed';
import type { Snapshot } from '../../src/snapshot';
import { FakeKernel, snapshot, tick } from './kernel';

let kernel: FakeKernel;
let feed: Feed;
let heard: Snapshot[];

beforeEach(() => {
  vi.useFakeTimers();
  kernel = new FakeKernel();
  feed = new Feed(kernel.wire);
  heard = [];
  feed.arrived.connect((_, found) => heard.push(found));
});

afterEach(() => {
  feed.dispose();
  vi.useRealTimers();
});

const BUSY = { running: true, number: 3 };
const IDLE = { running: false, number: 3 };

/** Look, and wait until the kernel has said whether it knows of us. */
async function look(period: number): Promise<void> {
  feed.look(period);
  await vi.advanceTimersByTimeAsync(0);
}

async function watched(cell = IDLE): Promise<void> {
  await look(0.25);
  await kernel.last.reply({ status: 'ok', snapshot: snapshot(1, { cell }) });
}

describe('looking', () => {
  it('asks nothing of a kernel before somebody looks', () => {
    expect(kernel.sent).toEqual([]);
  });

  it('begins with the answer, and goes on with what is broadcast', async () => {
    await watched();
    expect(kernel.last.content).toMatchObject({ every: 0.25 });
    kernel.show(tick(2));
    expect(feed.presence).toBe('loaded');
    expect(heard.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('says again that it looks while no cell runs', async () => {
    await watched();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(kernel.types).toEqual(['watch', 'watch']);
    expect(kernel.last.content).toMatchObject({ quiet: true });
  });

  it('says nothing while a cell runs', async () => {
    await watched(BUSY);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(kernel.types).toEqual(['watch']);
  });

  it('says that it looks no longer, and nothing after that', async () => {
    await watched();
    feed.look(null);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(kernel.types).toEqual(['watch', 'unwatch']);
    expect(kernel.last.content).toMatchObject({ after: 0 });
  });

  it('lets the kernel go on for a page that is loaded anew', async () => {
    await watched();
    feed.look(null, true);
    expect(kernel.last.content.after).toBeGreaterThan(5);
  });

  it('looks again when the connection is back', async () => {
    await watched();
    kernel.reconnect();
    expect(kernel.types).toEqual(['watch', 'watch']);
  });
});

describe('what is known of a kernel', () => {
  it('is not loaded where the kernel has no broadcast, and is asked no more', async () => {
    kernel.isLoaded = false;
    await look(1);
    expect(feed.presence).toBe('absent');
    expect(kernel.sent).toEqual([]);
  });

  it('is not loaded where a request is handled and not answered', async () => {
    await look(1);
    await kernel.last.ignore();
    expect(feed.presence).toBe('absent');
  });

  it('is loaded once a cell has loaded it, which is told to all', async () => {
    kernel.isLoaded = false;
    await look(1);
    kernel.broadcast({ kind: 'loaded' });
    expect(feed.presence).toBe('loaded');
    expect(kernel.types).toEqual(['watch']);
    kernel.broadcast({ kind: 'unloaded' });
    expect(feed.presence).toBe('absent');
    expect(feed.whole).toBeNull();
  });

  it('is mute after some seconds, until the answer comes after all', async () => {
    feed.look(1);
    await vi.advanceTimersByTimeAsync(6000);
    expect(feed.presence).toBe('mute');
    await kernel.last.reply({ status: 'ok', snapshot: snapshot(1) });
    expect(feed.presence).toBe('loaded');
  });

  it('is asked for anew after a restart, when the kernel is there', async () => {
    await watched();
    kernel.become('restarting');
    expect([feed.presence, feed.whole]).toEqual(['unknown', null]);
    expect(kernel.types).toEqual(['watch']);
    kernel.isLoaded = false;
    kernel.become('idle');
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.presence).toBe('absent');
  });

  it('is that it died', async () => {
    await watched();
    kernel.become('dead');
    expect(feed.presence).toBe('dead');
    feed.look(1);
    expect(kernel.types).toEqual(['watch']);
  });
});

describe('what comes', () => {
  it('is put together to the whole', async () => {
    await watched();
    const [first, second] = snapshot(1).objects;
    const changed = { ...second, gets: 12345 } as Snapshot['objects'][number];
    kernel.show(tick(2, { objects: [changed], gone: [first?.idx ?? 0] }));
    expect(feed.whole?.whole).toBe(true);
    expect(feed.whole?.objects).toContainEqual(changed);
    expect(feed.whole?.objects).not.toContainEqual(first);
    expect(feed.whole?.errors).toEqual(snapshot(1).errors);
  });

  it('is dropped where it is older than what is known', async () => {
    await watched();
    kernel.show(snapshot(5));
    kernel.show(tick(4));
    expect(heard.map(({ seq }) => seq)).toEqual([1, 5]);
  });

  it('begins with a whole one, also in a page that was loaded anew', () => {
    kernel.show(tick(7));
    expect([feed.presence, heard]).toEqual(['loaded', []]);
    kernel.show(snapshot(8));
    expect(heard.map(({ seq }) => seq)).toEqual([8]);
  });

  it('counts anew after a restart and after the extension was loaded again', async () => {
    await watched();
    kernel.show(snapshot(9));
    kernel.show(snapshot(1, { kernel: { pid: 1, python: '3.12.0', session: 'new' } }));
    kernel.broadcast({ kind: 'loaded' });
    kernel.show(snapshot(1));
    expect(heard.map(({ seq }) => seq)).toEqual([1, 9, 1, 1]);
  });

  it('may be of somebody else', () => {
    kernel.broadcast({ duck: 'another', kind: 'snapshot', snapshot: snapshot(1) });
    kernel.broadcast({ kind: 'snapshot', snapshot: { schema: 99 } });
    expect(heard).toEqual([]);
  });
});

describe('a command', () => {
  it('is done when the kernel says so', async () => {
    const done = feed.do('unshare', { object: 'df' });
    expect(kernel.last.content).toMatchObject({
      name: 'unshare',
      args: { object: 'df' }
    });
    await kernel.last.reply({ status: 'ok' });
    await expect(done).resolves.toBeUndefined();
  });

  it('is done when a snapshot has its id, though the answer is lost', async () => {
    const done = feed.do('unshare_all');
    kernel.show(snapshot(3, { done: [String(kernel.last.content.id)] }));
    await expect(done).resolves.toBeUndefined();
  });

  it('is sent again with its id when the connection is back', () => {
    feed.do('unshare_all').catch(() => undefined);
    kernel.reconnect();
    expect(kernel.types).toEqual(['command', 'command']);
    expect(kernel.sent[0]?.content.id).toBe(kernel.sent[1]?.content.id);
  });

  it('is not sent again where it was withdrawn', async () => {
    const withdrawn = new AbortController();
    const done = feed.do('unshare_all', {}, withdrawn.signal);
    withdrawn.abort();
    await expect(done).rejects.toThrow('withdrawn');
    kernel.reconnect();
    expect(kernel.types).toEqual(['command']);
  });

  it.each([
    ['restarting', 'restarted'],
    ['dead', 'died']
  ])('fails when the kernel is %s', async (status, words) => {
    const done = feed.do('unshare_all');
    kernel.become(status);
    await expect(done).rejects.toThrow(words);
  });

  it('fails with what the kernel says against it, or where nobody hears it', async () => {
    const refused = expect(feed.do('unshare')).rejects.toThrow('missing');
    await kernel.last.reply({ status: 'error', message: "'object' is missing." });
    await refused;
    const unheard = expect(feed.do('unshare')).rejects.toThrow('not loaded');
    await kernel.last.ignore();
    await unheard;
  });
});
