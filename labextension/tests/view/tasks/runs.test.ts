import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunRow, Snapshot } from '../../../src/snapshot';
import { Lanes } from '../../../src/view/tasks/lanes';
import { RunList } from '../../../src/view/tasks/runs';
import { spoken } from '../../../src/view/tasks/runrow';
import { click, press, START, textOf } from '../support';
import { at, pool, poolWorker, run } from './rows';

const GB = 1024 ** 3;
const actions = { showErrorsOf: vi.fn(), showObject: vi.fn(), single: vi.fn() };
let lanes: Lanes;
let list: RunList;

function show(runs: RunRow[], values: Partial<Snapshot> = {}): HTMLElement[] {
  const now = at(40, { runs, run_count: runs.length, ...values });
  lanes.take({ ...now, time: now.time + lanes.lanes.length });
  list.update(now);
  return rows();
}

function rows(): HTMLElement[] {
  return [...list.element.querySelectorAll<HTMLElement>('.run')];
}

beforeEach(() => {
  vi.clearAllMocks();
  lanes = new Lanes();
  list = new RunList(lanes, actions);
  document.body.replaceChildren(list.element);
});

const score = run(1, {
  done: 1548,
  failed: 1,
  lost: 1,
  in_hand: 6,
  each_p50: 0.131,
  not_copied: 18.4 * GB,
  spent: {
    starting: 2,
    computing: 70,
    waiting: 24,
    no_task_queued: 1,
    no_task_empty: 3
  },
  waited_on: [{ object: 'conn', seconds: 24 }],
  slowest: [{ seconds: 3.1, arguments: "'UA', 7", pid: 2, when: START }],
  advice: 'Its workers wait on `conn` for a quarter of their time.'
});

describe('a run that goes on', () => {
  it('says how far it is, how long it takes, and what failed', () => {
    const workers = [1, 2].map(pid => poolWorker(pid, { run: 1, state: 'computing' }));
    const [row] = show([score], { workers });
    expect(textOf(row as HTMLElement, '.fn')).toBe('score');
    expect(textOf(row as HTMLElement, '.pool')).toBe('Pool, 6 workers');
    expect(textOf(row as HTMLElement, '.done')).toBe('1,548 / 4,096');
    expect(textOf(row as HTMLElement, '.left')).toBe('1 m 10 s left');
    const facts = [...(row?.querySelector('.facts-l')?.children ?? [])];
    expect(facts.map(fact => fact.textContent?.replaceAll('\u00a0', ' '))).toEqual([
      ...['1 failed', '1 lost', '39/s', '18.4 GB not copied', '130 ms each'],
      '2 of 6 at work'
    ]);
    expect(row?.style.getPropertyValue('--c')).toBe('var(--fn-1)');
  });

  it('has a bar that says it to who cannot see it', () => {
    const [row] = show([score]);
    const bar = row?.querySelector('[role=progressbar]');
    expect(bar?.getAttribute('aria-valuenow')).toBe('1548');
    expect(bar?.getAttribute('aria-valuetext')?.replaceAll('\u00a0', ' ')).toBe(
      '1,548 of 4,096, 1 failed, 1 lost, about 1 m 10 s left'
    );
    expect(row?.querySelector<HTMLElement>('.ok')?.style.width).toBe('37.77%');
  });

  it('has no bar and no time left where more may come', () => {
    const [row] = show([{ ...score, total_known: false }]);
    expect(textOf(row as HTMLElement, '.done')).toBe('1,548 so far');
    expect(textOf(row as HTMLElement, '.left').trim()).toBe('left');
    expect(row?.querySelector('.prog')?.className).toBe('prog open');
    expect(spoken({ ...score, total_known: false }, null)).toBe(
      '1,548 so far, 1 failed, 1 lost'
    );
  });
});

describe('a run that is over', () => {
  const over = run(2, { ...score, function: 'load', total: 36, done: 36, failed: 0 });
  const ended = { ended: START + 20, last: START + 18 };

  it('says what its pool gave', () => {
    const [row] = show([{ ...over, ...ended }]);
    expect(row?.className).toBe('run over');
    expect(textOf(row as HTMLElement, '.sum')).toBe(
      '36 in 18 s, worth 3.9 of 6 workers'
    );
  });

  it('goes on saying what failed and was lost, and no pace', () => {
    const [row] = show([{ ...over, ...ended, done: 35, failed: 1, lost: 1 }]);
    const facts = [...(row?.querySelectorAll<HTMLElement>('.facts-l > *') ?? [])];
    expect(facts.filter(each => !each.hidden).map(each => each.textContent)).toEqual([
      '1 failed',
      '1 lost'
    ]);
    const [fine] = show([{ ...over, ...ended, lost: 0 }]);
    expect(fine?.querySelector<HTMLElement>('.facts-l')?.hidden).toBe(true);
  });

  it('says how long it took where that was less than a second', () => {
    const [row] = show([{ ...over, ended: START + 20, last: START + 0.03 }]);
    expect(textOf(row as HTMLElement, '.sum')).toMatch(/^36 in 30 ms, /);
  });

  it('says how far it came where its pool broke', () => {
    const pools = [pool(1, { how: 'broken', ended: START + 20 })];
    const [row] = show([{ ...over, ...ended, done: 17 }], { pools });
    expect(row?.className).toBe('run over broke');
    expect(textOf(row as HTMLElement, '.sum')).toMatch(/^17 of 36 in 18 s, broken/);
  });

  it('is open where nothing runs, and it is the last one', () => {
    const runs = [
      { ...over, ...ended },
      { ...over, ...ended, id: 3, first: START + 1 }
    ];
    show(runs);
    expect(rows().map(row => row.getAttribute('aria-expanded'))).toEqual([
      'true',
      'false'
    ]);
  });
});

