/** Why there is nothing to draw, and one next step. */

import type { Absence, Source } from '../source';
import { type Attributes, attributes, el, icon } from './dom';

const SHARE = 'Share a variable, hand it to a pool';
export const LOAD = '%load_ext duck_jupyter';

/** What can be done from a page that has nothing to draw. */
export interface AbsenceActions {
  copy(line: string): void;
  host: Source['host'];
}

/** A line of code to copy. */
export function snip(line: string, copy: (line: string) => void): HTMLElement {
  const button = el(
    'button',
    { class: 'btn', type: 'button', title: 'Copy', 'aria-label': `Copy ${line}` },
    icon('copy')
  );
  button.addEventListener('click', () => copy(line));
  return el('div', { class: 'snip' }, el('code', {}, line), button);
}

function push(label: string, act: () => void, isMain = false): HTMLButtonElement {
  const button = el(
    'button',
    { class: isMain ? 'push main' : 'push', type: 'button' },
    label
  );
  button.addEventListener('click', act);
  return button;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A kernel, and the workers it has not met yet. */
function picture(holds: boolean): SVGElement {
  const shape = (name: string, values: Attributes): SVGElement => {
    const node = document.createElementNS(SVG, name);
    attributes(node, values);
    return node;
  };
  const svg = shape('svg', {
    class: 'pic',
    width: 176,
    height: 56,
    viewBox: '0 0 176 56',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': 1.5,
    'aria-hidden': 'true'
  });
  const box = { x: 1, y: 12, width: 48, height: 32, rx: 4 };
  svg.append(shape('rect', { ...box, 'stroke-dasharray': holds ? null : '3 4' }));
  if (holds) {
    svg.append(shape('path', { d: 'M12 28h4M22 28h18' }));
  }
  const roads = 'M56 28h70M100 28c14 0 12-20 26-20M100 28c14 0 12 20 26 20';
  svg.append(shape('path', { d: roads, 'stroke-dasharray': '2 5' }));
  svg.append(...[8, 28, 48].map(cy => shape('circle', { cx: 134, cy, r: 6.5 })));
  return svg;
}

function page(title: string, words: string, ...below: HTMLElement[]): HTMLElement {
  return el(
    'div',
    { class: 'absence' },
    el('div', {}, picture(title === SHARE), el('h3', {}, title), el('p', {}, words)),
    el('div', {}, ...below)
  );
}

/** The page for a session that shares nothing. */
export function emptyPage(actions: AbsenceActions): HTMLElement {
  const line = (code: string, caption: string): HTMLElement =>
    el('div', {}, snip(code, actions.copy), el('span', { class: 'cap' }, caption));
  return page(
    SHARE,
    'Two lines. What then passes between this kernel and its workers shows here, ' +
      'while the cell runs.',
    el(
      'div',
      { class: 'lines' },
      line(
        '%share df model',
        'Live proxies: shared.df, shared.model. Nothing is copied.'
      ),
      line(
        'list(pool.map(score, [shared.model] * 8))',
        'In any pool. Every call runs on the notebook’s own object.'
      )
    )
  );
}

/** The page for what keeps a view from being live; null where it is a matter of time. */
export function absencePage(absence: Absence, actions: AbsenceActions): HTMLElement {
  const { host } = actions;
  switch (absence.kind) {
    case 'not-loaded': {
      const go = el('div', { class: 'go' });
      const { insertCell } = host;
      if (insertCell) {
        go.append(
          push('Insert a cell and run it', () => insertCell(LOAD, true), true),
          push('Insert only', () => insertCell(LOAD, false))
        );
      }
      return page(
        'duck_jupyter is not loaded here',
        'Load it in a cell. That starts nothing: the server comes with the first %share.',
        snip(LOAD, actions.copy),
        go
      );
    }
    case 'no-kernel':
      return page(
        'There is no kernel to watch',
        'Open a notebook or a console: the panel follows the one that is in front.'
      );
    case 'language': {
      const go = el('div', { class: 'go' });
      const { changeKernel } = host;
      if (changeKernel) {
        go.append(push('Change kernel…', () => changeKernel()));
      }
      return page(
        `This notebook runs ${absence.language}`,
        'duck_jupyter shares the objects of a Python kernel (3.10 or later). The panel ' +
          'wakes up by itself when you go to a notebook that has one.',
        go
      );
    }
    case 'silent':
      return page(
        'The kernel gives no sign',
        'Most likely a call in the running cell keeps Python’s lock. This page wakes up ' +
          'by itself when the kernel does.'
      );
    case 'dead':
      return page(
        'The kernel has ended',
        'What it shared is gone, and its workers were told. Restart it, and load the ' +
          'extension again.',
        snip(LOAD, actions.copy)
      );
    case 'waiting':
    case 'saved':
      return page('Waiting for the kernel', 'It has been asked what it shares.');
  }
}
