import { expect, it } from 'vitest';
import { asTyped } from '../../../src/cli/shared/program.js';

it('asTyped puts npx before each command when npx started the program', () => {
  expect(asTyped('Start it: temporal-incode complete <id>', true)).toBe('Start it: npx temporal-incode complete <id>');
});

it('asTyped puts npx before the program in the first line of its help', () => {
  expect(asTyped('Usage: temporal-incode [options]', true)).toBe('Usage: npx temporal-incode [options]');
});

it.each([
  'npx temporal-incode status',
  'the file node_modules/temporal-incode lib',
  'the package temporal-incode.',
  'by @temporal-incode-x status',
])('asTyped leaves "%s" unchanged', (text) => {
  expect(asTyped(text, true)).toBe(text);
});

it('asTyped changes nothing for a program on PATH', () => {
  expect(asTyped('temporal-incode status', false)).toBe('temporal-incode status');
});
