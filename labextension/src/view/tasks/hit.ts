/** What lies under the cursor of the stream: its words, and where a click goes. */

import type { TaskRow } from '../../snapshot';
import * as format from '../format';
import { noSpell, stepOf } from './bins';
import { isUnseen, type Lane, type Lanes } from './lanes';

/** Where a click goes. */
export type Goal =
  | { readonly kind: 'object'; readonly path: string }
  | { readonly kind: 'error'; readonly run: number }
  | null;

export interface Hit {
  /** Code is between backticks. */
  readonly lines: readonly string[];
  /** Who it was, how long ago, and where a click goes. */
  readonly last: string;
  readonly goal: Goal;
  /** The function, whose row is marked. */
  readonly name: string | null;
}

/** From this share of waiting on, a click goes to the object. */
const WAITS_MUCH = 0.2;

/**
 * Find what a lane did at a moment.
 *
 * @param known - The functions and objects.
 * @param now - The kernel's clock.
 * @param queued - How many tasks of its pool no worker has begun, now.
 */
export function hitAt(
  lane: Lane,
  known: Lanes,
  time: number,
  now: number,
  span: number,
  queued: number
): Hit {
  const ago = now - time < 0.5 ? 'now' : `${format.age(now - time)} ago`;
  const make = (lines: string[], goal: Goal, name: string | null): Hit => ({
    lines,
    last: `${lane.row.name}, ${ago}${goalWords(goal)}`,
    goal,
    name
  });
  const task = lane.tasks.findLast(
    ({ start, end }) => start <= time && (end ?? now) >= time
  );
  if (task) {
    const { lines, goal } = ofTask(task, known, now);
    return make(lines, goal, known.style(task.run)?.name ?? null);
  }
  if (lane.goneAt !== null && time >= lane.goneAt) {
    return make([lane.end?.words ?? 'ended'], null, null);
  }
  const step = stepOf(span);
  const count = Math.max(1, Math.round(1 / step));
  const at = Math.floor(time / step);
  const spell = noSpell();
  const sum = noSpell();
  let isKnown = false;
  for (
    let bin = at - Math.floor(count / 2);
    bin < at - Math.floor(count / 2) + count;
    bin++
  ) {
    if (lane.bins.read(span, bin, spell)) {
      isKnown = true;
      sum.known += spell.known;
      sum.waiting += spell.waiting * spell.known;
      sum.computing += spell.computing * spell.known;
      sum.starting += spell.starting * spell.known;
      sum.tasks += spell.tasks;
      sum.failed += spell.failed;
      sum.run = spell.run || sum.run;
      sum.object = spell.object || sum.object;
    }
  }
  if (!isKnown) {
    return make([time < lane.row.since ? 'not started yet' : 'not seen'], null, null);
  }
  const waiting = sum.waiting / sum.known;
  const object = known.object(sum.object);
  const waits =
    waiting < 0.01
      ? 'no waiting'
      : `waiting on ${object ? `\`${object}\`` : 'the kernel'} ${format.percent(waiting)} of it`;
  if (sum.starting / sum.known > 0.5) {
    return make(['starting: imports, no task yet'], null, null);
  }
  const toObject: Goal =
    object && waiting >= WAITS_MUCH ? { kind: 'object', path: object } : null;
  if (isUnseen(lane.row)) {
    return make([waits, 'its tasks are not seen'], toObject, null);
  }
  const style = known.style(sum.run);
  if (!style || sum.computing + sum.waiting < 0.01) {
    const more = ago === 'now' && queued ? `, ${format.exact(queued)} queued` : '';
    return make([`no task${more}`], null, null);
  }
  const during = step <= 1 ? 'in this second' : `in these ${format.age(step)}`;
  const failed = sum.failed ? `, ${format.exact(sum.failed)} failed` : '';
  const toError: Goal = sum.failed ? { kind: 'error', run: sum.run } : null;
  return make(
    [`\`${style.name}\`, ${format.many(sum.tasks, 'task')} ${during}${failed}`, waits],
    toError ?? toObject,
    style.name
  );
}

function ofTask(
  { run, start, end, waited, arguments: values, failed }: TaskRow,
  known: Lanes,
  now: number
): { lines: string[]; goal: Goal } {
  const name = known.style(run)?.name ?? 'a task';
  const took = Math.max(0.001, (end ?? now) - start);
  const share = Math.min(1, waited / took);
  const object = known.run(run)?.waited_on[0]?.object ?? '';
  const on = object ? `\`${object}\`` : 'the kernel';
  const waits =
    share < 0.01 ? 'no waiting' : `of it ${format.percent(share)} waiting on ${on}`;
  return {
    lines: [
      `\`${name}(${values})\``,
      `${format.took(took)}${end === null ? ' so far' : ''}, ${waits}`,
      ...(failed ? [`failed: ${failed.type}: ${failed.message}`] : [])
    ],
    goal: failed
      ? { kind: 'error', run }
      : object && share >= 0.01
        ? { kind: 'object', path: object }
        : null
  };
}

function goalWords(goal: Goal): string {
  if (goal === null) {
    return '';
  }
  return `; click for ${goal.kind === 'object' ? `\`${goal.path}\`` : 'the error'}`;
}
