/** The session in a few words, at the foot of the window. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Widget } from '@lumino/widgets';

import { CommandIDs } from './commands';
import { StatusModel } from './status_model';
import type { Live } from './live';
import { rate, roughly, total } from './view/format';

/** Words change once a second, and so does the width. */
const PERIOD_S = 1;
/** A stream that pauses for longer is said to be silent. */
const SILENT_MS = 2_500;

const STYLE = `
.duck-status { display: flex; }
.duck-status[hidden] { display: none; }
.duck-status button {
  display: inline-flex; align-items: center; gap: 7px; height: 100%; padding: 0 10px;
  background: none; border: 0; font: inherit; color: inherit; cursor: pointer;
  white-space: nowrap; font-variant-numeric: tabular-nums;
}
.duck-status button:hover {
  background: color-mix(in srgb, var(--jp-ui-font-color0) 9%, transparent);
}
.duck-status button:focus-visible {
  outline: 2px solid var(--jp-brand-color1); outline-offset: -2px;
}
.duck-status b { font-weight: 600; }
.duck-status i {
  box-sizing: border-box; flex: none; width: 8px; height: 8px; border-radius: 50%;
  background: var(--jp-success-color1);
}
.duck-status [data-state='idle'] i {
  background: none; border: 1.5px solid var(--jp-ui-font-color2);
}
.duck-status [data-state='silent'] i {
  background: none; border: 1.5px dashed var(--jp-warn-color1); width: 10px; height: 10px;
}
.duck-status [data-state='errors'] {
  color: color-mix(in oklab, var(--jp-error-color1) 74%, var(--jp-ui-font-color0));
}
.duck-status [data-state='errors'] i {
  background: var(--jp-error-color1); border-radius: 0;
  clip-path: polygon(50% 0, 100% 100%, 0 100%);
}
@media (forced-colors: active) {
  .duck-status i { forced-color-adjust: none; }
}
`;

/** Each has a colour and a shape of its own. */
type State = 'live' | 'idle' | 'silent' | 'errors';

/** The item of the status bar. */
export class StatusItem extends Widget {
  constructor(
    private readonly live: Live,
    private readonly commands: JupyterFrontEnd['commands']
  ) {
    super();
    this.addClass('duck-status');
    const style = document.createElement('style');
    style.textContent = STYLE;
    this.button.type = 'button';
    this.button.title = 'Open the duck monitor';
    this.button.append(document.createElement('i'), this.words);
    this.button.addEventListener('click', () => {
      void this.commands.execute(CommandIDs.open);
    });
    this.node.append(style, this.button);
    live.changed.connect(this.follow, this);
    this.follow();
  }

  /** Whether it is shown at all, as its user has chosen. */
  set isWanted(wanted: boolean) {
    this.wanted = wanted;
    this.begin();
  }

  override dispose(): void {
    clearInterval(this.timer);
    this.live.show('status', null);
    super.dispose();
  }

  private readonly model = new StatusModel();
  private readonly button = document.createElement('button');
  private readonly words = document.createElement('span');
  private feed: Live['feed'] = null;
  private wanted = true;
  private timer: ReturnType<typeof setInterval> | undefined;

  private follow(): void {
    const { feed } = this.live;
    if (feed !== this.feed) {
      this.feed = feed;
      this.model.clear();
      feed?.arrived.connect(this.take, this);
      feed?.presenceChanged.connect(this.begin, this);
    }
    this.begin();
  }

  private take(): void {
    const whole = this.feed?.whole;
    if (!whole) {
      return;
    }
    const isFirst = this.model.heardAt === 0;
    this.model.take(whole, performance.now());
    if (isFirst) {
      this.draw();
    }
  }

  private begin(): void {
    this.live.show('status', this.wanted ? PERIOD_S : null);
    if (this.feed?.presence !== 'loaded') {
      this.model.clear();
    }
    clearInterval(this.timer);
    if (this.wanted && this.feed?.presence === 'loaded') {
      this.timer = setInterval(() => this.draw(), PERIOD_S * 1000);
    }
    this.draw();
  }

  private draw(): void {
    const { model } = this;
    const isShown =
      this.wanted && this.feed?.presence === 'loaded' && model.heardAt > 0;
    this.node.hidden = !isShown;
    if (!isShown) {
      return;
    }
    if (this.live.seesErrors) {
      model.look();
    }
    const { state, words } = say(model, performance.now());
    const text = words.map(([word]) => word).join('');
    this.button.dataset.state = state;
    if (text !== this.words.textContent) {
      this.words.replaceChildren(
        ...words.map(([word, isFigure]) => {
          const part = document.createElement(isFigure ? 'b' : 'span');
          part.textContent = word;
          return part;
        })
      );
    }
  }
}

/** The item's state, and its words; figures are set apart. */
export function say(
  model: StatusModel,
  now: number
): { state: State; words: [word: string, isFigure: boolean][] } {
  const silence = now - model.heardAt;
  const isSilent = silence > SILENT_MS;
  const { errors, failed, lost, tasks } = model;
  const trouble = (
    tasks
      ? [failed && `${total(failed)} failed`, lost && `${total(lost)} killed`]
      : [lost && `${roughly(lost, 'worker')} lost`, errors && roughly(errors, 'error')]
  )
    .filter(Boolean)
    .join(', ');
  const words: [string, boolean][] = tasks
    ? [
        [tasks.name, true],
        [` ${tasks.parts.join(' · ')}`, false]
      ]
    : model.shared > 0
      ? [
          [String(model.shared), true],
          [' shared', false]
        ]
      : [['nothing shared', false]];
  if (isSilent) {
    words.push([` · no news for ${Math.floor(silence / 1000)} s`, false]);
  } else if (tasks) {
    // How far it is says more than how often it calls.
  } else if (model.rate > 0) {
    words.push([' · ', false], [rate(model.rate), true], [' calls/s', false]);
  } else if (model.shared > 0) {
    words.push([' · idle', false]);
  }
  if (trouble) {
    words.push([` · ${trouble}`, false]);
  }
  const calm = tasks || model.rate > 0 ? 'live' : 'idle';
  return { state: trouble ? 'errors' : isSilent ? 'silent' : calm, words };
}
