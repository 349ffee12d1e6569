import { expect, it } from 'vitest';
import { excerpt } from '../../src/contract/excerpt.js';
import { checkOnboardingInput } from '../../src/contract/index.js';

it.each([
  ['a text of 60 characters', 'x'.repeat(60), 'x'.repeat(60)],
  ['a longer text', 'x'.repeat(61), `${'x'.repeat(60)}…`],
  ['control characters', 'a\u001b[31mb\n', 'a?[31mb?'],
])('excerpt quotes %s', (_, text, shown) => {
  expect(excerpt(text)).toBe(shown);
});

it('an unknown key of an input is quoted to 60 characters', () => {
  const input = { interviewId: 'i-1', ['k'.repeat(10_000)]: 1 };
  expect(() => checkOnboardingInput(input)).toThrow(/k{60}…/);
  expect(() => checkOnboardingInput(input)).not.toThrow(/k{61}/);
});
