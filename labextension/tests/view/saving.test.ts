import { afterEach, describe, expect, it, vi } from 'vitest';
import { asText, saveAs } from '../../src/view/saving';
import { golden } from './support';

describe('a session as a file', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it('is the whole of it as JSON, with the time in its name', async () => {
    let blob: Blob | undefined;
    let name = '';
    const revoked: string[] = [];
    vi.stubGlobal(
      'URL',
      Object.assign(URL, {
        createObjectURL: (given: Blob) => {
          blob = given;
          return 'blob:it';
        },
        revokeObjectURL: (url: string) => revoked.push(url)
      })
    );
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement
    ) {
      name = this.download;
    });
    saveAs(golden);
    const text = await new Promise(resolve => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsText(blob as Blob);
    });
    expect(JSON.parse(String(text))).toEqual(golden);
    expect(name).toBe('duck-2026-09-21T141320.json');
    expect(revoked).toEqual(['blob:it']);
  });
});

describe('a session as text', () => {
  const lines = asText(golden).replaceAll('\u00a0', ' ').split('\n');

  it('has a line for each object and each worker, below their headers', () => {
    expect(lines[0]).toMatch(/^Object +Type +Mode +Calls +Buffer +Last error$/);
    expect(lines.slice(1, 6).map(line => line.split(' ')[0])).toEqual(
      golden.objects.map(({ path }) => path)
    );
    expect(lines[6]).toBe('');
    expect(lines[7]).toMatch(/^pid +Worker +Calls +Memory +Way$/);
    expect(lines).toHaveLength(8 + golden.workers.length);
  });

  it('has its columns one below the other', () => {
    const at = lines[0]?.indexOf('Type') ?? -1;
    expect(lines[1]?.slice(at)).toMatch(/^DataFrame /);
    expect(lines[4]?.slice(at)).toMatch(/^Node /);
  });

  it('says what is not known, and what went wrong', () => {
    expect(lines[2]).toMatch(/KeyError: 'lost'$/);
    expect(lines.at(-2)).toMatch(/–$/);
    expect(lines.at(-1)).toMatch(/^71 .* relay$/);
  });
});
