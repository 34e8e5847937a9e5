/** A traceback as elements: what is read first in colour, the rest as it is. */

import { el } from './dom';

const FRAME = /^(\s*File )("[^"]*")(.*)$/;
const ERROR = /^([A-Za-z_][\w.]*)(:.*)?$/;

/** How many calls a traceback tells of. */
export function framesIn(text: string): number {
  return text.split('\n').filter(line => FRAME.test(line)).length;
}

/** The traceback's lines; nothing of it is read as markup. */
export function coloured(text: string): Node[] {
  const lines = text.replace(/\s+$/, '').split('\n');
  return lines.flatMap((line, at) => {
    const end = at < lines.length - 1 ? '\n' : '';
    return [...colouredLine(line), document.createTextNode(end)];
  });
}

function colouredLine(line: string): Node[] {
  const text = (value: string): Node => document.createTextNode(value);
  const frame = FRAME.exec(line);
  if (frame) {
    const [, before = '', file = '', after = ''] = frame;
    return [text(before), el('span', { class: 'd' }, file), text(after)];
  }
  if (line.startsWith('Traceback ')) {
    return [text('Traceback '), el('span', { class: 'd' }, line.slice(10))];
  }
  const error = ERROR.exec(line);
  if (error) {
    return [el('span', { class: 'e' }, error[1] ?? ''), text(error[2] ?? '')];
  }
  return [text(line)];
}
