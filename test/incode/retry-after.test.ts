import { describe, expect, it } from 'vitest';
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from '../../src/incode/retry-after.js';

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['599', 599_000],
    ['600', MAX_RETRY_AFTER_MS],
    ['86400', MAX_RETRY_AFTER_MS],
    ['Thu, 01 Jan 2026 00:00:09 GMT', 9_000],
    ['Thu, 01 Jan 2026 23:00:00 GMT', MAX_RETRY_AFTER_MS],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['Thursday, 01-Jan-26 00:00:09 GMT', 9_000],
  ])('reads "%s" as %i ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });

  it.each([
    undefined,
    '',
    '-5',
    '1.5',
    'soon',
    '7s',
    '2026-01-01T00:00:09Z',
    'Thu, 99 Foo 2026',
    'Thu Jan  1 00:00:09 2026',
    'on Thu, 01 Jan 2026 00:00:09 GMT',
  ])('refuses "%s"', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });
});
