/** Making elements. Nothing of what the kernel tells is ever parsed as markup. */

export type Attributes = Record<string, string | number | boolean | null | undefined>;
export type Child = Node | string | null | undefined | false;

/** Set attributes; null, undefined and false take one away, true sets an empty one. */
export function attributes(node: Element, values: Attributes): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === false) {
      node.removeAttribute(name);
    } else {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
}

/** Make an element. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  values: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  attributes(node, values);
  node.append(...children.filter((child): child is Node | string => Boolean(child)));
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

/** 16 by 16, one stroke. */
const PATHS = {
  chev: 'M6 3.5 10.5 8 6 12.5',
  search: 'M2.75 7a4.25 4.25 0 1 0 8.5 0a4.25 4.25 0 1 0-8.5 0M10.2 10.2l3.3 3.3',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6L12.6 8z',
  clear: 'M2.75 8a5.25 5.25 0 1 0 10.5 0a5.25 5.25 0 1 0-10.5 0M4.4 11.6l7.2-7.2',
  more: 'M3.2 8h.6M7.7 8h.6M12.2 8h.6',
  copy: 'M6.7 5.5h5.1a1.2 1.2 0 0 1 1.2 1.2v5.1a1.2 1.2 0 0 1-1.2 1.2H6.7a1.2 1.2 0 0 1-1.2-1.2V6.7a1.2 1.2 0 0 1 1.2-1.2zM10.5 3H4.2A1.2 1.2 0 0 0 3 4.2v6.3',
  reset: 'M3.2 8a4.8 4.8 0 1 0 1.6-3.6L3 6M3 2.8V6h3.2',
  unshare:
    'M6.5 9.5l3-3M7 4.8l1.6-1.6a2.6 2.6 0 0 1 3.7 0l.5.5a2.6 2.6 0 0 1 0 3.7L11.2 9M4.8 7 3.2 8.6a2.6 2.6 0 0 0 0 3.7l.5.5a2.6 2.6 0 0 0 3.7 0L9 11.2',
  cut: 'M2.5 4.2a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0M2.5 11.8a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0M5.6 5.4l7.4 7M5.6 10.6l7.4-7',
  alert: 'M8 2.6 14 13H2zM8 6.6v3M8 11.4v.01',
  save: 'M8 2.5v7.2M4.9 6.8 8 9.9l3.1-3.1M3 12.8h10',
  clock: 'M2.6 8a5.4 5.4 0 1 0 10.8 0a5.4 5.4 0 1 0-10.8 0M8 4.9V8l2.1 1.4',
  x: 'm4 4 8 8M12 4l-8 8'
} as const;

export type IconName = keyof typeof PATHS;

/** Draw an icon; what it means is said by the label of its button. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  attributes(svg, { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' });
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
