/** What is said of an object, wherever it is said. */

import { membersOf, type PathRow } from '../paths';
import type { ObjectRow } from '../snapshot';
import { bytes, exact, many, percent, plainBytes, total } from './format';
import { callsOf } from './history';

export const MODES: Readonly<Record<ObjectRow['mode'], string>> = {
  live: 'live',
  frozen: 'frozen',
  inplace: 'in place',
  'read-only': 'read-only'
};

/** The line of code with which a worker gets an object. */
export function fetchLine(row: ObjectRow): string {
  // What a path calls, or is too long to be told whole, cannot be typed.
  const isCode = !/[(…]|\.\.\./.test(row.path);
  return `fetch(shared.${isCode ? row.path : row.root})`;
}

/** The share of its buffer that something takes, in percent. */
export function share(size: number, row: ObjectRow): number {
  return row.bufsize > 0 ? (size / row.bufsize) * 100 : 0;
}

/** A buffer's size, which is a round number. */
export function sizeInWords(size: number): string {
  let words = sizes.get(size);
  if (words === undefined) {
    words = plainBytes(size);
    sizes.set(size, words);
  }
  return words;
}

const sizes = new Map<number, string>();

/** Whether it was refused to send more to an object than is allowed. */
export function isRefused(row: ObjectRow): boolean {
  return row.error?.type === 'DataTooBigError';
}

/** Of the last minute's frames: more of them beside the buffer are worth a colour. */
const OFTEN = 0.05;

/** Whether frames are often larger than the buffer, and travel beside it. */
export function isOftenBeside(row: ObjectRow, share: number): boolean {
  return !isRefused(row) && share >= OFTEN;
}

/** What a bar cannot show: how many frames did not fit, and how often that is. */
export function fillTitle(row: ObjectRow, share: number): string {
  if (!row.beside) {
    return '';
  }
  const size = sizeInWords(row.bufsize);
  return isOftenBeside(row, share)
    ? `${percent(share)} of the frames of the last minute were larger than the buffer ` +
        `of ${size}; each travelled in a block of its own, which is slower`
    : `${exact(row.beside)} of ${total(callsOf(row))} frames were larger than the ` +
        `buffer of ${size}; each travelled in a block of its own`;
}

/** Whether an object is given to workers and not called: then its calls say nothing. */
export function isHandedOnly(row: ObjectRow, rate: number | null): boolean {
  return row.handovers > 0 && !rate;
}

/** Of versions: how many, and the bytes of one. */
export function versionsInWords(row: ObjectRow): string {
  return row.versions ? ` · ${bytes(row.version_bytes / row.versions)}` : '';
}

/** All that a narrow row leaves out, in words. */
export function description(row: PathRow): string {
  const live = membersOf(row).length;
  const calls = `${total(callsOf(row))} calls, ${bytes(row.bytes_in + row.bytes_out)}`;
  return [
    `${row.path}, ${MODES[row.mode]}`,
    live > 1 ? `${total(live)} live` : '',
    row.level ? `level ${row.level} of ${row.max_level}` : '',
    calls,
    row.beside ? `${many(row.beside, 'frame')} larger than the buffer` : '',
    row.handovers
      ? `handed over ${many(row.handovers, 'time')}, ${bytes(row.handed_bytes)} not copied`
      : '',
    row.versions
      ? `${row.versions} published (${bytes(row.version_bytes)}), ${bytes(row.mapped_bytes)} mapped by workers`
      : '',
    row.last_error ? `last error: ${row.last_error}` : ''
  ]
    .filter(Boolean)
    .join('; ');
}
