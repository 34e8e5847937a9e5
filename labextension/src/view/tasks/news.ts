/** What happened to tasks, a sentence each, for who cannot see it. */

import type { RunRow, Snapshot } from '../../snapshot';
import { exact, many, took } from '../format';
import { elapsedOf } from './words';

export class TaskNews {
  #before = new Map<number, RunRow>();
  #isFirst = true;

  /** Give what is new since the last time; of what was there at first nothing. */
  take(now: Snapshot): string[] {
    const news = this.#isFirst
      ? []
      : now.runs.flatMap(run => sentencesOf(run, this.#before.get(run.id), now.time));
    this.#isFirst = false;
    this.#before = new Map(now.runs.map(run => [run.id, run]));
    return news;
  }
}

function sentencesOf(run: RunRow, before: RunRow | undefined, time: number): string[] {
  const { function: name, done, failed, lost, total, total_known: isKnown } = run;
  const news: string[] = [];
  if (failed && !before?.failed) {
    news.push(`A task of ${name} has failed.`);
  }
  if (lost && !before?.lost) {
    news.push(`A task of ${name} was lost with its worker.`);
  }
  if (run.ended !== null) {
    if (before && before.ended === null) {
      const bad = failed ? `, ${exact(failed)} failed` : '';
      const what =
        done < total ? `${exact(done)} of ${many(total, 'task')}` : many(done, 'task');
      news.push(`${name} has ended: ${what} in ${took(elapsedOf(run, time))}${bad}.`);
    }
  } else if (isKnown && before && 2 * before.done < total && 2 * done >= total) {
    news.push(`Half of ${name} is done.`);
  }
  return news;
}
