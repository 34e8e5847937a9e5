/**
 * The stream on a canvas: what it takes follows workers and time, never tasks. Equal
 * bins beside each other are one rectangle.
 */

import type { TaskRow } from '../../snapshot';
import { BINS, type Spell, noSpell, stepOf } from './bins';
import type { StreamColours } from './colours';
import { isLost, isUnseen, type Lane, type Lanes } from './lanes';
import { type Layout, STACKED } from './layout';
import { longTasks } from './longtasks';

/** What of a canvas is used. */
export type Context = CanvasRenderingContext2D;

export interface Picture {
  readonly lanes: readonly Lane[];
  readonly known: Lanes;
  readonly layout: Layout;
  /** Pixels of the page, and how many of the screen each has. */
  readonly width: number;
  readonly ratio: number;
  readonly span: number;
  /** The kernel's clock. */
  readonly now: number;
  /** The only function that is not dimmed, or null for all. */
  readonly only: string | null;
  readonly colours: StreamColours;
  readonly font: string;
}

/** Shares that differ by less look the same. */
const SAME = 0.02;
/** A share that is less is not to be seen. */
const LEAST = 0.04;
const DIM = 0.22;

/** Where things are: bins and moments across, pixels of the screen. */
export class Scale {
  /** The first bin that is drawn. */
  readonly first: number;
  readonly step: number;

  constructor(private readonly picture: Picture) {
    this.step = stepOf(picture.span);
    this.first = Math.floor(picture.now / this.step) - BINS + 1;
  }

  px(value: number): number {
    return Math.round(value * this.picture.ratio);
  }

  bin(at: number): number {
    return this.px((at * this.picture.width) / BINS);
  }

  moment(time: number): number {
    const at = time / this.step - this.first;
    return this.px((Math.min(BINS, at) * this.picture.width) / BINS);
  }
}

/** The part of a lane's height that is drawn on. */
export function barHeight(height: number): number {
  return height >= 24
    ? height - 6
    : height >= 16
      ? height - 4
      : height >= 11
        ? height - 3
        : height >= 8
          ? height - 2
          : height >= 4
            ? height - 1
            : height;
}

/** Draw all of it anew. */
export function drawStream(context: Context, picture: Picture): void {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  const scale = new Scale(picture);
  const isStacked = picture.layout.height >= STACKED;
  const failed: [number, number][] = [];
  picture.lanes.forEach((lane, at) => {
    const spells = spellsOf(lane, picture, scale);
    const top = picture.layout.tops[at] ?? 0;
    if (isStacked) {
      drawStacked(context, picture, scale, lane, spells, top);
    } else {
      drawCells(context, picture, scale, spells, top, failed);
    }
  });
  const px = (value: number): number => scale.px(value);
  for (const [x, y] of failed) {
    // Last, so that no lane hides them.
    context.fillStyle = picture.colours.ground;
    context.fillRect(x - px(1), px(y - 2.5), px(5), px(5));
    context.fillStyle = picture.colours.error;
    context.fillRect(x, px(y - 1.5), px(3), px(3));
  }
}

type Spells = (Spell | null)[];

/** Only as many objects are made as there are bins: each lane reads into them. */
const POOL: Spell[] = Array.from({ length: BINS }, noSpell);

/** What a lane did, bin by bin; null where nothing is known. */
function spellsOf(lane: Lane, { span }: Picture, scale: Scale): Spells {
  return POOL.map((spell, at) =>
    lane.bins.read(span, scale.first + at, spell) ? spell : null
  );
}

// -- low lanes: a cell for each bin, of what it did most ------------------------------

const [NOTHING, WAITS, STARTS, FAILS] = [0, 7, 8, 9];
/** How much of it was computing: four depths. */
const DEPTHS = [0, 0.3, 0.5, 0.72, 0.9];

function cellOf(spell: Spell | null | undefined): number {
  if (!spell) {
    return NOTHING;
  }
  const { computing, waiting, starting, failed } = spell;
  if (failed) {
    return FAILS;
  }
  if (starting > 0.5) {
    return STARTS;
  }
  if (waiting > Math.max(0.5, computing)) {
    return WAITS;
  }
  return computing <= 0.05
    ? NOTHING
    : computing > 0.84
      ? 4
      : computing > 0.62
        ? 3
        : computing > 0.3
          ? 2
          : 1;
}

function drawCells(
  context: Context,
  picture: Picture,
  scale: Scale,
  spells: Spells,
  top: number,
  failed: [number, number][]
): void {
  const { colours, known, layout, only } = picture;
  const { height } = layout;
  const y = scale.px(top);
  const bottom = scale.px(top + height - (height >= 4 ? 1 : 0));
  let begin = 0;
  for (let at = 1; at <= BINS; at++) {
    const spell = spells[at - 1];
    const cell = cellOf(spell);
    if (cell === FAILS) {
      failed.push([scale.bin(at - 1), top + height / 2]);
    }
    if (
      at < BINS &&
      cellOf(spells[at]) === cell &&
      (spells[at]?.run ?? 0) === (spell?.run ?? 0)
    ) {
      continue;
    }
    if (cell !== NOTHING && spell) {
      const style = known.style(spell.run);
      const fade = only !== null && style?.name !== only ? DIM : 1;
      context.globalAlpha = (DEPTHS[cell] ?? 1) * fade;
      context.fillStyle =
        cell === FAILS
          ? colours.error
          : cell === WAITS
            ? colours.warn
            : cell === STARTS
              ? colours.starting
              : (colours.functions[style?.colour ?? 0] ?? colours.muted);
      const x = scale.bin(begin);
      context.fillRect(x, y, Math.max(1, scale.bin(at) - x), Math.max(1, bottom - y));
      context.globalAlpha = 1;
    }
    begin = at;
  }
}

