/** What a browser has and jsdom has not, and what of it is still in use. Imported first. */

import { vi } from 'vitest';

const watching = new Set<object>();

/** Any of the observers; a test tells it what it sees. */
export class Watcher {
  static readonly all: Watcher[] = [];

  constructor(readonly tell: (entries: object[]) => void) {
    Watcher.all.push(this);
  }

  observe(): void {
    watching.add(this);
  }

  unobserve(): void {
    // No view looks away from one element only.
  }

  disconnect(): void {
    watching.delete(this);
  }
}

class Resizes extends Watcher {}
export class Sights extends Watcher {}
class Mutations extends Watcher {}

class Media extends EventTarget {
  readonly matches = false;
}

/** Takes whatever is drawn on it. */
const context: object = new Proxy(
  {},
  {
    get: (_, name) => (name === 'canvas' ? { width: 1, height: 1 } : () => undefined),
    set: () => true
  }
);

vi.stubGlobal('ResizeObserver', Resizes);
vi.stubGlobal('IntersectionObserver', Sights);
vi.stubGlobal('MutationObserver', Mutations);
vi.stubGlobal('matchMedia', () => new Media());
HTMLCanvasElement.prototype.getContext = (() => context) as never;

const listening = new Map<string, number>();

/** What outlives a view: the window, the document and its root, questions to the system. */
function isOutside(target: EventTarget): boolean {
  return (
    target === window ||
    target instanceof Document ||
    target instanceof Media ||
    target === document.body ||
    target === document.documentElement
  );
}

/** Begin to count what is in use. Timers must be the test's by then. */
export function count(): void {
  watching.clear();
  listening.clear();
  Watcher.all.length = 0;
  for (const [method, step] of [
    ['addEventListener', 1],
    ['removeEventListener', -1]
  ] as const) {
    const original = EventTarget.prototype[method];
    vi.spyOn(EventTarget.prototype, method).mockImplementation(function (
      this: EventTarget | undefined,
      ...args: Parameters<EventTarget['addEventListener']>
    ) {
      const target = this ?? window;
      if (isOutside(target)) {
        const [type] = args;
        listening.set(type, (listening.get(type) ?? 0) + step);
      }
      original.apply(target, args);
    });
  }
}

/** What is in use: observers, timers and pictures that are due, listeners by event. */
export function inUse(): object {
  return {
    observers: watching.size,
    timers: vi.getTimerCount(),
    listeners: [...listening].filter(([, many]) => many !== 0)
  };
}

export const NOTHING = { observers: 0, timers: 0, listeners: [] };

/** Say that a view was scrolled out of sight, or into it. */
export function see(isIntersecting: boolean): void {
  for (const watcher of Watcher.all) {
    if (watcher instanceof Sights) {
      watcher.tell([{ isIntersecting }]);
    }
  }
}
