import { describe, expect, it } from 'vitest';
import { Bar, fillZone } from '../../src/view/bar';
import { textOf } from './support';

describe('the zones of a buffer', () => {
  it.each([
    [0, 'calm'],
    [69.9, 'calm'],
    [70, 'near'],
    [100, 'near'],
    [100.1, 'over'],
    [190, 'over']
  ])('%d percent of it is %s', (value, zone) => {
    expect(fillZone(value, false)).toBe(zone);
  });

  it('are those of an error only where something was refused', () => {
    expect(fillZone(3, true)).toBe('refused');
  });
});

describe('a bar', () => {
  const set = (value: number, peak: number | null, saysOf = false): HTMLElement => {
    const bar = new Bar('Buffer fill');
    const isPast = (peak ?? 0) > 100;
    const zone = fillZone(value, false);
    bar.set({ value, peak, zone, isPast, of: '64 KB', saysOf });
    return bar.element;
  };

  it('has its number beside it, and says all of it to who cannot see it', () => {
    const bar = set(12, 64);
    expect(textOf(bar, '.val')).toBe('12 %');
    expect(bar.getAttribute('role')).toBe('meter');
    expect(bar.getAttribute('aria-valuenow')).toBe('12');
    expect(bar.getAttribute('aria-valuetext')?.replaceAll('\u00a0', ' ')).toBe(
      '12 %, peak 64 % of 64 KB'
    );
  });

  it('marks the peak, at the end where it went past it', () => {
    const peak = (of: HTMLElement) => of.querySelector<HTMLElement>('.peak');
    expect(peak(set(12, 64))?.style.getPropertyValue('--p')).toBe('64.0');
    expect(peak(set(12, 64))?.className).toBe('peak');
    expect(peak(set(84, 190))?.className).toBe('peak past');
    expect(peak(set(84, null))?.hidden).toBe(true);
  });

  it('is full past the end, and says how many times', () => {
    const bar = set(190, 240);
    expect(bar.dataset['z']).toBe('over');
    const fill = bar.querySelector<HTMLElement>('.fill');
    expect(fill?.style.getPropertyValue('--v')).toBe('100.0');
    expect(bar.getAttribute('aria-valuenow')).toBe('100');
    expect(textOf(bar, '.val')).toBe('1.9×');
  });

  it('says how large the buffer is where that differs', () => {
    expect(set(1, 1, true).querySelector<HTMLElement>('.of')?.hidden).toBe(false);
    expect(textOf(set(1, 1, true), '.of')).toBe('of 64 KB');
    expect(set(1, 1).querySelector<HTMLElement>('.of')?.hidden).toBe(true);
  });
});
