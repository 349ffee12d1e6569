import { describe, expect, it } from 'vitest';
import { clock, count, dateTime, duration, relativeTime } from '../../src/console/format.js';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const after = (ms: number) => new Date(NOW + ms).toISOString();

describe('format', () => {
  it.each([
    [0, 'now'],
    [-12_000, '12 seconds ago'],
    [-180_000, '3 minutes ago'],
    [86_400_000 * 29.9, 'in 30 days'],
    [3_600_000, 'in 1 hour'],
  ])('says of a moment %d ms from now: %s', (ms, text) => {
    expect(relativeTime(after(ms), NOW)).toBe(text);
  });

  it.each([
    [-5, '0.0 s'],
    [4_240, '4.2 s'],
    [42_000, '42 s'],
    [60_000, '1 min'],
    [200_000, '3 min 20 s'],
    [7_260_000, '2 h 1 min'],
    [183_600_000, '2 d 3 h'],
  ])('writes a duration of %d ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('writes dates and times of the clock of the reader', () => {
    const date = new Date(2026, 0, 2, 3, 4, 5);
    expect(dateTime(date)).toBe('2026-01-02 03:04:05');
    expect([clock(date), clock(date, false)]).toEqual(['03:04:05', '03:04']);
  });

  it('groups digits', () => {
    expect(count(1_234_567)).toBe('1,234,567');
  });
});
