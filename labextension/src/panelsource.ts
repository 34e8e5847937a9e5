/** The session that the page shows, as the view wants it. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Signal } from '@lumino/signaling';

import { insert } from './commands';
import type { Feed } from './feed';
import type { Live } from './live';
import type { Snapshot } from './snapshot';
import type { Absence, Command, Source, Update } from './source';

/** Why there is nothing to show, if there is not. */
function absenceOf(live: Live): Absence | null {
  const { tracker, feed } = live;
  if (tracker.kernel === null) {
    return { kind: 'no-kernel' };
  }
  if (feed === null) {
    const { language } = tracker;
    return language === null ? { kind: 'waiting' } : { kind: 'language', language };
  }
  switch (feed.presence) {
    case 'absent':
      return { kind: 'not-loaded' };
    case 'mute':
      return { kind: 'silent' };
    case 'dead':
      return { kind: 'dead' };
    default:
      return feed.whole === null ? { kind: 'waiting' } : null;
  }
}

/** Follows the page's session through all kernels that it has. */
export class PanelSource implements Source {
  readonly host: Source['host'];

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly live: Live,
    private readonly isVisible: (visible: boolean) => void
  ) {
    const { tracker } = live;
    this.host = {
      get title() {
        return [tracker.title, tracker.kernelTitle].filter(Boolean).join(' · ');
      },
      insertCell: (code, run) => {
        const { document } = tracker;
        if (document !== null) {
          void insert(app, document, code, run);
        }
      },
      changeKernel: () => void this.changeKernel()
    };
    live.changed.connect(this.follow, this);
    this.follow();
  }

  current(): Update {
    const absence = absenceOf(this.live);
    const snapshot = this.live.feed?.whole;
    return absence === null && snapshot
      ? { kind: 'snapshot', snapshot }
      : { kind: 'absence', absence: absence ?? { kind: 'waiting' } };
  }

  subscribe(listener: (update: Update) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  setVisible(visible: boolean): void {
    this.isVisible(visible);
  }

  async send(command: Command, withdrawn?: AbortSignal): Promise<void> {
    const { feed } = this.live;
    if (feed === null) {
      throw new Error('There is no Python kernel to do it.');
    }
    await feed.do(command.name, command.args, withdrawn);
  }

  dispose(): void {
    Signal.clearData(this);
    this.listeners.clear();
  }

  private readonly listeners = new Set<(update: Update) => void>();
  private feed: Feed | null = null;

  private follow(): void {
    const { feed } = this.live;
    if (feed !== this.feed) {
      this.feed = feed;
      feed?.arrived.connect(this.pass, this);
      feed?.presenceChanged.connect(this.tell, this);
    }
    this.tell();
  }

  private pass(_: Feed, snapshot: Snapshot): void {
    this.emit({ kind: 'snapshot', snapshot });
  }

  private tell(): void {
    this.emit(this.current());
  }

  private emit(update: Update): void {
    for (const listener of this.listeners) {
      listener(update);
    }
  }

  private async changeKernel(): Promise<void> {
    const { document } = this.live.tracker;
    if (document === null) {
      return;
    }
    const { commands, shell } = this.app;
    shell.activateById(document.id);
    for (const id of ['notebook:change-kernel', 'console:change-kernel']) {
      if (commands.hasCommand(id) && commands.isEnabled(id)) {
        await commands.execute(id);
        return;
      }
    }
  }
}
