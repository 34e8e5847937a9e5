/** The one session that the page shows, in panel and status bar. */

import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { Feed } from './feed';
import type { Tracker } from './tracker';

/** Follows the tracker's kernel, for those who look. */
export class Live implements IDisposable {
  /** The list of errors can be seen in the panel. */
  seesErrors = false;

  constructor(readonly tracker: Tracker) {
    tracker.changed.connect(this.follow, this);
    document.addEventListener('visibilitychange', this.look);
    window.addEventListener('pagehide', this.leave);
    this.follow();
  }

  /** The stream of the kernel, where there is one and it may know of us. */
  get feed(): Feed | null {
    return this.current;
  }

  /** The feed is another one, or what is known of the document has changed. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /**
   * Say how often a part of the page wants to see news, in seconds, or null where it is
   * not to be seen. A page that is hidden wants none.
   */
  show(part: string, period: number | null): void {
    if (period === null) {
      this.periods.delete(part);
    } else {
      this.periods.set(part, period);
    }
    this.look();
  }

  dispose(): void {
    this.disposed = true;
    document.removeEventListener('visibilitychange', this.look);
    window.removeEventListener('pagehide', this.leave);
    this.tracker.changed.disconnect(this.follow, this);
    this.current?.dispose();
    Signal.clearData(this);
  }

  private readonly changedSignal = new Signal<this, void>(this);
  private readonly periods = new Map<string, number>();
  private kernel: Kernel.IKernelConnection | null = null;
  private current: Feed | null = null;
  private disposed = false;

  private follow(): void {
    const { language } = this.tracker;
    // Others than Python's are not talked to, and those not known yet neither.
    const kernel = language === 'python' ? this.tracker.kernel : null;
    if (kernel !== this.kernel) {
      this.current?.dispose();
      this.kernel = kernel;
      this.current = kernel === null ? null : new Feed(kernel);
      this.look();
    }
    this.changedSignal.emit();
  }

  private readonly leave = (): void => {
    this.current?.look(null, true);
  };

  private readonly look = (): void => {
    const wanted = document.hidden ? [] : [...this.periods.values()];
    this.current?.look(wanted.length > 0 ? Math.min(...wanted) : null);
  };
}
