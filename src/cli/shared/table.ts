import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';

/** Below this a column says nothing any more. */
const MIN_COLUMN = 8;

/**
 * Plain columns: a header, then a line for each row, which `grep` and `awk` can read.
 *
 * @param width of the terminal; the widest columns are cut to fit into it. Without one nothing is cut
 */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[], width?: number): string[] {
  const all = [head.map((name) => name.toUpperCase()), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => lengthOf(row[column] ?? ''))));
  if (width !== undefined) shrink(widths, width);
  return all.map((row) =>
    row
      .map((cell, column) => cut(cell, widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function shrink(widths: number[], width: number): void {
  const total = () => widths.reduce((sum, column) => sum + column, GAP.length * (widths.length - 1));
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= MIN_COLUMN) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function cut(cell: string, width: number): string {
  const length = lengthOf(cell);
  if (length <= width) return cell + ' '.repeat(width - length);
  return `${stripVTControlCharacters(cell).slice(0, width - 1)}…`;
}

function lengthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
