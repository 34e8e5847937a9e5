/** Lines over time on a canvas, and a cursor over them; a line of null is a gap. */

import { Style } from './cells';
import { el } from './dom';

/** How a line is drawn. */
export interface Line {
  readonly stroke: string;
  readonly width: number;
  readonly dash?: readonly number[];
  /** What is between it and its base. */
  readonly fill?: string | CanvasPattern;
  /** The line that the fill reaches to, by its place; zero where there is none. */
  readonly base?: number;
}

/** The ends of what is drawn. */
export interface Frame {
  /** Seconds before now. */
  readonly span: number;
  readonly range: readonly [number, number];
  readonly isLogarithmic: boolean;
}

type Values = readonly (number | null | undefined)[];

/** Free of lines, in pixels: above for the ticks, below for the last line's width. */
export const PADDING = { above: 12, below: 1 };

/** How far from the top a value is, from 0 to 1. */
export function depthOf(value: number, { range, isLogarithmic }: Frame): number {
  const [low, high] = range;
  const share = isLogarithmic
    ? Math.log(Math.max(value, low / 1e3) / low) / Math.log(high / low)
    : (value - low) / (high - low);
  return 1 - share;
}

/** The places from and to which all of these have values; a single one is no line. */
export function segmentsOf(...lines: Values[]): [from: number, to: number][] {
  const segments: [number, number][] = [];
  const count = lines[0]?.length ?? 0;
  let from = -1;
  for (let at = 0; at <= count; at++) {
    const isKnown = at < count && lines.every(line => line[at] != null);
    if (isKnown && from < 0) {
      from = at;
    } else if (!isKnown && from >= 0) {
      segments.push([from, at - 1]);
      from = -1;
    }
  }
  return segments;
}

export class Plot {
  readonly #canvas = el('canvas');
  readonly #cursor = el('span', { class: 'cursor', hidden: true });
  readonly #left = new Style(this.#cursor, 'left');
  readonly #parts = [this.#canvas, this.#cursor];
  #lines: readonly Line[] = [];
  #size = { width: 0, height: 0 };

  /**
   * @param place - The element that it fills.
   * @param pointed - Called with a share of the width, from 0 to 1, or null.
   */
  constructor(
    private readonly place: HTMLElement,
    pointed: (share: number | null) => void
  ) {
    place.append(...this.#parts);
    place.addEventListener('pointermove', event => {
      const { left, width } = place.getBoundingClientRect();
      pointed(Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width))));
    });
    place.addEventListener('pointerleave', () => pointed(null));
  }

  /** Draw these lines from now on, the first one first. */
  setLines(lines: readonly Line[]): void {
    this.#lines = lines;
    this.resize();
  }

  resize(): void {
    const { width, height } = this.place.getBoundingClientRect();
    this.#size = { width, height };
  }

  /** Put the cursor to a share of the width; null takes it away. */
  point(share: number | null): void {
    this.#cursor.hidden = share === null;
    this.#left.set(`${((share ?? 0) * 100).toFixed(2)}%`);
  }

  /**
   * Draw all of it anew.
   *
   * @param x - Seconds from now, negative.
   * @param columns - The values of each line.
   */
  draw(x: readonly number[], columns: readonly Values[], frame: Frame): void {
    const context = this.#canvas.getContext('2d');
    const { width, height } = this.#size;
    if (!context || width <= 0) {
      return;
    }
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const inner = height - PADDING.above - PADDING.below;
    const across = (at: number): number => (1 + (x[at] ?? 0) / frame.span) * width;
    const down = (value: number): number =>
      PADDING.above + inner * depthOf(value, frame);
    const zero = frame.isLogarithmic ? frame.range[0] : Math.max(0, frame.range[0]);
    const trace = (values: Values, from: number, to: number): void => {
      const step = from <= to ? 1 : -1;
      for (let at = from; at !== to + step; at += step) {
        context.lineTo(across(at), down(values[at] ?? zero));
      }
    };
    this.#lines.forEach(({ base, dash, fill, stroke, width: thick }, nth) => {
      const values = columns[nth] ?? [];
      const other = base === undefined ? null : (columns[base] ?? []);
      if (fill !== undefined) {
        context.fillStyle = fill;
        for (const [from, to] of other
          ? segmentsOf(values, other)
          : segmentsOf(values)) {
          context.beginPath();
          trace(values, from, to);
          trace(other ?? [], to, from);
          context.fill();
        }
      }
      context.strokeStyle = stroke;
      context.lineWidth = thick;
      context.lineJoin = 'round';
      context.setLineDash(dash ? [...dash] : []);
      for (const [from, to] of segmentsOf(values)) {
        context.beginPath();
        trace(values, from, to);
        context.stroke();
      }
    });
  }

  dispose(): void {
    this.#parts.forEach(part => part.remove());
  }
}
