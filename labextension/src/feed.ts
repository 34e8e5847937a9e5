/** What one kernel tells about its session, as long as somebody here looks. */

import type { KernelMessage } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { Whole } from './merge';
import { isSnapshot } from './checks';
import type { Snapshot } from './snapshot';
import {
  type Answer,
  ask,
  broadcastOf,
  findBroadcast,
  type Question,
  type Wire
} from './wire';

/**
 * What is known of duck_jupyter in a kernel: nothing yet; that it is loaded, or not;
 * that the kernel gives no sign; that it died.
 */
export type Presence = 'unknown' | 'loaded' | 'absent' | 'mute' | 'dead';

/** A command to the session; it is done once, however often it is sent. */
interface Order {
  id: string;
  name: string;
  args: Record<string, unknown>;
}

interface Pending {
  order: Order;
  resolve: () => void;
  reject: (why: Error) => void;
}

/** Looking is said again so often; the kernel forgets who has not for a minute. */
const RENEW_MS = 20_000;
/** A kernel that has not answered for so long is said to be mute. */
const PATIENCE_MS = 5_000;

/** Seconds for which the kernel goes on when a page is loaded anew. */
const RELOAD_S = 15;

/** This page, among all that look at a kernel. */
const VIEWER = UUID.uuid4();

export class Feed implements IDisposable {
  constructor(private readonly kernel: Wire) {
    this.found = kernel.status === 'dead' ? 'dead' : 'unknown';
    kernel.iopubMessage.connect(this.hear, this);
    kernel.statusChanged.connect(this.follow, this);
    kernel.connectionStatusChanged.connect(this.reconnect, this);
  }

  /** What is known of duck_jupyter there. */
  get presence(): Presence {
    return this.found;
  }

  /** The whole session, as it was last heard of. */
  get whole(): Snapshot | null {
    return this.latest.now;
  }

  /** What is known has changed. */
  get presenceChanged(): ISignal<this, Presence> {
    return this.presenceSignal;
  }

