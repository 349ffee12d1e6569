import { expect, it } from 'vitest';
import { asTyped, quoted } from '../../../src/cli/shared/program.js';

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

it.each([
  ['5f3a9c0be7d1426f8a90c3d2', '5f3a9c0be7d1426f8a90c3d2'],
  ['a;b', "'a;b'"],
  ["it's", `'it'\\''s'`],
])('quoted prints %s so that a shell reads it as one argument', (arg, printed) => {
  expect(quoted(arg)).toBe(printed);
});