// -- high lanes: shares, stacked ------------------------------------------------------

function drawStacked(
  context: Context,
  picture: Picture,
  scale: Scale,
  lane: Lane,
  spells: Spells,
  laneTop: number
): void {
  const { colours, known, layout, only } = picture;
  const high = barHeight(layout.height);
  const top = laneTop + (layout.height - high) / 2;
  const rect = (from: number, to: number, y: number, tall: number): void => {
    const x = scale.bin(from);
    const above = scale.px(y);
    context.fillRect(
      x,
      above,
      scale.bin(to) - x,
      Math.max(1, scale.px(y + tall) - above)
    );
  };
  const dim = (run: number): void => {
    const isDim = only !== null && known.style(run)?.name !== only;
    context.globalAlpha = isDim ? DIM : 1;
  };
  const begin = spells.findIndex(Boolean);
  const end = spells.findLastIndex(Boolean) + 1;
  if (begin >= 0) {
    context.fillStyle = colours.hover;
    rect(begin, end, top, high);
  }
  for (let at = 0; at < BINS; at++) {
    const spell = spells[at];
    if (!spell || spell.computing < SAME) {
      continue;
    }
    let next = at + 1;
    while (
      next < BINS &&
      spells[next]?.run === spell.run &&
      Math.abs((spells[next]?.computing ?? 0) - spell.computing) < SAME
    ) {
      next++;
    }
    dim(spell.run);
    const colour = known.style(spell.run)?.colour ?? 0;
    context.fillStyle = colours.fills[colour] ?? colours.hover;
    rect(at, next, top + high * (1 - spell.computing), high * spell.computing);
    at = next - 1;
  }
  if (begin >= 0 && isUnseen(lane.row)) {
    dash(context, scale, colours.line, [begin, end], [top, high]);
  }
  context.fillStyle = colours.hatch;
  spells.forEach((spell, at) => {
    if (spell && spell.waiting > LEAST) {
      dim(spell.run);
      const from = Math.max(0, 1 - spell.computing - spell.waiting);
      rect(at, at + 1, top + high * from, Math.max(1.5, high * spell.waiting));
    }
  });
  context.globalAlpha = 1;
  spells.forEach((spell, at) => {
    if (spell && spell.starting > SAME) {
      context.fillStyle = colours.muted;
      for (let x = scale.bin(at); x < scale.bin(at + 1); x += scale.px(3)) {
        context.fillRect(x, scale.px(top + high / 2), scale.px(1), scale.px(1.5));
      }
    }
    if (spell?.failed && !isToldByTask(lane.tasks, scale, at)) {
      drawFailure(context, picture, scale, at, top, high);
    }
  });
  longTasks(context, picture, scale, lane, top, high);
  context.globalAlpha = 1;
  drawEnd(context, picture, scale, lane, top, high);
}

function dash(
  context: Context,
  scale: Scale,
  colour: string,
  [begin, end]: [number, number],
  [top, high]: [number, number]
): void {
  context.strokeStyle = colour;
  context.lineWidth = Math.max(1, scale.px(1));
  context.setLineDash([scale.px(3), scale.px(3)]);
  const x = scale.bin(begin);
  context.strokeRect(
    x + 0.5,
    scale.px(top) + 0.5,
    scale.bin(end) - x - 1,
    scale.px(high) - 1
  );
  context.setLineDash([]);
}

/** Whether a failure in a bin is that of a long task, which shows it by itself. */
function isToldByTask(tasks: readonly TaskRow[], scale: Scale, at: number): boolean {
  const begin = (scale.first + at - 1) * scale.step;
  return tasks.some(
    ({ end, failed }) =>
      failed !== null && end !== null && end >= begin && end <= begin + 3 * scale.step
  );
}

/** A red bar with a rim, higher than the lane's own. */
function drawFailure(
  context: Context,
  { colours, layout, width }: Picture,
  scale: Scale,
  at: number,
  top: number,
  high: number
): void {
  const x = scale.bin(at);
  const wide = Math.max(scale.px(2.5), scale.px(width / BINS));
  if (layout.height > STACKED) {
    context.fillStyle = colours.ground;
    context.fillRect(
      x - scale.px(1),
      scale.px(top),
      wide + scale.px(2),
      scale.px(high)
    );
  }
  context.fillStyle = colours.error;
  context.fillRect(x, scale.px(top - 1), wide, scale.px(high + 2));
}

/** A cross where a worker was lost; else, in its colour, what it does now. */
function drawEnd(
  context: Context,
  { colours, known, now, span, width }: Picture,
  scale: Scale,
  lane: Lane,
  top: number,
  high: number
): void {
  if (lane.goneAt !== null) {
    if (isLost(lane) && now - lane.goneAt < span) {
      const x = scale.moment(lane.goneAt);
      const y = scale.px(top + high / 2);
      const r = scale.px(3);
      context.strokeStyle = colours.error;
      context.lineWidth = scale.px(2);
      context.beginPath();
      context.moveTo(x - r, y - r);
      context.lineTo(x + r, y + r);
      context.moveTo(x + r, y - r);
      context.lineTo(x - r, y + r);
      context.stroke();
    }
    return;
  }
  const { state, run } = lane.row;
  if (state === 'computing' || state === 'waiting') {
    const colour = known.style(run)?.colour ?? 0;
    context.fillStyle =
      state === 'waiting' ? colours.warn : (colours.functions[colour] ?? colours.muted);
    context.fillRect(
      scale.px(width) - scale.px(2),
      scale.px(top),
      scale.px(2),
      scale.px(high)
    );
  }
}
