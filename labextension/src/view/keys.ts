/** Keys that are pressed in the view: they stay in it. */

import type { Head } from './head';

/** With this attribute, an element's keys are no shortcuts of JupyterLab's. */
const NO_SHORTCUTS = 'data-lm-suppress-shortcuts';

/**
 * Do what keys mean anywhere in the view, and keep all of them in it.
 *
 * @param host - The element of the page that the view is in.
 * @returns What stops that.
 */
export function listenToKeys(
  host: HTMLElement,
  frame: HTMLElement,
  head: Head
): () => void {
  frame.addEventListener('keydown', event => {
    const [target] = event.composedPath();
    const isTyping = (target as Element | undefined)?.matches?.('input');
    if (event.key === '/' && !isTyping) {
      head.find.focus();
      event.preventDefault();
    } else if (event.key === ' ' && target === frame) {
      head.togglePause();
      event.preventDefault();
    }
  });
  keep(frame);
  // Notebook 7 looks at a key before the view does: what comes first is the window.
  const mark = (event: KeyboardEvent): void => {
    host.toggleAttribute(NO_SHORTCUTS, !isForPage(event));
  };
  window.addEventListener('keydown', mark, true);
  return () => {
    window.removeEventListener('keydown', mark, true);
    host.removeAttribute(NO_SHORTCUTS);
  };
}

/**
 * Keep keys from the page around the view. A notebook takes letters and arrows of what is
 * in its cells for its own: `d d` deletes the cell.
 */
function keep(frame: HTMLElement): void {
  for (const type of ['keydown', 'keypress', 'keyup'] as const) {
    frame.addEventListener(type, event => {
      if (!isForPage(event)) {
        event.stopPropagation();
      }
    });
  }
}

/** Whether the page may have a key: to save, and to open the palette or the side bar. */
function isForPage({
  key,
  ctrlKey,
  metaKey,
  shiftKey,
  altKey
}: KeyboardEvent): boolean {
  const isOf = shiftKey ? /^c$/i : /^[sb]$/i;
  return (ctrlKey || metaKey) && !altKey && isOf.test(key);
}
