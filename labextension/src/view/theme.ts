/** The theme's colours for a canvas, which knows no variables of a stylesheet. */

export interface Colours {
  get: string;
  set: string;
  execute: string;
  getFill: string;
  setFill: string;
  executeFill: string;
  brand: string;
  strong: string;
  medium: string;
  weak: string;
}

const MIXED: Record<keyof Colours, string> = {
  get: 'var(--op-get)',
  set: 'var(--op-set)',
  execute: 'var(--op-execute)',
  getFill: 'color-mix(in srgb, var(--op-get) 50%, var(--bg))',
  setFill: 'color-mix(in srgb, var(--op-set) 34%, var(--bg))',
  executeFill: 'color-mix(in srgb, var(--op-execute) 64%, var(--bg))',
  brand: 'var(--brand)',
  strong: 'color-mix(in srgb, var(--brand) 30%, transparent)',
  medium: 'color-mix(in srgb, var(--brand) 16%, transparent)',
  weak: 'color-mix(in srgb, var(--brand) 14%, transparent)'
};

/** Ask the browser what the colours are here and now. */
export function coloursOf(root: HTMLElement): Colours {
  const probe = document.createElement('i');
  probe.hidden = true;
  // Where colours are forced, a canvas still draws with the theme's.
  probe.style.setProperty('forced-color-adjust', 'none');
  root.append(probe);
  const found = Object.entries(MIXED).map(([name, mixed]) => {
    probe.style.color = mixed;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found) as unknown as Colours;
}

/** Be told when the theme may have changed; call what is returned to be told no more. */
export function onTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  // JupyterLab and VS Code name their theme in attributes and classes of the body.
  observer.observe(document.body, { attributes: true });
  observer.observe(document.documentElement, { attributes: true });
  const media = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map(query =>
    matchMedia(query)
  );
  media.forEach(query => query.addEventListener('change', changed));
  return () => {
    observer.disconnect();
    media.forEach(query => query.removeEventListener('change', changed));
  };
}
