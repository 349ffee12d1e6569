import { expect, it } from 'vitest';
import { age, moment } from '../../../src/cli/shared/output.js';

const NOW = Date.parse('2026-01-10T00:00:00Z');

it.each([
  ['2026-01-10T00:00:00Z', '0s'],
  ['2026-01-09T23:59:01Z', '59s'],
  ['2026-01-09T23:59:00Z', '1m'],
  ['2026-01-09T22:30:00Z', '1h'],
  ['2026-01-01T00:00:00Z', '9d'],
  ['2026-01-11T00:00:00Z', '0s'],
])('age of %s is %s', (at, expected) => {
  expect(age(new Date(at), NOW)).toBe(expected);
});

it('moment prints a relative and an exact time', () => {
  expect(moment(new Date('2026-01-09T22:59:59.123Z'), NOW)).toBe('1h ago (2026-01-09T22:59:59Z)');
  expect(moment(new Date('2026-01-12T00:00:00Z'), NOW)).toBe('in 2d (2026-01-12T00:00:00Z)');
});
