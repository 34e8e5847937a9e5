/** The theme's colours as the stream's canvas needs them. */

import { hatching } from '../hatch';
import { asked } from '../theme';

export interface StreamColours {
  ground: string;
  ink: string;
  muted: string;
  warn: string;
  error: string;
  hover: string;
  line: string;
  starting: string;
  /** Of functions: none, and the first three; full, and as a fill. */
  functions: string[];
  fills: string[];
  hatch: CanvasPattern | string;
}

const FILL = (colour: number, share: number): string =>
  `color-mix(in oklab, var(--fn-${colour}) ${share}%, var(--bg))`;

const MIXED = {
  ground: 'var(--bg)',
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  warn: 'var(--warn)',
  error: 'var(--error)',
  hover: 'var(--hover)',
  line: 'var(--line-2)',
  starting: 'var(--track)',
  pale: 'color-mix(in srgb, var(--warn) 16%, var(--bg))',
  functions: [0, 1, 2, 3].map(colour => `var(--fn-${colour})`),
  fills: [FILL(0, 22), FILL(1, 62), FILL(2, 56), FILL(3, 62)]
};

/** Ask the browser what the colours are here and now, and make the hatching of them. */
export function streamColours(root: HTMLElement): StreamColours {
  return asked(root, ask => {
    const { functions, fills, pale, ...plain } = MIXED;
    const found = Object.fromEntries(
      Object.entries(plain).map(([name, mixed]) => [name, ask(mixed)])
    ) as Record<keyof typeof plain, string>;
    return {
      ...found,
      functions: functions.map(ask),
      fills: fills.map(ask),
      hatch: hatching(ask(pale), found.warn)
    };
  });
}
