/** Single tasks in a lane, where they are long: borders, arguments, and failures in red. */

import type { TaskRow } from '../../snapshot';
import type { Context, Picture, Scale } from './draw';
import type { Lane } from './lanes';

/** From this height on there is room for words, and from this width on for a value. */
const WITH_WORDS = 16;
const WIDE = 22;
const DIM = 0.22;
/** Borders that are closer than this would hide what is between them. */
const CLOSE = 3;

export function longTasks(
  context: Context,
  picture: Picture,
  scale: Scale,
  lane: Lane,
  top: number,
  high: number
): void {
  const { colours, known, layout, only } = picture;
  const { height } = layout;
  const y = scale.px(top);
  const tall = scale.px(high);
  for (const task of lane.tasks) {
    const end = scale.moment(task.end ?? Infinity);
    const begin = scale.moment(task.start);
    const x = Math.max(0, begin);
    const wide = end - x;
    if (end <= 0 || wide < scale.px(CLOSE)) {
      continue;
    }
    const style = known.style(task.run);
    context.globalAlpha = only !== null && style?.name !== only ? DIM : 1;
    const isFailed = task.failed !== null;
    const colour = style?.colour ?? 0;
    if (isFailed) {
      context.fillStyle = colours.error;
      context.fillRect(x, y, wide, tall);
    }
    context.fillStyle = colours.ground;
    if (begin > 0) {
      context.fillRect(x, y, Math.max(1, scale.px(1)), tall);
    }
    if (task.end !== null) {
      const border = Math.max(1, scale.px(0.5));
      context.fillRect(end - border, y, Math.max(1, scale.px(1)), tall);
    }
    context.fillStyle = isFailed ? colours.error : (colours.functions[colour] ?? '');
    context.fillRect(x + scale.px(1), y, wide - scale.px(1), scale.px(1.5));
    if (!colour && !isFailed) {
      // Functions without a colour of their own are hollow.
      context.fillRect(
        x + scale.px(1),
        y + tall - scale.px(1),
        wide - scale.px(1),
        scale.px(1)
      );
    }
    if (height >= WITH_WORDS && wide > scale.px(WIDE)) {
      words(context, picture, scale, task, x, wide, y, tall);
    } else if (isFailed && wide > scale.px(10)) {
      context.font = fontOf(picture, 600);
      context.fillStyle = colours.ground;
      context.textBaseline = 'middle';
      context.fillText('✕', x + scale.px(3), y + tall / 2);
    }
  }
}

function fontOf({ font, ratio }: Picture, weight: number): string {
  return `${weight} ${11 * ratio}px ${font}`;
}

function words(
  context: Context,
  picture: Picture,
  scale: Scale,
  task: TaskRow,
  x: number,
  wide: number,
  y: number,
  tall: number
): void {
  const { colours, known } = picture;
  const isFailed = task.failed !== null;
  context.font = fontOf(picture, isFailed ? 600 : 400);
  context.textBaseline = 'middle';
  const most = wide - scale.px(10);
  const text = fitting(
    valuesOf(task.arguments),
    isFailed,
    words => context.measureText(words).width <= most
  );
  if (!text) {
    return;
  }
  const place = [x + scale.px(5), y + tall / 2 + scale.px(0.5)] as const;
  if (!isFailed) {
    context.strokeStyle = colours.fills[known.style(task.run)?.colour ?? 0] ?? '';
    context.lineWidth = scale.px(3.5);
    context.lineJoin = 'round';
    context.strokeText(text, ...place);
  }
  context.fillStyle = isFailed ? colours.ground : colours.ink;
  context.fillText(text, ...place);
}

/** The values of arguments, without their names and the quotes of strings. */
export function valuesOf(text: string): string[] {
  return splitArguments(text).map(part =>
    part.replace(/^\w+=/, '').replace(/^'(.*)'$/, '$1')
  );
}

/** Split arguments at the commas that are in no string and in no brackets. */
function splitArguments(text: string): string[] {
  return (
    text
      .match(/(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\([^)]*\)|[^,])+/g)
      ?.map(part => part.trim()) ?? []
  );
}

/** As many whole values as fit, from the first one on. */
export function fitting(
  values: readonly string[],
  isFailed: boolean,
  fits: (text: string) => boolean
): string {
  const mark = isFailed ? '✕' : '';
  for (let count = values.length; count > 0; count--) {
    const text = `${mark} ${values.slice(0, count).join(', ')}`.trim();
    if (fits(text)) {
      return text;
    }
  }
  return fits(mark) ? mark : '';
}
