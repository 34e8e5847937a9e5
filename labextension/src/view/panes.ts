/** The four lists, and the tabs that they are behind, or the sections that they are. */

import type { Attribute } from './cells';
import type { List, ListContext, ListState } from './context';
import { el } from './dom';
import { ErrorList } from './errors';
import { ObjectList } from './objects';
import { type PaneName, Tabs } from './tabs';
import type { StreamMoment } from './tasks/stream';
import { TaskList } from './tasks/tasks';
import { WorkerList } from './workers';

/** What the lists ask of the view, besides going from one to another. */
export interface PanesContext extends Omit<
  ListContext,
  'showError' | 'spent' | 'functionOf'
> {
  /** Seconds that are drawn. */
  span(): number;
  /** Put the cursor of the charts to a moment, so many seconds ago. */
  point(ago: number | null): void;
  say(words: string): void;
}

export class Panes {
  readonly body: HTMLElement;
  readonly tabs: Tabs;
  readonly tasks: TaskList;
  readonly workers: WorkerList;
  readonly errors: ErrorList;
  readonly #objects: ObjectList;
  readonly #lists: readonly List[];

  /**
   * @param context - The rest of the view.
   * @param pane - The attribute of the frame that says which list is seen.
   */
  constructor(context: PanesContext, pane: Attribute) {
    this.tasks = new TaskList({
      ...context,
      showErrorsOf: run => this.#showErrorsOf(run),
      showObject: path => this.#showObject(path)
    });
    const { lanes } = this.tasks;
    const own: ListContext = {
      ...context,
      spent: row => lanes.spent(row, context.span()),
      functionOf: run => lanes.style(run)?.name ?? null,
      showError: key => this.showError(key)
    };
    this.workers = new WorkerList(own);
    this.#objects = new ObjectList(own);
    this.errors = new ErrorList(own);
    const { tasks, workers, errors } = this;
    const objects = this.#objects;
    this.#lists = [tasks, workers, objects, errors];
    this.body = el('div', { class: 'body' }, ...this.#lists.map(list => list.element));
    this.tabs = new Tabs({ tasks, workers, objects, errors }, pane);
  }

  /** Draw what is now: words of tasks where they may have changed. */
  draw(
    state: ListState,
    moment: StreamMoment,
    isLive: boolean,
    withWords: boolean
  ): void {
    for (const list of this.#lists) {
      list.setLive(isLive);
      list.update(state);
    }
    this.tasks.draw(moment, withWords);
    this.tabs.begin(this.tasks.hasRun ? 'tasks' : 'objects');
  }

  find(text: string): void {
    this.#lists.forEach(list => list.find(text));
  }

  clear(): void {
    this.#lists.forEach(list => list.clear());
  }

  setNarrow(isNarrow: boolean): void {
    this.#lists.forEach(list => list.setNarrow(isNarrow));
  }

  select(name: PaneName): void {
    this.tabs.select(name);
  }

  showError(key: string): void {
    this.tabs.select('errors');
    this.errors.open(key);
  }

  #showErrorsOf(run: number): void {
    this.tabs.select('errors');
    this.errors.openRun(this.tasks.lanes.run(run));
  }

  #showObject(path: string): void {
    this.tabs.select('objects');
    this.#objects.reveal(path);
  }

  dispose(): void {
    this.#lists.forEach(list => list.dispose());
  }
}
