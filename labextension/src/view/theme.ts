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
  warn: string;
  line: string;
  /** Of a warning, mixed with the ground. */
  pale: string;
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
  weak: 'color-mix(in srgb, var(--brand) 14%, transparent)',
  warn: 'var(--warn)',
  line: 'var(--line-2)',
  pale: 'color-mix(in srgb, var(--warn) 16%, var(--bg))'
};

/** Ask the browser what colours are here and now, which a canvas cannot mix itself. */
export function asked<Found>(
  root: HTMLElement,
  of: (ask: (mixed: string) => string) => Found
): Found {
  const probe = document.createElement('i');
  probe.hidden = true;
  // Where colours are forced, a canvas still draws with the theme's.
  probe.style.setProperty('forced-color-adjust', 'none');
  root.append(probe);
  const found = of(mixed => {
    probe.style.color = mixed;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return found;
}

export function coloursOf(root: HTMLElement): Colours {
  return asked(root, ask =>
    Object.fromEntries(Object.entries(MIXED).map(([name, mixed]) => [name, ask(mixed)]))
  ) as unknown as Colours;
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
