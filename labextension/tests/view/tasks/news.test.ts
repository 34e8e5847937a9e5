import { describe, expect, it } from 'vitest';
import { TaskNews } from '../../../src/view/tasks/news';
import { START } from '../support';
import { at, run } from './rows';

describe('what is told of tasks', () => {
  const ten = { total: 10 };

  it('is what happened, once', () => {
    const news = new TaskNews();
    const told = (values: object): string[] =>
      news
        .take(at(18, { runs: [run(1, { ...ten, ...values })] }))
        .map(words => words.replaceAll('\u00a0', ' '));
    expect(told({ done: 1 })).toEqual([]);
    expect(told({ done: 4, failed: 1 })).toEqual(['A task of score has failed.']);
    expect(told({ done: 5, failed: 2 })).toEqual(['Half of score is done.']);
    expect(told({ done: 6, lost: 1, failed: 2 })).toEqual([
      'A task of score was lost with its worker.'
    ]);
    const ended = { ended: START + 18, last: START + 18, done: 10, failed: 2, lost: 1 };
    expect(told(ended)).toEqual(['score has ended: 10 tasks in 18 s, 2 failed.']);
    expect(told(ended)).toEqual([]);
  });

  it('is nothing of what was there when the view was opened', () => {
    const runs = [run(1, { ...ten, failed: 3, ended: START })];
    expect(new TaskNews().take(at(1, { runs }))).toEqual([]);
  });
});
