import { describe, expect, it } from 'vitest';
import { tableLines } from '../../../src/cli/shared/table.js';

const HEAD = ['session', 'status'];

describe('tableLines', () => {
  it('aligns plain columns under a header', () => {
    expect(
      tableLines(HEAD, [
        ['a', 'running'],
        ['abcdefghij', 'completed'],
      ]),
    ).toEqual(['SESSION     STATUS', 'a           running', 'abcdefghij  completed']);
  });

  it('measures a colored cell without its colors', () => {
    const [, row] = tableLines(HEAD, [['\u001b[32mab\u001b[39m', 'x']]);
    expect(row).toBe('\u001b[32mab\u001b[39m       x');
  });

  it('cuts the widest column to the width of the terminal', () => {
    const lines = tableLines(HEAD, [['a'.repeat(50), 'running']], 30);
    expect(lines.map((line) => line.length)).toEqual([29, 30]);
    expect(lines[1]).toBe(`${'a'.repeat(20)}…  running`);
  });

  it('cuts nothing without a width', () => {
    expect(tableLines(HEAD, [['a'.repeat(300), 'x']])[1]).toBe(`${'a'.repeat(300)}  x`);
  });

  it('keeps eight characters of each column in a terminal that is too narrow', () => {
    const lines = tableLines(['first', 'second'], [['a'.repeat(20), 'b'.repeat(20)]], 5);
    expect(lines[1]).toBe(`${'a'.repeat(7)}…  ${'b'.repeat(7)}…`);
  });
});
