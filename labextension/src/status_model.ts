/** What one second's look tells: the figures of the status bar, from whole snapshots. */

import { countTop } from './paths';
import { isBad } from './checks';
import type { Snapshot } from './snapshot';

/** The rate is that of the last second, as in the headline of the view. */
const WINDOW_S = 1;

interface Sample {
  time: number;
  frames: number;
}

export class StatusModel {
  /** When the last snapshot came, by the page's clock in milliseconds. */
  heardAt = 0;

  /** How many variables are shared, without what was reached through them. */
  get shared(): number {
    return this.sharedCount;
  }

  /** Calls in a second; each is one frame. */
  get rate(): number {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.time <= first.time) {
      return 0;
    }
    return (last.frames - first.frames) / (last.time - first.time);
  }

  /** Errors that came after the last look at them. */
  get errors(): number {
    return this.errorCount - this.seenErrors;
  }

  /** Workers that came to a bad end after the last look. */
  get lost(): number {
    return this.lostPids.size - this.seenLost;
  }

  /** Note that the errors were looked at. */
  look(): void {
    this.seenErrors = this.errorCount;
    this.seenLost = this.lostPids.size;
  }

  /** Forget what was, as the session is another one. */
  clear(): void {
    this.session = '';
    this.heardAt = 0;
    this.samples = [];
    this.lostPids.clear();
    this.sharedCount = this.errorCount = this.seenErrors = this.seenLost = 0;
  }

  take(snapshot: Snapshot, now: number): void {
    if (snapshot.kernel.session !== this.session) {
      this.clear();
      this.session = snapshot.kernel.session;
    }
    this.heardAt = now;
    this.sharedCount = countTop(snapshot.objects);
    for (const row of snapshot.ended) {
      if (isBad(row)) {
        this.lostPids.add(row.pid);
      }
    }
    this.errorCount = snapshot.error_count;
    // A server that was started anew counts anew.
    this.seenErrors = Math.min(this.seenErrors, this.errorCount);
    const { gets, sets, executes } = snapshot.totals;
    const frames = gets + sets + executes;
    if (frames < (this.samples.at(-1)?.frames ?? 0)) {
      this.samples = [];
    }
    this.samples.push({ time: snapshot.time, frames });
    // One that is older than the window stays, for the window to begin with.
    const begin = snapshot.time - WINDOW_S;
    while ((this.samples[1]?.time ?? Infinity) <= begin) {
      this.samples.shift();
    }
  }

  private session = '';
  private samples: Sample[] = [];
  private sharedCount = 0;
  private readonly lostPids = new Set<number>();
  private errorCount = 0;
  private seenErrors = 0;
  private seenLost = 0;
}
