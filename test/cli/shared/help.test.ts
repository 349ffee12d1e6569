import { expect, it } from 'vitest';
import { fillParagraphs } from '../../../src/cli/shared/help.js';

it('fillParagraphs wraps a paragraph at the width', () => {
  expect(fillParagraphs('one two\nthree four', 13)).toBe('one two three\nfour');
});

it('fillParagraphs keeps indented lines, blank lines and lines before an example', () => {
  const text = 'Examples:\n  $ a very long command that stays on one line\n\nEnd';
  expect(fillParagraphs(text, 12)).toBe(text);
});

it('fillParagraphs keeps a word that is longer than the width', () => {
  expect(fillParagraphs('https://example.com/long a', 5)).toBe('https://example.com/long\na');
});
