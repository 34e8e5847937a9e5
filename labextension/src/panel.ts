/** The side panel: the shared view, of the notebook or console that is in front. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { duckIcon } from './icon';
import type { Live } from './live';
import { PanelSource } from './panelsource';
import type { Settings } from './settings';
import { mountMonitor } from './view/monitor';

export const PANEL_ID = 'duck-jupyter-monitor';

/** The view's list of errors, below the head that stays when it is folded. */
const ERRORS = '#p-errors > :nth-child(2)';

/** What the view needs for its words. */
const MIN_WIDTH = '300px';

export class MonitorPanel extends Widget {
  constructor(
    app: JupyterFrontEnd,
    private readonly live: Live,
    private settings: Settings
  ) {
    super();
    this.id = PANEL_ID;
    this.title.icon = duckIcon;
    this.title.caption = 'duck monitor';
    this.addClass('duck-panel');
    this.node.style.overflow = 'hidden';
    this.node.style.minWidth = MIN_WIDTH;
    this.node.style.setProperty('--duck-height', '100%');
    this.source = new PanelSource(app, live, visible => {
      this.isSeen = visible;
      this.look();
    });
    this.source.subscribe(() => this.findErrors());
  }

  /** Take what the user has chosen. */
  configure(settings: Settings): void {
    const before = this.settings;
    this.settings = settings;
    const isAnother = before.span !== settings.span || before.rate !== settings.rate;
    if (this.unmount !== undefined && isAnother) {
      this.unmount();
      this.mount();
    }
    this.look();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.unmount?.();
    this.errors.disconnect();
    this.live.show('panel', null);
    this.source.dispose();
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    // Nothing is made for a panel that is never opened.
    if (this.unmount === undefined) {
      this.mount();
    }
    this.look();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.look();
  }

  private mount(): void {
    this.unmount = mountMonitor(this.node, this.source, this.settings);
    this.errors.disconnect();
    this.list = null;
  }

  /** The list is there once there is anything to show. */
  private findErrors(): void {
    this.list ??= this.node.shadowRoot?.querySelector(ERRORS) ?? null;
    if (this.list !== null) {
      this.errors.observe(this.list);
    }
  }

  private readonly source: PanelSource;
  private list: Element | null = null;
  private readonly errors = new IntersectionObserver(entries => {
    this.live.seesErrors = entries.at(-1)?.isIntersecting ?? false;
  });
  private unmount: (() => void) | undefined;
  private isSeen = true;

  private look(): void {
    const period = 1 / this.settings.rate;
    this.live.show('panel', this.isVisible && this.isSeen ? period : null);
  }
}
