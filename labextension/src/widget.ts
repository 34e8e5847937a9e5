/** Host 1: anywidget, in every front end that shows ipywidgets. */

import { askThroughLab } from './bridge';
import { Whole } from './merge';
import { isSnapshot } from './checks';
import type { Snapshot } from './snapshot';
import type { Command, Source, Update } from './source';
import type { Answer, Question } from './wire';
import { mountMonitor } from './view/monitor';

/** What of anywidget's model is used. */
interface Model {
  get(name: 'snapshot' | 'comm_id'): unknown;
  on(name: string, listener: (message: unknown) => void): void;
  off(name: string, listener: (message: unknown) => void): void;
  send(content: unknown): void;
}

interface Waiting {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A view that is visible says so again and again: a page that was closed does not. */
const RENEW_MS = 20_000;
/** A widget whose kernel says nothing for so long shows what was saved. */
const SAVED_MS = 4_000;

function whyOf(message: string | undefined): string {
  return message ?? 'duck_jupyter is not loaded in this kernel.';
}

let views = 0;

function identity(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${++views}`;
}

class WidgetSource implements Source {
  readonly host = {};
  readonly #view = identity();
  readonly #listeners = new Set<(update: Update) => void>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #saved: Snapshot | null;
  readonly #whole = new Whole();
  #heard = false;
  #isBusy = false;
  /** It is out of sight, and the kernel is to be told when its cell has ended. */
  #isToHide = false;
  #last: Update;
  #timer: number | undefined;
  readonly #savedTimer: number;

  constructor(private readonly model: Model) {
    const snapshot = model.get('snapshot');
    this.#saved = isSnapshot(snapshot) ? snapshot : null;
    this.#last = this.#saved
      ? { kind: 'snapshot', snapshot: this.#saved }
      : { kind: 'absence', absence: { kind: 'waiting' } };
    model.on('msg:custom', this.#hear);
    this.#say('ready');
    this.#savedTimer = window.setTimeout(() => this.#giveUp(), SAVED_MS);
  }

  current(): Update {
    return this.#last;
  }

  subscribe(listener: (update: Update) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setVisible(visible: boolean): void {
    clearInterval(this.#timer);
    if (visible && this.#isToHide) {
      // The kernel does not know that it was out of sight.
      this.#isToHide = false;
    } else {
      this.#say(visible ? 'visible' : 'hidden');
    }
    if (visible) {
      this.#timer = window.setInterval(() => {
        // While a cell runs the kernel expects no word of us.
        if (!this.#isBusy) {
          this.#say('visible');
        }
      }, RENEW_MS);
    }
  }

  send(command: Command, withdrawn?: AbortSignal): Promise<void> {
    const id = identity();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      withdrawn?.addEventListener('abort', () => {
        // What was sent may be done all the same; nobody waits for it any more.
        this.#waiting.delete(id);
        reject(new Error('Withdrawn.'));
      });
      const asked = this.#ask('duck_command_request', { id, ...command });
      if (asked === undefined) {
        this.model.send({
          kind: 'command',
          view: this.#view,
          command: { id, ...command }
        });
      }
      asked?.then(
        answer =>
          this.#end(id, answer?.status === 'ok' ? undefined : whyOf(answer?.message)),
        () => this.#end(id, whyOf(undefined))
      );
    });
  }

  dispose(): void {
    // There is no later for it.
    this.#isBusy = false;
    this.#say('hidden');
    clearInterval(this.#timer);
    clearTimeout(this.#savedTimer);
    this.model.off('msg:custom', this.#hear);
    this.#listeners.clear();
  }

  /** Ask by way of JupyterLab; undefined where its extension is missing. */
  #ask(
    question: Question,
    content: Record<string, unknown>
  ): Promise<Answer | null> | undefined {
    const comm = this.model.get('comm_id');
    return typeof comm === 'string'
      ? askThroughLab(comm, question, { ...content, comm_id: comm })
      : undefined;
  }

  #say(kind: 'ready' | 'visible' | 'hidden'): void {
    const view = this.#view;
    const asked = this.#ask('duck_look_request', { look: kind, view });
    // A kernel that was restarted has no answer, and nothing to show.
    asked?.catch(() => undefined);
    // Said by the widget itself, it would make JupyterLab show an idle kernel while a
    // cell runs: that a view is out of sight can wait until the cell has ended.
    this.#isToHide = asked === undefined && kind === 'hidden' && this.#isBusy;
    if (asked === undefined && !this.#isToHide) {
      this.model.send({ kind, view });
    }
  }

  readonly #hear = (message: unknown): void => {
    const { kind, snapshot, answer } = message as {
      kind?: string;
      snapshot?: unknown;
      answer?: { id?: string; status?: string; message?: string };
    };
    if (kind === 'snapshot' && isSnapshot(snapshot)) {
      this.#heard = true;
      this.#isBusy = snapshot.cell.running;
      if (this.#isToHide && !this.#isBusy) {
        this.#say('hidden');
      }
      snapshot.done.forEach(id => this.#end(id));
      if (this.#whole.take(snapshot) && this.#whole.now) {
        this.#last = { kind: 'snapshot', snapshot: this.#whole.now };
        this.#emit(this.#last);
      }
    } else if (kind === 'answer' && answer?.id) {
      this.#end(answer.id, answer.status === 'ok' ? undefined : answer.message);
    }
  };

  #end(id: string, refusal?: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (refusal === undefined) {
      waiting?.resolve();
    } else {
      waiting?.reject(new Error(refusal));
    }
  }

  #giveUp(): void {
    if (!this.#heard && this.#saved) {
      this.#last = {
        kind: 'absence',
        absence: { kind: 'saved', snapshot: this.#saved }
      };
      this.#emit(this.#last);
    }
  }

  #emit(update: Update): void {
    this.#listeners.forEach(listener => listener(update));
  }
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const source = new WidgetSource(model);
  const host = document.createElement('div');
  el.append(host);
  const unmount = mountMonitor(host, source);
  return () => {
    unmount();
    source.dispose();
    host.remove();
  };
}

export default { render };
