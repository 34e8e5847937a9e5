/**
 * The view: mounted in any page that has a `Source`, and taken out again.
 *
 *     monitor.ts   this: what comes is kept, and drawn when it is time
 *       history    the whole of now, and the past that rates are made of
 *       state      the sentence            head     the sentence drawn, and the tools
 *       charts     four charts on one clock (series: their numbers)
 *       objects, workers, errors           the three lists, in panes (tabs, or sections)
 *       memory     one line                absence  why there is nothing
 *       orders     commands that wait
 */

import type { Snapshot } from '../snapshot';
import type { Absence, Source, Update } from '../source';
import { type AbsenceActions, absencePage, emptyPage } from './absence';
import { Attribute, Text } from './cells';
import { Charts } from './charts';
import type { ErrorHint, List, ListContext } from './context';
import { el, icon } from './dom';
import { ErrorList } from './errors';
import { Head } from './head';
import { GAP_S, History } from './history';
import { Memory } from './memory';
import { ObjectList } from './objects';
import { Orders } from './orders';
import { asText, saveAs } from './saving';
import { type Liveness, sayAbsence, sayOf } from './state';
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

/** Words and numbers change this often; lines as often as something comes. */
const WORDS_MS = 1000;
const NARROW_EM = 43;
/** A reader is told one sentence in so many milliseconds at most. */
const ANNOUNCE_MS = 5000;

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
  private readonly root: ShadowRoot;
  private readonly frame: HTMLElement;
  private readonly stateName: Attribute;
  private readonly history = new History();
  private readonly charts = new Charts(this.history);
  private readonly head: Head;
  private readonly lists: [ObjectList, WorkerList, ErrorList];
  private readonly tabs: Tabs;
  private readonly memory: Memory;
  private readonly orders: Orders;
  private readonly page = el('div', { style: 'display: contents' });
  private readonly body = el('div', { class: 'body' });
  private readonly band = el('div');
  private readonly status: Text;
  private readonly actions: AbsenceActions;
  private readonly stops: (() => void)[] = [];

  private absence: Absence | null = null;
  private pageKey = '';
  private span: number;
  private isPaused = false;
  private isSeen = true;
  private late: Snapshot[] = [];
  private frameWanted = 0;
  private wordsAt = 0;
  private lastCall: number | null = null;
  private calls = -1;
  private heardAt = performance.now();
  private announcedAt = -ANNOUNCE_MS;
  private announced = '';

  constructor(
    private readonly host: HTMLElement,
    private readonly source: Source,
    options: MonitorOptions
  ) {
    this.span = options.span ?? 60;
    this.root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    const style = document.createElement('style');
    style.textContent = stylesheet;
    const context: ListContext = {
      rate: idx => this.history.rateOf(idx),
      workerRate: pid => this.history.workerRateOf(pid),
      waiting: pid => this.history.waitingOf(pid),
      send: command => this.orders.send(command),
      copy: text => this.copy(text),
      showError: hint => this.showError(hint),
      now: () => performance.now()
    };
    this.lists = [
      new ObjectList(context),
      new WorkerList(context),
      new ErrorList(context)
    ];
    const [objects, workers, errors] = this.lists;
    this.orders = new Orders(source, words => this.announce(words));
    this.memory = new Memory(line => this.copy(line));
    this.actions = { copy: line => this.copy(line), host: source.host };
    this.head = new Head({
      pause: paused => this.pause(paused),
      clear: () => this.clear(),
      setSpan: seconds => this.setSpan(seconds),
      find: text => this.find(text),
      save: () => this.save(),
      copyText: () => this.copyAll(),
      resetPeaks: () => this.orders.send({ name: 'reset_peaks', args: {} }),
      unshareAll: () => this.orders.send({ name: 'unshare_all', args: {} }),
      openErrors: () => this.tabs.select('errors'),
      openWorkers: () => this.tabs.select('workers')
    });
    this.status = new Text(
      el('span', { class: 'sr', role: 'status', 'aria-live': 'polite' })
    );
    this.frame = el(
      'section',
      { class: 'duck', role: 'region', 'aria-label': 'duck monitor' },
      this.head.element,
      this.head.menu,
      this.status.element,
      this.band,
      this.orders.element
    );
    this.stateName = new Attribute(this.frame, 'data-state');
    this.tabs = new Tabs(
      { objects, workers, errors },
      new Attribute(this.frame, 'data-pane')
    );
    this.body.append(...this.lists.map(list => list.element));
    this.frame.append(this.page);
    this.root.append(style, this.frame);
    this.charts.onPoint = () => {
      this.want(true);
      const words = this.charts.describe();
      if (words && this.root.activeElement?.closest('.plot')) {
        this.announce(words);
      }
    };
    this.head.setSpan(this.span);
    this.frame.addEventListener('keydown', event => this.key(event));
    this.watch();
    this.take(source.current());
  }

  private watch(): void {
    this.stops.push(this.source.subscribe(update => this.take(update)));
    const resized = new ResizeObserver(() => this.resize());
    resized.observe(this.host);
    this.stops.push(() => resized.disconnect());
    this.stops.push(
      onTheme(() => {
        this.charts.build();
        this.want(false);
      })
    );
    let isNear = true;
    const see = (): void => {
      const seen = isNear && document.visibilityState === 'visible';
      if (seen !== this.isSeen) {
        this.isSeen = seen;
        this.source.setVisible(seen);
        this.want(true);
      }
    };
    const scrolled = new IntersectionObserver(entries => {
      isNear = entries.at(-1)?.isIntersecting ?? true;
      see();
    });
    scrolled.observe(this.host);
    document.addEventListener('visibilitychange', see);
    const timer = setInterval(() => this.want(true), WORDS_MS);
    this.stops.push(() => {
      scrolled.disconnect();
      document.removeEventListener('visibilitychange', see);
      clearInterval(timer);
    });
    this.source.setVisible(true);
  }

  // -- what comes ---------------------------------------------------------------------

  private take(update: Update): void {
    if (update.kind === 'absence' && update.absence.kind !== 'saved') {
      this.absence = update.absence;
      this.want(true);
      return;
    }
    this.absence = update.kind === 'absence' ? update.absence : null;
    const snapshot =
      update.kind === 'snapshot' ? update.snapshot : savedOf(update.absence);
    this.heardAt = performance.now();
    if (this.isPaused) {
      // Ticks are differences: all of them are needed when the drawing goes on.
      this.late = snapshot.whole ? [snapshot] : [...this.late, snapshot];
    } else {
      this.add(snapshot);
    }
    this.want(false);
  }

  private add(snapshot: Snapshot): void {
    const { gets, sets, executes } = snapshot.totals;
    const calls = gets + sets + executes;
    if (this.calls >= 0 && calls > this.calls) {
      this.lastCall = snapshot.time;
    }
    this.calls = calls;
    this.history.add(snapshot);
  }

  private liveness(): Liveness {
    if (this.absence?.kind === 'saved') {
      return 'saved';
    }
    if (this.isPaused) {
      return 'paused';
    }
    return this.isSeen && this.silence() > GAP_S ? 'silent' : 'live';
  }

  /** Seconds since something was heard. */
  private silence(): number {
    return (performance.now() - this.heardAt) / 1000;
  }

  // -- drawing ------------------------------------------------------------------------

  /** Draw with the next picture; words as well where they may have changed. */
  private want(words: boolean): void {
    if (words) {
      this.wordsAt = 0;
    }
    if (!this.frameWanted && (this.isSeen || !this.pageKey)) {
      this.frameWanted = requestAnimationFrame(() => {
        this.frameWanted = 0;
        this.draw();
      });
    }
  }

  private draw(): void {
    const now = this.history.now;
    if (this.absence && this.absence.kind !== 'saved') {
      this.drawAbsence(this.absence);
      return;
    }
    if (now === null) {
      this.drawAbsence({ kind: 'waiting' });
      return;
    }
    const liveness = this.liveness();
    const isLive = liveness !== 'saved';
    const time = isLive && !this.isPaused ? now.time + this.silence() : now.time;
    const isEmpty = now.state !== 'serving';
    this.show(isEmpty ? 'empty' : 'all');
    const due = performance.now() - this.wordsAt >= WORDS_MS - 20;
    // A dead line says more than a still one: the charts go on while nothing comes.
    this.charts.draw(this.span, liveness === 'silent' ? time : now.time);
    if (!due) {
      return;
    }
    this.wordsAt = performance.now();
    const idle = this.lastCall === null ? null : Math.max(0, time - this.lastCall);
    const late = this.isPaused ? this.behind(now) : this.silence();
    const say = sayOf(now, liveness, late, idle);
    this.stateName.set(say.state);
    this.head.say(say, this.source.host.title ?? '');
    this.head.setTools(!isEmpty || !isLive, isLive);
    this.charts.say(this.span);
    this.memory.update(now.memory);
    this.bandFor(liveness);
    if (!isEmpty) {
      const state = {
        time,
        objects: now.objects,
        workers: now.workers,
        ended: now.ended,
        errors: now.errors ?? [],
        chains: now.chains ?? []
      };
      for (const list of this.lists) {
        list.setLive(isLive);
        list.update(state);
      }
      this.tabs.update();
      const [, workers, errors] = this.lists.map(list => list.count());
      const count = now.error_count;
      this.head.setTrouble(
        workers?.trouble ?? '',
        errors && count ? `${count} error${count === 1 ? '' : 's'}` : ''
      );
    } else {
      this.head.setTrouble('', '');
    }
    this.announce(say.sentence);
  }

  private behind(now: Snapshot): number {
    return (this.late.at(-1)?.time ?? now.time) - now.time;
  }

  private drawAbsence(absence: Absence): void {
    const say = sayAbsence(absence);
    this.stateName.set(say.state);
    this.head.say(say, this.source.host.title ?? '');
    this.head.setTools(false, false);
    this.head.setTrouble('', '');
    this.bandFor('live');
    this.show(`absence ${JSON.stringify(absence)}`, () => [
      absencePage(absence, this.actions)
    ]);
    this.announce(say.sentence);
  }

  /** Show a page, made anew only where it is another one. */
  private show(key: string, make?: () => HTMLElement[]): void {
    if (key === this.pageKey) {
      return;
    }
    this.pageKey = key;
    const parts = make
      ? make()
      : key === 'empty'
        ? [this.charts.element, emptyPage(this.actions), this.memory.element]
        : [this.charts.element, this.tabs.element, this.body, this.memory.element];
    this.charts.element.classList.toggle('ghost', key === 'empty');
    this.page.replaceChildren(...parts);
    this.charts.build();
    this.resize();
    this.wordsAt = 0;
  }

  private bandFor(liveness: Liveness): void {
    const silence = Math.round(this.silence());
    const words = {
      silent:
        `Last update ${silence} s ago. Most likely a call in the running cell keeps ` +
        'Python’s lock. Calls from workers wait, what they have fetched does not. It ' +
        'goes on by itself.',
      saved:
        'The last state this notebook was saved with. Run %duck monitor to watch the ' +
        'kernel.',
      live: '',
      paused: ''
    }[liveness];
    if (this.band.textContent !== words) {
      this.band.className = words ? `band ${liveness === 'silent' ? 'warn' : 'quiet'}` : '';
      this.band.replaceChildren(...(words ? [icon('clock'), el('p', {}, words)] : []));
    }
  }

  // -- what people do -----------------------------------------------------------------

  private pause(paused: boolean): void {
    this.isPaused = paused;
    if (!paused) {
      this.late.forEach(snapshot => this.add(snapshot));
      this.late = [];
    }
    this.want(true);
  }

  private clear(): void {
    this.history.clear();
    this.lists.forEach((list: List) => list.clear());
    this.want(true);
  }

  private setSpan(seconds: number): void {
    this.span = seconds;
    this.head.setSpan(seconds);
    this.want(true);
  }

  private find(text: string): void {
    this.lists.forEach((list: List) => list.find(text));
    this.want(true);
  }

  private showError(hint: ErrorHint): void {
    this.tabs.select('errors');
    this.lists[2].open(hint);
  }

  private copy(text: string): void {
    void navigator.clipboard?.writeText(text).then(() => this.announce(`Copied ${text}`));
  }

  private save(): void {
    if (this.history.now) {
      saveAs(this.history.now);
    }
  }

  private copyAll(): void {
    if (this.history.now) {
      void navigator.clipboard?.writeText(asText(this.history.now));
    }
  }

  private key(event: KeyboardEvent): void {
    const isTyping = (event.composedPath()[0] as Element | undefined)?.matches?.('input');
    if (event.key === '/' && !isTyping) {
      this.head.find.focus();
      event.preventDefault();
    } else if (event.key === ' ' && event.composedPath()[0] === this.frame) {
      this.head.togglePause();
      event.preventDefault();
    }
    // JupyterLab's own shortcuts are not for keys that are pressed in here.
    if (isTyping) {
      event.stopPropagation();
    }
  }

  private resize(): void {
    const em = parseFloat(getComputedStyle(this.host).fontSize) || 13;
    const narrow = this.host.getBoundingClientRect().width <= NARROW_EM * em;
    this.lists.forEach((list: List) => list.setNarrow(narrow));
    this.charts.resize();
    this.want(true);
  }

  /** Tell who cannot see it; never a number that ticks. */
  private announce(words: string): void {
    const said = words.replace(/[+\d].*$/, '').trim() || words;
    const now = performance.now();
    if (said !== this.announced && now - this.announcedAt > ANNOUNCE_MS) {
      this.announced = said;
      this.announcedAt = now;
      this.status.set(words);
    }
  }

  dispose(): void {
    cancelAnimationFrame(this.frameWanted);
    this.stops.forEach(stop => stop());
    this.source.setVisible(false);
    this.charts.dispose();
    this.lists.forEach((list: List) => list.dispose());
    this.root.replaceChildren();
  }
}

function savedOf(absence: Absence): Snapshot {
  if (absence.kind !== 'saved') {
    throw new Error('There is no saved snapshot.');
  }
  return absence.snapshot;
}
