/** What a view says in one sentence, and what is unusual about it. */

import { countTop } from '../paths';
import type { Snapshot } from '../snapshot';
import type { Absence } from '../source';
import * as format from './format';

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
}

function objectsAndWorkers(now: Snapshot): string {
  const objects = format.many(countTop(now.objects), 'object');
  return now.workers.length
    ? `Serving ${objects} to ${format.many(now.workers.length, 'worker')}`
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
  if (now.state === 'stopped') {
    return say('stopped', 'empty', 'Stopped, nothing is shared', '');
  }
  if (now.state === 'empty') {
    return say('idle', 'empty', 'Ready, nothing shared yet', '');
  }
  if (liveness === 'silent') {
    const words = 'the kernel is inside one long call';
    return say('silent', 'silent', `No news for ${format.age(late)}`, words, true);
  }
  if (now.busy_delay !== null) {
    const delay = `kernel busy, up to +${format.time(now.busy_delay)} a call`;
    return say('live', 'live', objectsAndWorkers(now), delay, true);
  }
  if (idle === null || idle > 3) {
    const holders = now.workers.filter(worker => worker.holds).length;
    if (holders) {
      const held = `${format.many(holders, 'worker')} with versions`;
      return say('live', 'live', objectsAndWorkers(now), held);
    }
    const who = now.workers.length ? ', nobody is calling' : '';
    return say('idle', 'idle', objectsAndWorkers(now) + who, lastCall(now, idle));
  }
  return say('live', 'live', objectsAndWorkers(now), '');
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
  return { mark, state, sentence, aside, isWarning };
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
