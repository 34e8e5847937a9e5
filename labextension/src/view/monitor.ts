/**
 * The view: mounted in any page that has a `Source`, and taken out again.
 *
 *     monitor.ts   this: what comes is kept, and drawn when it is time
 *       pictures   when it is time       silence  since when nothing was heard
 *       visibility whether it is seen    viewport which rows of a list are seen
 *       history    what is, and the past that rates are made of
 *       state      the sentence            head     the sentence drawn, and the tools
 *       charts     four charts on one clock (series: their numbers; chart_kinds: each)
 *       objects, workers, errors           the three lists, in panes (tabs, or sections)
 *       memory     one line                absence  why there is nothing
 *       pending_commands                   commands that wait for the kernel
 *       keys       those pressed in it     stay in it
 */

import type { Snapshot } from '../snapshot';
import type { Absence, Source, Update } from '../source';
import { type AbsenceActions, absencePage, emptyPage } from './absence';
import { Announcer } from './announcer';
import { Attribute } from './cells';
import { Band } from './band';
import { Charts } from './charts';
import type { List, ListContext } from './context';
import { el } from './dom';
import { ErrorList } from './errors';
import { Head } from './head';
import { Silence } from './silence';
import { GAP_S, History } from './history';
import { listenToKeys } from './keys';
import { Memory } from './memory';
import { ObjectList } from './objects';
import { PendingCommands } from './pending_commands';
import { Pictures } from './pictures';
import { asText, saveAs } from './saving';
import { onVisibility } from './visibility';
import { type Liveness, sayAbsence, sayOf, workerTrouble } from './state';
import { stylesheet } from './styles';
import { Tabs } from './tabs';
import { onTheme } from './theme';
import { WorkerList } from './workers';

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
  readonly #lists: [ObjectList, WorkerList, ErrorList];
  readonly #tabs: Tabs;
  readonly #memory: Memory;
  readonly #pending: PendingCommands;
  readonly #page = el('div', { style: 'display: contents' });
  readonly #body = el('div', { class: 'body' });
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
    const context: ListContext = {
      rate: idx => this.#history.rateOf(idx),
      workerRate: pid => this.#history.workerRateOf(pid),
      beside: idx => this.#history.besideOf(idx),
      waiting: pid => this.#history.waitingOf(pid),
      send: command => this.#pending.send(command),
      copy: text => this.#copy(text),
      showError: key => this.#showError(key),
      now: () => performance.now()
    };
    this.#lists = [
      new ObjectList(context),
      new WorkerList(context),
      new ErrorList(context)
    ];
    const [objects, workers, errors] = this.#lists;
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
      openErrors: () => this.#tabs.select('errors'),
      openWorkers: () => this.#tabs.select('workers')
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
    this.#tabs = new Tabs(
      { objects, workers, errors },
      new Attribute(this.#frame, 'data-pane')
    );
    this.#body.append(...this.#lists.map(list => list.element));
    this.#frame.append(this.#page);
    this.#root.append(style, this.#frame);
    this.#charts.onPoint = () => {
      this.#pictures.want(false);
      this.#charts.say(this.#span, (this.#paused ?? this.#history.now)?.time ?? 0);
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
    if (update.kind === 'absence' && update.absence.kind !== 'saved') {
      this.#absence = update.absence;
      this.#pictures.want(true);
      return;
    }
    this.#absence = update.kind === 'absence' ? update.absence : null;
    const snapshot =
      update.kind === 'snapshot' ? update.snapshot : savedOf(update.absence);
    this.#silence.take(snapshot);
    this.#history.add(snapshot, this.#wasAway);
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
    const isEmpty = now.state !== 'serving';
    this.#show(isEmpty ? 'empty' : 'all');
    // A dead line says more than a still one: the charts go on while nothing comes.
    this.#charts.draw(this.#span, liveness === 'silent' ? time : now.time);
    if (!isEmpty) {
      // At once, for a row that was quiet: each row sees to it that its numbers can be read.
      const state = {
        time,
        objects: now.objects,
        workers: now.workers,
        ended: now.ended,
        errors: now.errors ?? [],
        errorKinds: now.error_kinds,
        chains: now.chains ?? []
      };
      for (const list of this.#lists) {
        list.setLive(isLive);
        list.update(state);
      }
    }
    if (!withWords()) {
      return;
    }
    const idle = this.#silence.idleAt(time);
    const late = this.#paused ? this.#behind(now) : this.#silence.seconds;
    const say = sayOf(now, liveness, late, idle);
    this.#stateName.set(say.state);
    this.#head.say(say, this.source.host.title ?? '');
    this.#head.setTools(!isEmpty || !isLive, isLive);
    this.#charts.say(this.#span, now.time, isEmpty);
    this.#memory.update(now.memory);
    this.#band.say(liveness, this.#silence.seconds);
    if (!isEmpty) {
      this.#tabs.update();
    }
    const [, workers, errors] = this.#lists;
    this.#head.setTrouble(
      isEmpty ? '' : workerTrouble(workers.count().trouble),
      isEmpty ? '' : errors.words
    );
    this.#announcer.state(say.sentence);
  }

  #behind(now: Snapshot): number {
    return (this.#history.now?.time ?? now.time) - now.time;
  }

  #drawAbsence(absence: Absence): void {
    const say = sayAbsence(absence);
    this.#stateName.set(say.state);
    this.#head.say(say, this.source.host.title ?? '');
    this.#head.setTools(false, false);
    this.#head.setTrouble('', '');
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
        : [this.#charts.element, this.#tabs.element, this.#body, this.#memory.element];
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
    this.#lists.forEach((list: List) => list.clear());
    this.#pictures.want(true);
  }

  #setSpan(seconds: number): void {
    this.#span = seconds;
    this.#head.setSpan(seconds);
    this.#pictures.want(true);
  }

  #find(text: string): void {
    this.#lists.forEach((list: List) => list.find(text));
    this.#pictures.want(true);
  }

  #showError(key: string): void {
    this.#tabs.select('errors');
    this.#lists[2].open(key);
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
    this.#lists.forEach((list: List) => list.setNarrow(narrow));
    this.#charts.resize();
    this.#pictures.want(true);
  }

  dispose(): void {
    this.#pictures.dispose();
    this.#stops.forEach(stop => stop());
    this.source.setVisible(false);
    this.#pending.dispose();
    this.#charts.dispose();
    this.#lists.forEach((list: List) => list.dispose());
    this.#root.replaceChildren();
  }
}

function savedOf(absence: Absence): Snapshot {
  if (absence.kind !== 'saved') {
    throw new Error('There is no saved snapshot.');
  }
  return absence.snapshot;
}
