/**
 * The view: mounted in any page that has a `Source`, and taken out again.
 *
 *     monitor.ts   this: what comes is kept, and drawn when it is time
 *       pictures   when it is time       silence  since when nothing was heard
 *       visibility whether it is seen    viewport which rows of a list are seen
 *       history    what is, and the past that rates are made of
 *       state      the sentence            head     the sentence drawn, and the tools
 *       charts     four charts on one clock (series: their numbers; chart_kinds: each)
 *       panes      four lists, behind tabs or in sections: tasks, workers, objects, errors
 *       memory     one line                absence  why there is nothing
 *       pending_commands                   commands that wait for the kernel
 *       keys       those pressed in it     stay in it
 */

import type { Snapshot } from '../snapshot';
import { type Absence, snapshotOf, type Source, type Update } from '../source';
import { type AbsenceActions, absencePage, emptyPage } from './absence';
import { Announcer } from './announcer';
import { Attribute } from './cells';
import { Band } from './band';
import { Charts } from './charts';
import { el } from './dom';
import * as format from './format';
import { Head } from './head';
import { Silence } from './silence';
import { GAP_S, History } from './history';
import { listenToKeys } from './keys';
import { Memory } from './memory';
import { Panes } from './panes';
import { PendingCommands } from './pending_commands';
import { Pictures } from './pictures';
import { asText, saveAs } from './saving';
import { onVisibility } from './visibility';
import { type Liveness, sayAbsence, sayOf, workerTrouble } from './state';
import { stylesheet } from './styles';
import { TaskNews } from './tasks/news';
import { failedOf, hasTasks, runningOf } from './tasks/words';
import { onTheme } from './theme';

export interface MonitorOptions {
  /** Pictures in a second. */
  rate?: number;
  /** Seconds that the charts show. */
  span?: number;
}

const NARROW_EM = 43;

/**
 * Mount the view.
 *
 * @param host - An element of the page, which gets a shadow root.
 * @param source - What is drawn.
 * @param options - How.
 * @returns What takes the view out again.
 */
export function mountMonitor(
  host: HTMLElement,
  source: Source,
  options: MonitorOptions = {}
): () => void {
  const view = new Monitor(host, source, options);
  return () => view.dispose();
}

class Monitor {
  readonly #root: ShadowRoot;
  readonly #frame: HTMLElement;
  readonly #stateName: Attribute;
  readonly #history = new History();
  readonly #charts = new Charts(this.#history);
  readonly #head: Head;
  readonly #panes: Panes;
  readonly #news = new TaskNews();
  readonly #memory: Memory;
  readonly #pending: PendingCommands;
  readonly #page = el('div', { style: 'display: contents' });
  readonly #band = new Band();
  readonly #announcer = new Announcer();
  readonly #actions: AbsenceActions;
  readonly #stops: (() => void)[] = [];

