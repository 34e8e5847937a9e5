/** The names beside the lanes, and the share of its time that each waits. */

import type { Snapshot } from '../../snapshot';
import { el } from '../dom';
import { percent } from '../format';
import { isLost, type Lane, sharesOf } from './lanes';
import { blocksOf, type Layout, WITH_NAME } from './layout';

/** From this share of its time on a worker is said to wait a lot. */
const MUCH = 0.5;
/** Below this it does not wait. */
const NONE = 0.005;
/** A block of lanes that is lower has no room for how many they are. */
const TWO_LINES = 28;

/** What a worker does now, for the mark beside its name. */
export function markOf({ row, goneAt }: Lane): string {
  if (goneAt !== null) {
    return 'gone';
  }
  return row.state === 'starting'
    ? 'boot'
    : row.state === 'unseen'
      ? 'idle'
      : row.state;
}

export class StreamNames {
  readonly names = el('div', { class: 'names', 'aria-hidden': 'true' });
  readonly waits = el('div', { class: 'busyness', 'aria-hidden': 'true' });
  #drawn = '';

  /** Write them, where something is new. */
  say(
    lanes: readonly Lane[],
    layout: Layout,
    now: Snapshot,
    span: number,
    on: number | null
  ): void {
    const isEach = layout.height >= WITH_NAME;
    const shares = lanes.map(lane => sharesOf(lane, span, now.time)?.waiting ?? null);
    const drawn = JSON.stringify([
      layout.height,
      lanes.map((lane, at) => [lane.key, markOf(lane), percent(shares[at] ?? null)])
    ]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      if (isEach) {
        this.#sayEach(lanes, shares);
      } else {
        this.#sayPools(lanes, layout, now, shares);
      }
    }
    this.on(on);
  }

  /** Mark the name of the lane under the cursor. */
  on(lane: number | null): void {
    this.names.querySelectorAll('.ln').forEach((name, at) => {
      name.classList.toggle('on', at === lane);
    });
  }

  #sayEach(lanes: readonly Lane[], shares: readonly (number | null)[]): void {
    const names: HTMLElement[] = [];
    const waits: HTMLElement[] = [];
    lanes.forEach((lane, at) => {
      if (at && lanes[at - 1]?.row.pool !== lane.row.pool) {
        names.push(el('div', { class: 'gap' }));
        waits.push(el('div', { class: 'gap' }));
      }
      const { name, pid } = lane.row;
      const [, head = '', tail = name] =
        /^(.*?)([A-Z]?[a-z]*-\d+|.{1,6})$/.exec(name) ?? [];
      names.push(
        el(
          'div',
          {
            class: `ln${lane.goneAt === null ? '' : ' gone'}`,
            title: `${name}, pid ${pid}`
          },
          el('span', { class: 'st', 'data-s': stateOf(lane) }),
          el(
            'span',
            { class: 't' },
            el('span', { class: 'h' }, head),
            el('span', { class: 'e' }, tail)
          )
        )
      );
      waits.push(waitOf(lane.goneAt === null ? (shares[at] ?? null) : null));
    });
    this.names.replaceChildren(...names);
    this.waits.replaceChildren(...waits);
  }

  #sayPools(
    lanes: readonly Lane[],
    { height, tops }: Layout,
    { pools }: Snapshot,
    shares: readonly (number | null)[]
  ): void {
    const blocks = blocksOf(lanes);
    this.names.replaceChildren(
      ...blocks.map(([first, last]) => {
        const top = tops[first] ?? 0;
        const high = (tops[last] ?? 0) + height - top;
        const pool = pools.find(({ id }) => id === lanes[first]?.row.pool);
        const block = el(
          'div',
          { class: 'blk' },
          el('b', {}, pool?.kind ?? 'no pool'),
          high > TWO_LINES && el('span', {}, `${last - first + 1} workers`)
        );
        block.style.top = `${top}px`;
        block.style.height = `${high}px`;
        return block;
      })
    );
    this.waits.replaceChildren(
      ...blocks.map(([first, last]) => {
        const own = shares.slice(first, last + 1).filter(share => share !== null);
        const mean =
          own.reduce((sum, share) => sum + share, 0) / Math.max(1, own.length);
        const wait = waitOf(own.length ? mean : null);
        wait.style.top = `${((tops[first] ?? 0) + (tops[last] ?? 0) + height) / 2}px`;
        return wait;
      })
    );
  }
}

/** A worker that ended well has no cross. */
function stateOf(lane: Lane): string {
  const mark = markOf(lane);
  return mark === 'gone' && !isLost(lane) ? 'ended' : mark;
}

function waitOf(share: number | null): HTMLElement {
  const name =
    share === null ? null : share >= MUCH ? 'warn' : share < NONE ? 'zero' : null;
  return el(
    'div',
    { class: name },
    share === null ? '' : share < NONE ? '0' : percent(share)
  );
}
