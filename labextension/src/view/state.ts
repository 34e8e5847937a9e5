/** What a view says in one sentence, and what is unusual about it. */

import { takesPart } from '../checks';
import { countTop } from '../paths';
import type { Snapshot } from '../snapshot';
import type { Absence } from '../source';
import * as format from './format';
import { hasTasks, lastTook, restingWords, runningWords } from './tasks/words';

/** How the view stands to the kernel. */
export type Liveness = 'live' | 'paused' | 'silent' | 'saved';

export type Mark = 'live' | 'idle' | 'paused' | 'silent' | 'none' | 'old' | 'stopped';

export interface Say {
  mark: Mark;
  /** The state of the frame, for the stylesheet. */
  state: string;
  sentence: string;
  /** What is unusual, with its colour. */
  aside: string;
  isWarning: boolean;
  /** What else there is, such as the time that is left. */
  more: string;
}

function objectsAndWorkers(now: Snapshot): string {
  const objects = format.many(countTop(now.objects), 'object');
  const workers = now.workers.filter(takesPart).length;
  return workers
    ? `Serving ${objects} to ${format.many(workers, 'worker')}`
    : `Serving ${objects}`;
}

/**
 * Say what there is.
 *
 * @param now - The whole of what was last heard.
 * @param liveness - How the view stands to the kernel.
 * @param late - Seconds since then, or that the drawing is behind.
 * @param idle - Seconds since the last call, or null where none was seen.
 */
export function sayOf(
  now: Snapshot,
  liveness: Liveness,
  late: number,
  idle: number | null
): Say {
  if (liveness === 'saved') {
    const when = new Date(now.time * 1000).toLocaleString(undefined, {
      dateStyle: 'medium',
      timeStyle: 'short'
    });
    return say('old', 'old', `Saved ${when}`, 'not live');
  }
  if (liveness === 'paused') {
    const behind = `Drawing paused, ${format.age(late)} behind`;
    return say('paused', 'paused', behind, 'serving goes on');
  }
  const isServing = now.state === 'serving';
  if (!isServing && !hasTasks(now)) {
    return sayNothing(now, 'empty');
  }
  if (liveness === 'silent') {
    const words = 'the kernel is inside one long call';
    return say('silent', 'silent', `No news for ${format.age(late)}`, words, true);
  }
  const running = runningWords(now);
  const sentence = running?.sentence ?? objectsAndWorkers(now);
  const more = running?.left ?? '';
  if (now.busy_delay !== null && (isServing || running)) {
    const delay = `kernel busy, +${format.time(now.busy_delay)} a call`;
    return { ...say('live', 'live', sentence, delay, true), more };
  }
  if (running) {
    return { ...say('live', 'live', sentence, ''), more };
  }
  if (idle === null || idle > 3 || !isServing) {
    const resting = restingWords(now);
    if (resting) {
      return { ...say('idle', 'idle', resting.sentence, ''), more: resting.took };
    }
    if (!isServing) {
      return { ...sayNothing(now, 'idle'), more: lastTook(now) };
    }
    const holders = now.workers.filter(worker => worker.holds).length;
    if (holders) {
      const held = `${format.many(holders, 'worker')} with versions`;
      return say('live', 'live', objectsAndWorkers(now), held);
    }
    const who = now.workers.some(takesPart) ? ', nobody is calling' : '';
    return say('idle', 'idle', objectsAndWorkers(now) + who, lastCall(now, idle));
  }
  return say('live', 'live', objectsAndWorkers(now), '');
}

function sayNothing({ state }: Snapshot, frame: string): Say {
  return state === 'stopped'
    ? say('stopped', frame, 'Stopped, nothing is shared', '')
    : say('idle', frame, 'Ready, nothing shared yet', '');
}

function lastCall(now: Snapshot, idle: number | null): string {
  if (idle !== null) {
    return `last call ${format.age(idle)} ago`;
  }
  const { gets, sets, executes, handovers } = now.totals;
  const calls = gets + sets + executes;
  if (calls) {
    return `${format.many(calls, 'call')} before this was opened`;
  }
  return handovers ? `${format.many(handovers, 'hand-over')}, no call` : 'no call yet';
}

function say(
  mark: Mark,
  state: string,
  sentence: string,
  aside: string,
  isWarning = false
): Say {
  return { mark, state, sentence, aside, isWarning, more: '' };
}

/** Say why there is nothing. */
export function sayAbsence(absence: Absence): Say {
  switch (absence.kind) {
    case 'waiting':
      return say('none', 'waiting', 'Waiting for the kernel', '');
    case 'no-kernel':
      return say('none', 'notloaded', 'No kernel', '');
    case 'not-loaded':
      return say('none', 'notloaded', 'Not loaded', '');
    case 'language':
      return say('none', 'notpython', 'Nothing to show here', '');
    case 'silent':
      return say('silent', 'notloaded', 'The kernel does not answer', '');
    case 'dead':
      return say('stopped', 'notloaded', 'The kernel has ended', '');
    case 'saved':
      return say('old', 'old', 'Saved', 'not live');
  }
}

/** What the tab of the workers says, in words that need no tab: "1 worker killed". */
export function workerTrouble(trouble: string): string {
  return trouble.replace(/^(\d+) /, (_, count: string) =>
    count === '1' ? '1 worker ' : `${count} workers `
  );
}
