/** Where each lane is: as high as the room allows, pools apart. */

import type { Lane } from './lanes';

const HEIGHTS = [24, 16, 12, 8, 4, 3, 2];
/** Pixels between two pools. */
const GAP = 6;
/** Up to so many lanes have names, and are scrolled where they do not fit. */
const NAMED = 12;
/** From this height on a lane has a name of its own. */
export const WITH_NAME = 11;
/** From this height on a bin is stacked; below, it is one cell. */
export const STACKED = 8;
/** The highest lanes are for few workers. */
const FEW = 4;

export interface Layout {
  /** Of a lane. */
  readonly height: number;
  readonly tops: readonly number[];
  readonly total: number;
}

/** The largest height with which all lanes fit. */
export function laneHeight(count: number, room: number): number {
  if (count <= NAMED && count * 12 > room) {
    return WITH_NAME;
  }
  const fitting = HEIGHTS.find(
    height => count * height <= room && (height < 24 || count <= FEW)
  );
  return fitting ?? 2;
}

/**
 * Lay lanes out.
 *
 * @param lanes - In their order.
 * @param room - Pixels that there are.
 * @param most - The largest height of a lane.
 */
export function layOut(lanes: readonly Lane[], room: number, most = 24): Layout {
  const isFirst = lanes.map((lane, at) => lane.row.pool !== lanes[at - 1]?.row.pool);
  const gaps = GAP * Math.max(0, isFirst.filter(Boolean).length - 1);
  const height = Math.min(most, laneHeight(lanes.length, room - gaps));
  let top = 0;
  const tops = lanes.map((_, at) => {
    top += at > 0 && isFirst[at] ? GAP : 0;
    const own = top;
    top += height;
    return own;
  });
  return { height, tops, total: top };
}

/** Lanes that stand together, by the places of the first and the last one. */
export function blocksOf(lanes: readonly Lane[]): [first: number, last: number][] {
  const blocks: [number, number][] = [];
  lanes.forEach((lane, at) => {
    const block = blocks.at(-1);
    if (block && lanes[at - 1]?.row.pool === lane.row.pool) {
      block[1] = at;
    } else {
      blocks.push([at, at]);
    }
  });
  return blocks;
}

/** The lane at a height, or -1. */
export function laneAt({ tops, height, total }: Layout, y: number): number {
  if (y < 0 || y > total) {
    return -1;
  }
  const at = tops.findLastIndex(top => top <= y);
  return at >= 0 && y <= (tops[at] ?? 0) + height + GAP ? at : -1;
}
