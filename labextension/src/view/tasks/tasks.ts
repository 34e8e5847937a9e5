/** The tab of tasks: functions, and the stream of who computes them. */

import type { Snapshot } from '../../snapshot';
import { snip } from '../absence';
import type { List, ListContext, ListCount } from '../context';
import { el } from '../dom';
import { exact } from '../format';
import { Pane } from '../pane';
import type { Goal } from './hit';
import { Lanes } from './lanes';
import { RunList } from './runs';
import { Stream, type StreamMoment } from './stream';
import { failedOf, hasTasks, runningOf } from './words';

/** What the tab asks of the rest of the view. */
export interface TasksContext extends Pick<ListContext, 'copy'> {
  showErrorsOf(run: number): void;
  showObject(path: string): void;
  /** Put the cursor of the charts to a moment, so many seconds ago. */
  point(ago: number | null): void;
  say(words: string): void;
}

export class TaskList implements List {
  readonly element: HTMLElement;
  readonly lanes = new Lanes();

  readonly #pane: Pane;
  readonly #runs: RunList;
  readonly #stream: Stream;
  readonly #split: HTMLElement;
  readonly #quiet: HTMLElement;
  #now: Snapshot | null = null;
  #isNarrow = false;
  #isMeasured = false;

  constructor(private readonly context: TasksContext) {
    this.#pane = new Pane('tasks', 'Tasks', () => (this.#isMeasured = false));
    this.#pane.by.hidden = true; // there is one order only
    this.#stream = new Stream(this.lanes, {
      go: goal => this.#go(goal),
      point: ago => context.point(ago),
      mark: name => this.#runs.mark(name),
      say: words => context.say(words)
    });
    this.#runs = new RunList(this.lanes, {
      showErrorsOf: run => context.showErrorsOf(run),
      showObject: path => context.showObject(path),
      single: name => this.#stream.single(name)
    });
    this.#split = el(
      'div',
      { class: 'split' },
      this.#runs.element,
      this.#stream.element
    );
    this.#quiet = el(
      'div',
      { class: 'notasks' },
      el('h3', {}, 'No tasks yet'),
      el(
        'p',
        {},
        'What a pool computes shows here while it runs: ProcessPoolExecutor, ' +
          'multiprocessing.Pool, loky and joblib. Nothing has to be shared, and no line ' +
          'changes.'
      ),
      snip('list(pool.map(score, items))', line => context.copy(line))
    );
    this.element = this.#pane.element;
    this.#runs.element.append(this.#quiet);
    this.element.append(this.#split);
  }

  /** Whether a pool has run, or is seen at least. */
  get hasRun(): boolean {
    return this.#now !== null && hasTasks(this.#now);
  }

  /** Note what is now, also while the drawing pauses: what was done is not lost. */
  take(now: Snapshot): void {
    this.lanes.take(now);
  }

  update(): void {
    // It is drawn whole, by `draw`.
  }

  /** Draw the stream, and the words where they may have changed. */
  draw(moment: StreamMoment, withWords: boolean): void {
    const { now } = moment;
    const isFirst = this.#now === null;
    this.#now = now;
    const isQuiet = !hasTasks(now);
    const isAlone = isQuiet && this.lanes.lanes.length === 0;
    this.#quiet.hidden = !isQuiet;
    this.#split.classList.toggle('quieted', isQuiet);
    this.#split.classList.toggle('alone', isAlone);
    if (withWords || isFirst) {
      this.#runs.update(now);
      const { text, trouble } = this.count();
      this.#pane.setWords(text, trouble, '');
    }
    if (isAlone || this.element.offsetParent === null) {
      this.#isMeasured = false;
      return;
    }
    if (!this.#isMeasured) {
      this.#isMeasured = true;
      this.#stream.resize(this.#isNarrow);
    }
    this.#stream.draw(moment, withWords || isFirst);
  }

  /** Show the cursor of the charts. */
  point(ago: number | null): void {
    this.#stream.point(ago);
  }

  /** The theme is another one, or the size. */
  build(): void {
    this.#stream.build();
    this.#isMeasured = false;
  }

  find(text: string): void {
    this.#runs.sought = text.trim().toLowerCase();
    if (this.#now) {
      this.#runs.update(this.#now);
    }
  }

  count(): ListCount {
    const now = this.#now;
    if (!now || this.#runs.sought) {
      return {
        text: now ? `${this.#runs.found} of ${now.runs.length}` : '0',
        trouble: ''
      };
    }
    const running = runningOf(now).length;
    const failed = failedOf(now);
    const isUnseen = now.runs.length === 0 && now.pools.some(({ seen }) => !seen);
    return {
      text: running ? `${running} running` : isUnseen ? '–' : String(now.runs.length),
      trouble: failed ? `${exact(failed)} failed` : ''
    };
  }

  setNarrow(isNarrow: boolean): void {
    this.#isNarrow = isNarrow;
    this.#isMeasured = false;
    this.#pane.setNarrow(isNarrow);
  }

  setLive(): void {
    // Nothing is to be done to a task.
  }

  /** Forget what was drawn; the runs are the kernel's. */
  clear(): void {
    this.lanes.clear();
  }

  dispose(): void {
    this.lanes.clear();
  }

  #go(goal: Goal): void {
    if (goal?.kind === 'object') {
      this.context.showObject(goal.path);
    } else if (goal) {
      this.context.showErrorsOf(goal.run);
    }
  }
}
