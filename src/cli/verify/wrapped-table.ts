import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';

/** Columns of fixed widths with wrapped cells. A blank line separates the rows. */
export function wrappedTable(head: readonly string[], rows: readonly (readonly string[])[], widths: number[]): string {
  const header = inColumns(
    head.map((name) => name.toUpperCase()),
    widths,
  );
  return [header, ...rows.map((row) => inColumns(row, widths))].map((lines) => lines.join('\n')).join('\n\n');
}

function inColumns(cells: readonly string[], widths: number[]): string[] {
  const wrapped = cells.map((cell, column) => wrap(cell, widths[column] ?? 0));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines, column) => padded(lines[line] ?? '', widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** Wraps at spaces and breaks words that are longer than a line. */
function wrap(cell: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of cell.split(' ').flatMap((long) => broken(long, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (lengthOf(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function broken(word: string, width: number): string[] {
  return lengthOf(word) <= width ? [word] : (word.match(new RegExp(`.{1,${width}}`, 'g')) ?? []);
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(width - lengthOf(text));
}

/** Length without color codes. */
function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
