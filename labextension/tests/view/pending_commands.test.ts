import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command, Source } from '../../src/source';
import { absencePage } from '../../src/view/absence';
import { Band } from '../../src/view/band';
import { PendingCommands } from '../../src/view/pending_commands';

const unshare: Command = { name: 'unshare', args: { object: 'bar' } };

/** A source that answers when the test wants it to. */
class Slow {
  readonly sent: Command[] = [];
  end: () => void = () => undefined;
  refuse: (error: Error) => void = () => undefined;

  readonly send: Source['send'] = (command, withdrawn) => {
    this.sent.push(command);
    return new Promise((resolve, reject) => {
      this.end = resolve;
      this.refuse = reject;
      withdrawn?.addEventListener('abort', () => reject(new Error('Withdrawn.')));
    });
  };
}

describe('a command', () => {
  const slow = new Slow();
  let commands: PendingCommands;
  let said: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    slow.sent.length = 0;
    said = [];
    commands = new PendingCommands(slow as unknown as Source, words =>
      said.push(words)
    );
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is shown as waiting only where it takes a while', async () => {
    commands.send(unshare);
    expect(commands.element.textContent).toBe('');
    await vi.advanceTimersByTimeAsync(700);
    expect(commands.element.textContent).toContain('Unshare bar is waiting');
    slow.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(commands.element.textContent).toBe('');
  });

  it('is not sent twice while it waits', () => {
    commands.send(unshare);
    commands.send(unshare);
    expect(slow.sent).toHaveLength(1);
  });

  it('can be withdrawn, without a word of complaint', async () => {
    commands.send(unshare);
    await vi.advanceTimersByTimeAsync(700);
    commands.element.querySelector('button')?.click();
    await vi.advanceTimersByTimeAsync(0);
    expect(commands.element.childElementCount).toBe(0);
    expect(said).toEqual([]);
  });

  it('that the kernel refuses is said with its reason', async () => {
    commands.send(unshare);
    slow.refuse(new Error('bar is not shared.'));
    await vi.advanceTimersByTimeAsync(0);
    expect(said).toEqual(['Unshare bar: bar is not shared.']);
    expect(commands.element.textContent).toContain('bar is not shared.');
  });
});

describe('an absence', () => {
  it('offers to load the extension where the host can insert a cell', () => {
    const cells: [string, boolean][] = [];
    const insertCell = (code: string, run: boolean): void => {
      cells.push([code, run]);
    };
    const copy = (): void => undefined;
    const page = absencePage({ kind: 'not-loaded' }, { copy, host: { insertCell } });
    page.querySelectorAll<HTMLElement>('.push').forEach(button => button.click());
    expect(cells).toEqual([
      ['%load_ext duck_jupyter', true],
      ['%load_ext duck_jupyter', false]
    ]);
  });

  it('names a language as text, whatever it is called', () => {
    const copy = (): void => undefined;
    const language = '<img src=x onerror=alert(1)>';
    const page = absencePage({ kind: 'language', language }, { copy, host: {} });
    expect(page.querySelector('img')).toBeNull();
    expect(page.textContent).toContain(language);
  });
});

describe('the band', () => {
  it('says since when there is no news, and goes when there is some', () => {
    const band = new Band();
    band.say('silent', 6);
    expect(band.element.textContent?.replace('\u00a0', ' ')).toMatch(
      /^Last update 6 s ago/
    );
    band.say('live', 0);
    expect(band.element.hidden).toBe(true);
  });
});