  #absence: Absence | null = null;
  #pageKey = '';
  #span: number;
  /** What is drawn while the drawing pauses; the history goes on below it. */
  #paused: Snapshot | null = null;
  #isSeen = true;
  /** Nobody looked since the last snapshot, so that none was sent. */
  #wasAway = false;
  readonly #silence = new Silence();
  readonly #pictures = new Pictures(
    withWords => this.#draw(withWords),
    // What nobody sees is drawn once, for there to be something.
    () => this.#isSeen || !this.#pageKey
  );

  constructor(
    private readonly host: HTMLElement,
    private readonly source: Source,
    options: MonitorOptions
  ) {
    this.#span = options.span ?? 60;
    this.#root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    const style = document.createElement('style');
    style.textContent = stylesheet;
    this.#pending = new PendingCommands(source, words => this.#announcer.answer(words));
    this.#memory = new Memory(line => this.#copy(line));
    this.#actions = { copy: line => this.#copy(line), host: source.host };
    this.#head = new Head({
      pause: paused => this.#pause(paused),
      clear: () => this.#clear(),
      setSpan: seconds => this.#setSpan(seconds),
      find: text => this.#find(text),
      save: () => this.#save(),
      copyText: () => this.#copyAll(),
      resetPeaks: () => this.#pending.send({ name: 'reset_peaks', args: {} }),
      unshareAll: () => this.#pending.send({ name: 'unshare_all', args: {} }),
      openErrors: () => this.#panes.select('errors'),
      openWorkers: () => this.#panes.select('workers')
    });
    this.#frame = el(
      'section',
      { class: 'duck', role: 'region', 'aria-label': 'duck monitor' },
      this.#head.element,
      this.#head.menu,
      this.#announcer.element,
      this.#band.element,
      this.#pending.element
    );
    this.#stateName = new Attribute(this.#frame, 'data-state');
    this.#panes = new Panes(
      {
        rate: idx => this.#history.rateOf(idx),
        workerRate: pid => this.#history.workerRateOf(pid),
        beside: idx => this.#history.besideOf(idx),
        span: () => this.#span,
        send: command => this.#pending.send(command),
        copy: text => this.#copy(text),
        now: () => performance.now(),
        point: ago => this.#point(ago),
        say: words => this.#announcer.answer(words)
      },
      new Attribute(this.#frame, 'data-pane')
    );
    this.#panes.tabs.onChange = () => this.#pictures.want(true);
    this.#frame.append(this.#page);
    this.#root.append(style, this.#frame);
    this.#charts.onPoint = () => {
      this.#pictures.want(false);
      this.#panes.tasks.point(this.#charts.ago);
      this.#sayCharts();
      const words = this.#charts.describe();
      if (words && this.#root.activeElement?.closest('.plot')) {
        this.#announcer.answer(words);
      }
    };
    this.#head.setSpan(this.#span);
    this.#stops.push(listenToKeys(host, this.#frame, this.#head));
    this.#watch();
    this.#take(source.current());
  }

  #watch(): void {
    this.#stops.push(this.source.subscribe(update => this.#take(update)));
    const resized = new ResizeObserver(() => this.#resize());
    resized.observe(this.host);
    this.#stops.push(() => resized.disconnect());
    this.#stops.push(
      onTheme(() => {
        this.#charts.build();
        this.#panes.tasks.build();
        this.#pictures.want(false);
      })
    );
    this.#stops.push(
      onVisibility(this.host, seen => {
        this.#isSeen = seen;
        this.#wasAway ||= !seen;
        if (seen) {
          this.#silence.resume();
        }
        this.source.setVisible(seen);
        this.#pictures.want(true);
      })
    );
    this.source.setVisible(true);
  }

  // -- what comes ---------------------------------------------------------------------

  #take(update: Update): void {
    this.#absence = update.kind === 'absence' ? update.absence : null;
    const snapshot = snapshotOf(update);
    if (!snapshot) {
      this.#pictures.want(true);
      return;
    }
    this.#silence.take(snapshot);
    this.#history.add(snapshot, this.#wasAway);
    this.#panes.tasks.take(snapshot);
    this.#wasAway &&= !this.#isSeen;
    if (!this.#paused) {
      this.#pictures.want(false);
    }
  }

  #liveness(): Liveness {
    if (this.#absence?.kind === 'saved') {
      return 'saved';
    }
    if (this.#paused) {
      return 'paused';
    }
    return this.#isSeen && this.#silence.seconds > GAP_S ? 'silent' : 'live';
  }

  // -- drawing ------------------------------------------------------------------------

  #draw(withWords: () => boolean): void {
    const now = this.#paused ?? this.#history.now;
    if (this.#absence && this.#absence.kind !== 'saved') {
      this.#drawAbsence(this.#absence);
      return;
    }
    if (now === null) {
      this.#drawAbsence({ kind: 'waiting' });
      return;
    }
    const liveness = this.#liveness();
    const isLive = liveness !== 'saved';
    const time = isLive && !this.#paused ? now.time + this.#silence.seconds : now.time;
    const isEmpty = now.state !== 'serving' && !hasTasks(now);
    const isTime = withWords();
    this.#show(isEmpty ? 'empty' : 'all');
    // A dead line says more than a still one: the charts go on while nothing comes.
    const clock = liveness === 'silent' ? time : now.time;
    this.#charts.draw(this.#span, clock);
    if (!isEmpty) {
      // At once, for a row that was quiet: each row sees to it that its numbers can be read.
      const state = {
        time,
        objects: now.objects,
        workers: now.workers,
        ended: now.ended,
        errors: now.errors ?? [],
        errorKinds: now.error_kinds,
        chains: now.chains ?? [],
        clusters: now.clusters
      };
      const { events } = this.#history;
      const moment = { now, span: this.#span, time: clock, events };
      this.#panes.draw(state, moment, isLive, isTime);
    }
    if (!isTime) {
      return;
    }
    const idle = this.#silence.idleAt(time);
    const late = this.#paused
      ? (this.#history.now?.time ?? 0) - now.time
      : this.#silence.seconds;
    const say = sayOf(now, liveness, late, idle);
    this.#stateName.set(say.state);
    this.#head.say(say, this.source.host.title ?? '');
    this.#head.setTools(!isEmpty || !isLive, isLive);
    this.#charts.say(this.#span, now.time, isEmpty);
    this.#memory.update(now.memory, now.totals);
    this.#band.say(liveness, this.#silence.seconds);
    this.#sayTrouble(now, isEmpty);
    this.#announcer.state(say.sentence);
    this.#announcer.news(this.#news.take(now));
  }

  /** What broke: on the tabs, and as links beside the sentence. */
  #sayTrouble(now: Snapshot, isEmpty: boolean): void {
    if (isEmpty) {
      this.#head.setTrouble('', '', '');
      return;
    }
    const { tabs, workers, errors } = this.#panes;
    tabs.update();
    const { trouble } = workers.count();
    if (runningOf(now).length) {
      const failed = failedOf(now);
      this.#head.setTrouble(
        failed ? `${format.exact(failed)} failed` : '',
        trouble,
        ''
      );
    } else {
      this.#head.setTrouble('', workerTrouble(trouble), errors.words);
    }
  }

  #sayCharts(): void {
    this.#charts.say(this.#span, (this.#paused ?? this.#history.now)?.time ?? 0);
  }

  /** Put the one cursor to a moment that the stream says. */
  #point(ago: number | null): void {
    this.#charts.point(ago);
    this.#pictures.want(false);
    this.#sayCharts();
  }

  #drawAbsence(absence: Absence): void {
    const say = sayAbsence(absence);
    this.#stateName.set(say.state);
    this.#head.say(say, this.source.host.title ?? '');
    this.#head.setTools(false, false);
    this.#head.setTrouble('', '', '');
    this.#band.say('live', 0);
    this.#show(`absence ${JSON.stringify(absence)}`, () => [
      absencePage(absence, this.#actions)
    ]);
    this.#announcer.state(say.sentence);
  }

  /** Show a page, made anew only where it is another one. */
  #show(key: string, make?: () => HTMLElement[]): void {
    if (key === this.#pageKey) {
      return;
    }
    this.#pageKey = key;
    const parts = make
      ? make()
      : key === 'empty'
        ? [this.#charts.element, emptyPage(this.#actions), this.#memory.element]
        : [
            this.#charts.element,
            this.#panes.tabs.element,
            this.#panes.body,
            this.#memory.element
          ];
    this.#charts.element.classList.toggle('ghost', key === 'empty');
    this.#page.replaceChildren(...parts);
    this.#charts.build();
    this.#resize();
  }

  // -- what people do -----------------------------------------------------------------

  #pause(paused: boolean): void {
    this.#paused = paused ? this.#history.now : null;
    this.#pictures.want(true);
  }

  #clear(): void {
    this.#history.clear();
    this.#panes.clear();
    this.#pictures.want(true);
  }

  #setSpan(seconds: number): void {
    this.#span = seconds;
    this.#head.setSpan(seconds);
    this.#pictures.want(true);
  }

  #find(text: string): void {
    this.#panes.find(text);
    this.#pictures.want(true);
  }

  #copy(text: string): void {
    void navigator.clipboard
      ?.writeText(text)
      .then(() => this.#announcer.answer(`Copied ${text}`));
  }

  #save(): void {
    if (this.#history.now) {
      saveAs(this.#history.now);
    }
  }

  #copyAll(): void {
    if (this.#history.now) {
      void navigator.clipboard?.writeText(asText(this.#history.now));
    }
  }

  #resize(): void {
    const em = parseFloat(getComputedStyle(this.host).fontSize) || 13;
    const narrow = this.host.getBoundingClientRect().width <= NARROW_EM * em;
    this.#panes.setNarrow(narrow);
    this.#charts.resize();
    this.#pictures.want(true);
  }

  dispose(): void {
    this.#pictures.dispose();
    this.#stops.forEach(stop => stop());
    this.source.setVisible(false);
    this.#pending.dispose();
    this.#charts.dispose();
    this.#panes.dispose();
    this.#root.replaceChildren();
  }
}
