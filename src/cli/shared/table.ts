import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';

/** A narrower column is unreadable. */
const MIN_COLUMN = 8;

/**
 * Plain columns for people, `grep` and `awk`: a header, then one line per row.
 *
 * @param width of the terminal, to which the widest columns are cut; `undefined` cuts nothing
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
