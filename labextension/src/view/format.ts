/**
 * Numbers for people: rates and times with two figures, since they change; sizes and
 * totals with three, since they are facts. Bytes by 1024, as `df -h` has them.
 */

const GAP = '\u00a0';
export const UNKNOWN = '–';

/** A rate a second. */
export function rate(value: number | null): string {
  if (value === null) {
    return UNKNOWN;
  }
  if (value < 9.95) {
    return value === 0 ? '0' : value.toFixed(1);
  }
  if (value < 999.5) {
    return String(Math.round(value));
  }
  for (const [unit, word] of [
    [1e3, 'k'],
    [1e6, 'M'],
    [1e9, 'G']
  ] as const) {
    const scaled = value / unit;
    if (scaled < 9.95) {
      return scaled.toFixed(1) + word;
    }
    if (scaled < 999.5) {
      return Math.round(scaled) + word;
    }
  }
  return '∞';
}

/** A size, as a number and its unit. */
export function bytesParts(value: number, figures = 3): [string, string] {
  if (value < 1023.5) {
    return [String(Math.round(value)), 'B'];
  }
  let unit = -1;
  let scaled = value;
  while (scaled >= 1023.5 && unit < 4) {
    scaled /= 1024;
    unit++;
  }
  const digits = scaled < 9.995 ? figures - 1 : scaled < 99.95 ? figures - 2 : 0;
  return [
    scaled.toFixed(Math.max(0, digits)),
    ['KB', 'MB', 'GB', 'TB', 'PB'][unit] ?? 'PB'
  ];
}

/** A size. */
export function bytes(value: number | null, figures = 3): string {
  return value === null ? UNKNOWN : bytesParts(value, figures).join(GAP);
}

/** A count of all that was. */
export function total(value: number): string {
  for (const [unit, word] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k']
  ] as const) {
    if (value >= unit) {
      const scaled = value / unit;
      return scaled.toFixed(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0) + word;
    }
  }
  return String(value);
}

/** A time in seconds, as a number and its unit. */
export function timeParts(seconds: number): [string, string] {
  const [unit, word] =
    seconds < 0.9995e-3
      ? ([1e-6, 'µs'] as const)
      : seconds < 0.9995
        ? ([1e-3, 'ms'] as const)
        : ([1, 's'] as const);
  const scaled = seconds / unit;
  return [
    scaled < 9.95 ? scaled.toFixed(1).replace(/\.0$/, '') : String(Math.round(scaled)),
    word
  ];
}

/** A time in seconds. */
export function time(seconds: number | null): string {
  return seconds === null ? UNKNOWN : timeParts(seconds).join(GAP);
}

/** A share, of 1. */
export function percent(share: number | null): string {
  if (share === null) {
    return UNKNOWN;
  }
  const value = share * 100;
  return (value > 0 && value < 1 ? '<1' : String(Math.round(value))) + GAP + '%';
}

/** How long ago, or for how long: one unit. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return `${whole}${GAP}s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)}${GAP}m`;
  }
  if (whole < 86400) {
    return `${Math.floor(whole / 3600)}${GAP}h`;
  }
  return `${Math.floor(whole / 86400)}${GAP}d`;
}

/** How many of something. */
export function many(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