  /** Something new was heard: the whole session, as it is now. */
  get arrived(): ISignal<this, Snapshot> {
    return this.arrivedSignal;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /**
   * Say how often somebody wants to see news, in seconds; null for nobody.
   *
   * @param isUnloading - The page goes, and perhaps comes back.
   */
  look(period: number | null, isUnloading = false): void {
    if (period === this.period) {
      return;
    }
    this.period = period;
    if (period === null) {
      this.leave(isUnloading ? RELOAD_S : 0);
    } else {
      this.watch();
    }
  }

  /**
   * Let the session do something; resolves when it is done. What was withdrawn is not
   * said again, though the kernel may have heard it.
   */
  do(
    name: string,
    args: Record<string, unknown> = {},
    withdrawn?: AbortSignal
  ): Promise<void> {
    const order = { id: UUID.uuid4(), name, args };
    return new Promise((resolve, reject) => {
      this.pending.set(order.id, { order, resolve, reject });
      withdrawn?.addEventListener('abort', () => {
        this.settle(order.id, { status: 'error', message: 'It was withdrawn.' });
      });
      this.send(order);
    });
  }

  dispose(): void {
    if (this.disposed) {
      return;
    }
    this.look(null);
    this.disposed = true;
    this.giveUp('The kernel is no longer looked at.');
    Signal.clearData(this);
  }

  private readonly presenceSignal = new Signal<this, Presence>(this);
  private readonly arrivedSignal = new Signal<this, Snapshot>(this);
  private readonly pending = new Map<string, Pending>();
  private found: Presence;
  private latest = new Whole();
  private period: number | null = null;
  private asking = false;
  private loads = 0;
  private disposed = false;
  private renewal: ReturnType<typeof setInterval> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;

  private set(presence: Presence): void {
    if (presence !== 'loaded') {
      this.latest = new Whole();
    }
    if (presence !== this.found && !this.disposed) {
      this.found = presence;
      this.presenceSignal.emit(presence);
    }
  }

  private hear(_: unknown, message: KernelMessage.IIOPubMessage): void {
    const heard = broadcastOf(message);
    if (heard?.kind === 'loaded') {
      // Perhaps again: counting begins anew.
      this.latest = new Whole();
      this.loads += 1;
      this.set('loaded');
      if (this.period !== null) {
        this.watch();
      }
    } else if (heard?.kind === 'unloaded') {
      this.giveUp('duck_jupyter was unloaded.');
      this.set('absent');
    } else if (heard?.kind === 'snapshot') {
      this.take(heard.snapshot);
    }
  }

  private take(candidate: unknown): void {
    if (this.disposed || !isSnapshot(candidate)) {
      return;
    }
    const isNews = this.latest.take(candidate);
    this.set('loaded');
    for (const id of candidate.done) {
      this.settle(id, { status: 'ok' });
    }
    if (isNews && this.whole !== null) {
      this.arrivedSignal.emit(this.whole);
    }
  }

  private follow(): void {
    const { status } = this.kernel;
    if (status === 'dead') {
      this.giveUp('The kernel died.');
      this.set('dead');
    } else if (status === 'restarting' || status === 'autorestarting') {
      this.giveUp('The kernel was restarted.');
      this.asking = false;
      this.set('unknown');
    } else if (this.found === 'dead') {
      this.set('unknown');
    }
    if (status === 'idle' && this.found === 'unknown' && this.period !== null) {
      this.watch();
    }
  }

  private reconnect(): void {
    if (this.kernel.connectionStatus !== 'connected') {
      return;
    }
    // What was said before may be lost, and said twice it does no harm.
    this.asking = false;
    if (this.period !== null) {
      this.watch();
    }
    for (const { order } of this.pending.values()) {
      this.send(order);
    }
  }

  private watch(): void {
    clearInterval(this.renewal);
    this.renewal = setInterval(() => {
      // While a cell runs the kernel expects no word of us.
      if (this.found === 'loaded' && this.whole?.cell.running === false) {
        void this.ask('duck_watch_request', { quiet: true });
      }
    }, RENEW_MS);
    if (!this.asking) {
      void this.inquire();
    }
  }

  private leave(after: number): void {
    clearInterval(this.renewal);
    clearTimeout(this.patience);
    if (this.found === 'loaded') {
      void this.ask('duck_unwatch_request', { after });
    }
  }

  /** Ask to be shown what happens, and learn whether there is anything to show. */
  private async inquire(): Promise<void> {
    if (this.found === 'dead') {
      return;
    }
    this.asking = true;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      if (this.found === 'unknown') {
        this.set('mute');
      }
    }, PATIENCE_MS);
    const { loads } = this;
    const answer = await this.askToWatch();
    // Restarted, or gone: the status says so.
    if (answer === undefined) {
      return;
    }
    this.asking = false;
    clearTimeout(this.patience);
    if (answer === null && loads !== this.loads) {
      // It was loaded after we had asked, and knows nothing of that.
      this.watch();
    } else if (answer === null) {
      this.set('absent');
    } else {
      this.take(answer.snapshot);
    }
  }

  private async askToWatch(): Promise<Answer | null | undefined> {
    try {
      if (this.found !== 'loaded' && !(await findBroadcast(this.kernel))) {
        return null;
      }
    } catch {
      return undefined;
    }
    return this.ask('duck_watch_request');
  }

  private async ask(
    question: Question,
    content: Record<string, unknown> = {}
  ): Promise<Answer | null | undefined> {
    try {
      return await ask(this.kernel, question, {
        viewer: VIEWER,
        every: this.period,
        ...content
      });
    } catch {
      return undefined;
    }
  }

  private send(order: Order): void {
    ask(this.kernel, 'duck_command_request', { ...order }).then(
      answer => this.settle(order.id, answer ?? NOT_LOADED),
      (error: Error) =>
        this.settle(order.id, { status: 'error', message: error.message })
    );
  }

  private settle(id: string, answer: Answer): void {
    const found = this.pending.get(id);
    this.pending.delete(id);
    if (answer.status === 'ok') {
      found?.resolve();
    } else {
      found?.reject(new Error(answer.message));
    }
  }

  private giveUp(message: string): void {
    for (const id of [...this.pending.keys()]) {
      this.settle(id, { status: 'error', message });
    }
  }
}

const NOT_LOADED: Answer = {
  status: 'error',
  message: 'duck_jupyter is not loaded in this kernel.'
};