describe('an opened run', () => {
  beforeEach(() => {
    show([score], { workers: [poolWorker(2)] });
    click(rows()[0]?.querySelector('.title') ?? null);
  });

  it('says where the time went, what to do, and what was slowest', () => {
    const [row] = rows() as [HTMLElement];
    const parts = [...row.querySelectorAll<HTMLElement>('.parts > span')];
    expect(
      parts
        .filter(({ hidden }) => !hidden)
        .map(part => part.textContent?.replaceAll('\u00a0', ' '))
    ).toEqual([
      'computing 70 %',
      'waiting on conn 24 %',
      'for a task 4 %',
      'starting 2 %'
    ]);
    expect(textOf(row, '.advice')).toBe(
      'Its workers wait on conn for a quarter of their time.'
    );
    expect(row.querySelector('.advice code')?.textContent).toBe('conn');
    expect(textOf(row, '.slow')).toBe("score('UA', 7)3.1 sworker 2");
    expect(row.querySelector('.shares')?.getAttribute('aria-label')).toContain(
      'waiting on the kernel 24'
    );
  });

  it('leads to its errors and to the object that is waited on', () => {
    const [row] = rows() as [HTMLElement];
    click(row.querySelector('[data-do=failed]'));
    expect(actions.showErrorsOf).toHaveBeenCalledWith(1);
    click(row.querySelector('[data-do=object]'));
    expect(actions.showObject).toHaveBeenCalledWith('conn');
    expect(row.getAttribute('aria-expanded')).toBe('true');
  });

  it('closes with the next click', () => {
    click(rows()[0]?.querySelector('.title') ?? null);
    expect(rows()[0]?.getAttribute('aria-expanded')).toBe('false');
  });
});

describe('the list of functions', () => {
  const three = [1, 2, 3].map(id =>
    run(id, { first: START + id, function: `f${id}`, failed: 1 })
  );

  it('has the newest first, and says how many there were before', () => {
    show(three, { run_count: 15 });
    expect(rows().map(row => textOf(row, '.fn'))).toEqual(['f3', 'f2', 'f1']);
    expect(textOf(list.element, '.rest')).toBe('12 earlier');
  });

  it('is one stop of the Tab key, in which arrows go up and down', () => {
    show(three);
    const [first, second] = rows() as [HTMLElement, HTMLElement];
    expect(rows().map(row => row.tabIndex)).toEqual([0, -1, -1]);
    first.focus();
    press(first, 'ArrowDown');
    expect(document.activeElement).toBe(second);
    expect(rows().map(row => row.tabIndex)).toEqual([-1, 0, -1]);
  });

  it('opens with the right arrow or Enter, and goes on to the row’s actions', () => {
    show(three);
    const [row] = rows() as [HTMLElement];
    row.focus();
    press(row, 'ArrowRight');
    expect(row.getAttribute('aria-expanded')).toBe('true');
    press(row, 'ArrowRight');
    const action = document.activeElement as HTMLElement;
    expect(action.textContent).toBe('1 failed');
    press(action, 'ArrowLeft');
    expect(document.activeElement).toBe(row);
    press(row, 'ArrowLeft');
    press(row, 'Enter');
    expect(row.getAttribute('aria-expanded')).toBe('true');
  });

  it('finds a function by its name', () => {
    list.sought = 'f2';
    show(three);
    expect(rows().map(row => textOf(row, '.fn mark'))).toEqual(['f2']);
    expect(list.found).toBe(1);
  });

  it('dims the others in the stream while one is pointed to', () => {
    const [row] = show(three);
    row?.dispatchEvent(new Event('pointerover', { bubbles: true }));
    expect(actions.single).toHaveBeenLastCalledWith('f3');
    list.element.querySelector('.runs')?.dispatchEvent(new Event('pointerleave'));
    expect(actions.single).toHaveBeenLastCalledWith(null);
  });

  it('marks the function of the lane that is pointed to', () => {
    show(three);
    list.mark('f2');
    expect(rows().map(row => row.classList.contains('is-hover'))).toEqual([
      ...[false, true, false]
    ]);
  });

  it('says of a pool that was made before that its tasks are not seen', () => {
    const pools = [pool(1, { seen: false, kind: 'ProcessPoolExecutor', size: 4 })];
    const [row] = show([], { pools });
    expect(row?.className).toBe('run unseen');
    expect(row?.textContent).toContain('Made before %load_ext duck_jupyter');
    expect(textOf(row as HTMLElement, '.pool')).toBe('ProcessPoolExecutor, 4 workers');
  });
});
