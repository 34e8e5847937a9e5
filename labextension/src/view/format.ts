/**
 * Numbers for people: rates and times with two figures, since they change; sizes and
 * totals with three, since they are facts. Bytes by 1024, as `df -h` has them.
 *
 * `duck_jupyter/stats/text.py` formats alike: `tests/data/formats.json` is the table that
 * the tests of both read.
 */

const GAP = '\u00a0';
export const UNKNOWN = '–';

const THOUSANDS = ['', 'k', 'M', 'G', 'T'];
const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** A number with so many figures, or with as many as its integer part has. */
function figures(value: number, count: number): string {
  for (let digits = count - 1; digits > 0; digits--) {
    if (value < 10 ** (count - digits) - 0.5 * 10 ** -digits) {
      return value.toFixed(digits);
    }
  }
  return value.toFixed(0);
}

/** A number below a thousand, and which power of a thousand was taken out. */
function scaled(value: number): [number, string] {
  let unit = 0;
  while (value >= 999.5 && unit < THOUSANDS.length - 1) {
    value /= 1000;
    unit++;
  }
  return [value, THOUSANDS[unit] ?? ''];
}

/** A rate a second. */
export function rate(value: number | null): string {
  if (value === null) {
    return UNKNOWN;
  }
  if (value < 0.05) {
    return value > 0 ? '<0.1' : '0';
  }
  const [number, unit] = scaled(value);
  return figures(number, 2) + unit;
}

/** A size, as a number and its unit. */
export function bytesParts(value: number, count = 3): [string, string] {
  let unit = 0;
  while (value >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return [unit ? figures(value, count) : value.toFixed(0), BYTE_UNITS[unit] ?? ''];
}

/** A size; with two figures the bytes of a second. */
export function bytes(value: number | null, count = 3): string {
  return value === null ? UNKNOWN : bytesParts(value, count).join(GAP);
}

/** A size that someone chose, without zeros after the point. */
export function plainBytes(value: number, count = 3): string {
  const [number, unit] = bytesParts(value, count);
  return Number(number) + GAP + unit;
}

/** A count of all that was. */
export function total(value: number): string {
  const [number, unit] = scaled(value);
  return figures(number, unit ? 3 : 1) + unit;
}

/** A time in seconds, as a number and its unit. */
export function timeParts(seconds: number): [string, string] {
  const [unit, word] =
    seconds < 0.995e-3
      ? ([1e-6, 'µs'] as const)
      : seconds < 0.995
        ? ([1e-3, 'ms'] as const)
        : ([1, 's'] as const);
  const value = seconds / unit;
  if (value < 9.95) {
    return [value.toFixed(1).replace(/\.0$/, ''), word];
  }
  const whole = value < 99.5 ? value.toFixed(0) : `${(value / 10).toFixed(0)}0`;
  return [whole, word];
}

/** A time in seconds. */
export function time(seconds: number | null): string {
  return seconds === null ? UNKNOWN : timeParts(seconds).join(GAP);
}

/** How many times as much, such as `1.9×`. */
export function times(factor: number): string {
  return `${factor.toFixed(1)}×`;
}

/** A share, of 1. */
export function percent(share: number | null): string {
  if (share === null) {
    return UNKNOWN;
  }
  const value = share * 100;
  return (value > 0 && value < 1 ? '<1' : value.toFixed(0)) + GAP + '%';
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

/** A time in two units: "2 m 41 s". */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units: [number, number][] = [
    [86400, 3600],
    [3600, 60],
    [60, 1]
  ];
  for (const [unit, next] of units) {
    if (whole >= unit) {
      const rest = whole % unit;
      const small = Math.floor(rest / next) * next;
      return small ? `${age(whole - rest)} ${age(small)}` : age(whole - rest);
    }
  }
  return age(whole);
}

/** A count with all its figures. */
export function exact(count: number): string {
  return count.toLocaleString('en');
}

/** How many of something. */
export function many(count: number, what: string): string {
  return `${exact(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** How many of something, with three figures. */
export function roughly(count: number, what: string): string {
  return `${total(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** How long something took: with a tenth below ten seconds, from those on in two units. */
export function took(seconds: number): string {
  if (seconds < 0.995) {
    return time(Math.max(0, seconds));
  }
  return seconds < 9.95 ? `${seconds.toFixed(1)}${GAP}s` : lasting(Math.round(seconds));
}

/** How long something will take, in steps as coarse as the guess; never nothing. */
export function left(seconds: number | null): string {
  if (seconds === null) {
    return UNKNOWN;
  }
  const step = seconds < 10 ? 1 : seconds < 60 ? 5 : seconds < 600 ? 10 : 60;
  return lasting(Math.max(1, Math.round(seconds / step) * step));
}

/** A rate that may be slow: by the minute below one a second. */
export function perTime(value: number): [number: string, unit: string] {
  return value > 0 && value < 0.95 ? [rate(value * 60), '/min'] : [rate(value), '/s'];
}
