/** A kernel's connection, of which a test is both ends. */

import type { KernelMessage } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { vi } from 'vitest';
import type { Snapshot } from '../../src/snapshot';
import { LIVE_TARGET, type Wire } from '../../src/wire';
import { serving } from '../view/support';

export function snapshot(seq: number, values: Partial<Snapshot> = {}): Snapshot {
  return { ...serving, seq, ...values };
}

export function tick(seq: number, values: Partial<Snapshot> = {}): Snapshot {
  const unchanged = { whole: false, objects: [], errors: null, chains: null };
  return snapshot(seq, { ...unchanged, ...values });
}

interface Sent {
  readonly type: string;
  readonly content: Record<string, unknown>;
  /** Answer it. */
  reply(content: object): Promise<void>;
  /** Handle it without an answer, as a kernel does that does not know it. */
  ignore(): Promise<void>;
}

export class FakeKernel {
  readonly clientId = 'client';
  readonly username = 'user';
  readonly isDisposed = false;
  readonly sent: Sent[] = [];
  readonly iopubMessage = new Signal<this, object>(this);
  readonly statusChanged = new Signal<this, string>(this);
  readonly connectionStatusChanged = new Signal<this, string>(this);
  /** Whether it answers that the broadcast is there. */
  isLoaded = true;
  status = 'idle';
  connectionStatus = 'connected';

  get wire(): Wire {
    return this as unknown as Wire;
  }

  get types(): string[] {
    return this.sent.map(({ type }) => type.replace(/^duck_|_request$/g, ''));
  }

  get last(): Sent {
    const found = this.sent.at(-1);
    if (found === undefined) {
      throw new Error('Nothing was sent.');
    }
    return found;
  }

  sendControlMessage(message: KernelMessage.IMessage): object {
    const future = {
      onReply: vi.fn(),
      onIOPub: vi.fn(),
      done: new Promise<void>(() => undefined),
      dispose: vi.fn()
    };
    if (message.header.msg_type === 'comm_info_request') {
      const comms = this.isLoaded ? { 'duck-1': { target_name: LIVE_TARGET } } : {};
      void Promise.resolve().then(() => future.onReply({ content: { comms } }));
      return future;
    }
    this.sent.push({
      type: message.header.msg_type,
      content: message.content as Record<string, unknown>,
      reply: async content => {
        future.onReply({ content });
        await vi.advanceTimersByTimeAsync(0);
      },
      ignore: async () => {
        future.onIOPub({
          header: { msg_type: 'status' },
          content: { execution_state: 'idle' }
        });
        await vi.advanceTimersByTimeAsync(2000);
      }
    });
    return future;
  }

  broadcast(data: object): void {
    this.iopubMessage.emit({
      header: { msg_type: 'comm_msg' },
      content: { comm_id: 'duck-1', data: { duck: LIVE_TARGET, ...data } }
    });
  }

  show(shown: Snapshot): void {
    this.broadcast({ kind: 'snapshot', snapshot: shown });
  }

  become(status: string): void {
    this.status = status;
    this.statusChanged.emit(status);
  }

  reconnect(): void {
    for (const status of ['connecting', 'connected']) {
      this.connectionStatus = status;
      this.connectionStatusChanged.emit(status);
    }
  }
}
