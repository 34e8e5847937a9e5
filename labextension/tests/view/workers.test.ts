import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EndedRow, WorkerRow } from '../../src/snapshot';
import { MOVE_EVERY_MS } from '../../src/view/sort';
import { lasting } from '../../src/view/format';
import { WorkerList } from '../../src/view/workers';
import {
  click,
  giveSizes,
  golden,
  header,
  mount,
  names,
  Rest,
  rowNamed,
  rowsOf,
  START,
  state,
  stateOf,
  textOf,
  worker
} from './support';

let rest: Rest;
let list: WorkerList;

beforeEach(() => {
  giveSizes();
  rest = new Rest();
  list = mount(new WorkerList(rest));
});

afterEach(() => {
  list.dispose();
  vi.restoreAllMocks();
});

function ended(
  pid: number,
  how: EndedRow['how'],
  ago: number,
  words: string = how
): EndedRow {
  return {
    pid,
    name: `PoolWorker-${pid}`,
    since: START - 161,
    ended: START - ago,
    exit_code: null,
    how,
    words,
    calls: 3,
    tasks: null,
    cluster: null
  };
}

describe('the list of workers', () => {
  it('draws the session that both languages are tested with', () => {
    rest.shares.set(4101, 0.61);
    rest.rates.set(4101, 602);
    list.update(stateOf(golden));
    expect(names(list)).toEqual([
      'SpawnPoolWorker-1',
      'SpawnPoolWorker-2',
      '10.0.0.2:gpu-1',
      '10.0.0.2:gpu-0',
      'MainProcess',
      'SpawnPoolWorker-6',
      'SpawnPoolWorker-5',
      'SpawnPoolWorker-4',
      'SpawnPoolWorker-3'
    ]);
    const first = rowNamed(list, 'SpawnPoolWorker-1');
    expect(textOf(first, '.c-pid')).toBe('4101');
    expect(textOf(first, '.state')).toBe('fit, waiting on df');
    expect(first.querySelector<HTMLElement>('.st')?.dataset['s']).toBe('waiting');
    expect(first.querySelector<HTMLElement>('.state')?.title).toContain('here for 16');
    expect(textOf(first, '.c-tasks')).toBe('774');
    expect(textOf(first, '.c-each')).toBe('41 ms');
    expect(textOf(first, '.c-rate')).toBe('602');
    expect(textOf(first, '.c-time .val')).toBe('39 %');
    expect(textOf(first, '.c-time .w')).toBe('waits 61 %');
    expect(first.querySelector('.w')?.className).toBe('w warn');
    expect(textOf(first, '.c-mem')).toBe('70.0 MB');
    const second = rowNamed(list, 'SpawnPoolWorker-2');
    expect(textOf(second, '.state')).toBe('idle');
    expect(textOf(second, '.c-mem')).toBe('–');
    const killed = rowNamed(list, 'SpawnPoolWorker-4');
    expect(textOf(killed, '.state')).toBe('killed by SIGKILL, 30 s ago');
    expect(killed.className).toBe('row gone broke');
    expect(textOf(killed, '.c-tasks')).toBe('1.55k');
    expect(textOf(rowNamed(list, 'SpawnPoolWorker-3'), '.state')).toBe(
      'ended, 1 m ago'
    );
    expect(rowNamed(list, 'SpawnPoolWorker-3').className).toBe('row gone');
    expect(textOf(rowNamed(list, 'MainProcess'), '.state')).toBe('gone, 11 s ago');
    const told = rowNamed(list, 'SpawnPoolWorker-5');
    expect(textOf(told, '.state')).toBe('ended by SIGTERM, 20 s ago');
    expect(told.className).toBe('row gone');
    expect(list.count()).toEqual({ text: '3', trouble: '1 killed, 1 failed' });
  });

  it('shows a worker of another host with its way, its tasks and its memory', () => {
    list.update(stateOf(golden));
    const far = rowNamed(list, '10.0.0.2:gpu-1');
    expect(textOf(far, '.way')).toBe('relay');
    expect(textOf(far, '.c-pid')).toBe('71');
    expect(textOf(far, '.state')).toBe('2 tasks, 5 waiting');
    expect(textOf(far, '.c-tasks')).toBe('–');
    expect(textOf(far, '.c-mem')).toBe('1.68 GB');
    const memory = far.querySelector<HTMLElement>('.c-mem');
    expect(memory?.title).toBe('1.68\u00a0GB of 2\u00a0GB');
    expect(memory?.className).toContain('warn');
    const told = far.querySelector<HTMLElement>('.state')?.title;
    expect(told).toContain('3.91\u00a0KB to the kernel, 78.1\u00a0KB from it');
    const lost = rowNamed(list, '10.0.0.2:gpu-0');
    expect(textOf(lost, '.state')).toBe('connection lost, 5 s ago');
    expect(textOf(lost, '.c-pid')).toBe('70');
    expect(textOf(rowNamed(list, 'SpawnPoolWorker-1'), '.way')).toBe('');
  });

  it('says what is not known of a worker that has not called', () => {
    const cluster = { ...golden.workers[2]?.cluster, pid: null, memory: null };
    list.update(
      state({ workers: [worker(7, { cluster: cluster as WorkerRow['cluster'] })] })
    );
    const row = rowsOf(list)[0] as HTMLElement;
    expect(textOf(row, '.c-pid')).toBe('–');
    expect(textOf(row, '.c-mem')).toBe('–');
    expect(textOf(row, '.way')).toBe('');
  });

  it('links to the page of a cluster while there is a kernel', () => {
    const links = (): HTMLAnchorElement[] => [...list.element.querySelectorAll('a')];
    list.update(stateOf(golden));
    expect(links()).toEqual([]);
    list.setLive(true);
    const [link, ...others] = links();
    expect(others).toEqual([]);
    expect(link?.textContent).toBe('Dask dashboard');
    expect(link?.href).toBe('http://10.0.0.1:8787/status');
    expect(link?.target).toBe('_blank');
    expect(link?.rel).toBe('noopener noreferrer');
    list.update(state({ clusters: [{ kind: 'Dask', dashboard: '' }] }));
    expect(links()).toEqual([]);
    list.update(stateOf(golden));
    list.setLive(false);
    expect(links()).toEqual([]);
    expect(list.element.querySelector<HTMLElement>('.links')?.hidden).toBe(true);
  });

  it('is a table for who cannot see it', () => {
    list.update(state({ workers: [worker(1)] }));
    const table = list.element.querySelector('[role=table]');
    expect(table?.getAttribute('aria-rowcount')).toBe('2');
    const cells = [...(rowsOf(list)[0]?.children ?? [])];
    expect(cells.map(cell => cell.getAttribute('role'))).toEqual([
      'rowheader',
      ...Array.from({ length: 7 }, () => 'cell')
    ]);
    expect(table?.querySelectorAll('[role=columnheader]')).toHaveLength(8);
  });

  it('has who waits most on top, and those that are gone at the end', () => {
    rest.shares.set(1, 0.1).set(2, 0.6);
    list.update(
      state({
        workers: [worker(1), worker(2), worker(3)],
        ended: [ended(9, 'killed', 5)]
      })
    );
    expect(names(list)).toEqual([
      'PoolWorker-2',
      'PoolWorker-1',
      'PoolWorker-3',
      'PoolWorker-9'
    ]);
    const sorted = header(list, 'Computing, waiting on the kernel').parentElement;
    expect(sorted?.getAttribute('aria-sort')).toBe('descending');
  });

  it('moves rows at most every two seconds, and not under the pointer', () => {
    rest.shares.set(1, 0.6).set(2, 0.1);
    const workers = [worker(1), worker(2)];
    list.update(state({ workers }));
    rest.shares.set(1, 0.1).set(2, 0.6);
    rest.clock += MOVE_EVERY_MS - 1;
    list.update(state({ workers }));
    expect(names(list)[0]).toBe('PoolWorker-1');
    const table = list.element.querySelector('[role=table]');
    table?.dispatchEvent(new Event('pointerenter'));
    rest.clock += MOVE_EVERY_MS;
    list.update(state({ workers }));
    expect(names(list)[0]).toBe('PoolWorker-1');
    table?.dispatchEvent(new Event('pointerleave'));
    list.update(state({ workers }));
    expect(names(list)[0]).toBe('PoolWorker-2');
  });

  it('can be in the order in which they connected', () => {
    rest.shares.set(1, 0.1).set(2, 0.6);
    list.update(state({ workers: [worker(1), worker(2)] }));
    click(header(list, 'Computing, waiting on the kernel'));
    click(header(list, 'Computing, waiting on the kernel'));
    expect(names(list)).toEqual(['PoolWorker-1', 'PoolWorker-2']);
  });

  it('shows the same row for a worker when it ends', () => {
    list.update(state({ workers: [worker(7)] }));
    const row = rowNamed(list, 'PoolWorker-7');
    list.update(state({ ended: [ended(7, 'failed', 1, 'failed with exit code 3')] }));
    expect(rowNamed(list, 'PoolWorker-7')).toBe(row);
    expect(textOf(row, '.state')).toBe('failed with exit code 3, 1 s ago');
    expect(list.count().trouble).toBe('1 failed');
  });

  it('tells a process from an older one of the same number', () => {
    const old = ended(7, 'ended', 1);
    list.update(state({ workers: [worker(7, { since: START - 1 })], ended: [old] }));
    expect(rowsOf(list)).toHaveLength(2);
  });

  it('forgets those that are gone when it is cleared', () => {
    list.update(state({ workers: [worker(1)], ended: [ended(7, 'killed', 1)] }));
    list.clear();
    expect(names(list)).toEqual(['PoolWorker-1']);
    expect(list.count()).toEqual({ text: '1', trouble: '' });
    list.update(
      state({ time: START + 9, ended: [ended(7, 'killed', 1), ended(8, 'killed', -5)] })
    );
    expect(names(list)).toEqual(['PoolWorker-8']);
  });

  it('finds a worker by its name, its number, and what it calls', () => {
    list.update(
      state({ workers: [worker(1, { calling: ['df'] }), worker(23, { name: 'Main' })] })
    );
    list.find('MAIN');
    expect(names(list)).toEqual(['Main']);
    expect(list.count().text).toBe('1 of 2');
    list.find('df');
    expect(names(list)).toEqual(['PoolWorker-1']);
    list.find('23');
    expect(names(list)).toEqual(['Main']);
  });

  it('says that there is none', () => {
    list.update(state({}));
    expect(textOf(list.element, '.nothing')).toContain('No worker yet.');
  });

  it('does not call a worker idle that calls and was not met at it', () => {
    rest.rates.set(1, 400);
    list.update(state({ workers: [worker(1)] }));
    expect(textOf(rowsOf(list)[0] as HTMLElement, '.state')).toBe('between calls');
  });

  it('keeps fifty in the document only where they are seen', () => {
    list.update(state({ workers: Array.from({ length: 50 }, (_, at) => worker(at)) }));
    expect(rowsOf(list).length).toBeLessThan(30);
  });
});

describe('words for workers', () => {
  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [161, '2 m 41 s'],
    [180, '3 m'],
    [3700, '1 h 1 m'],
    [90000, '1 d 1 h']
  ])('for %d seconds are "%s"', (seconds, words) => {
    expect(lasting(seconds).replaceAll('\u00a0', ' ')).toBe(words);
  });
});
