import { pipeline, type Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { counted } from '../../contract/counted.js';
import { CliError, inputProblem } from '../shared/exit.js';
import type { Source } from './source.js';

export type Format = 'csv' | 'ndjson';

/** The rows of a kind of list. */
export interface Shape<T> {
  /** @returns the field that a column's name means, or `undefined` if the column is ignored */
  fieldOf(name: string): string | undefined;
  /** A first line without this field is not a header. */
  required: string;
  /** @throws InvalidInputError */
  check(fields: Record<string, unknown>): T;
}

/** A row of a list: its value, or why it is invalid. */
export type ListRow<T> = { line: number } & ({ value: T; problem?: never } | { value?: never; problem: string });

export function isNdjsonName(name: string): boolean {
  return /\.(ndjson|jsonl)$/i.test(name);
}

/** Determines the format by the file's name, or else by its first character. */
export async function formatOf(source: Source): Promise<Format> {
  if (isNdjsonName(source.name)) return 'ndjson';
  if (/\.(csv|tsv)$/i.test(source.name)) return 'csv';
  return (await source.peek()).trimStart().startsWith('{') ? 'ndjson' : 'csv';
}

/**
 * @param onIgnored called with the names of ignored columns or fields, before the first row that has them
 * @throws CliError if the list cannot be read at all
 */
export function readList<T>(
  source: Source,
  format: Format,
  shape: Shape<T>,
  onIgnored: (names: string[]) => void,
): AsyncGenerator<ListRow<T>> {
  return format === 'csv' ? csvRows(source, shape, onIgnored) : ndjsonRows(source, shape, onIgnored);
}

/** Tells the user which columns or fields are ignored. */
export function ignoredNotice(names: string[]): string {
  return `Ignored: ${names.map((name) => JSON.stringify(name)).join(', ')}`;
}

/** Names ignore case, spaces, `_` and `-`, so that `Interview ID`, `interview_id` and `interviewId` are equal. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** Far longer than any row. Without a limit, an unclosed quote would turn the whole file into one row. */
const MAX_ROW = 65_536;

async function* csvRows<T>(
  source: Source,
  shape: Shape<T>,
  onIgnored: (names: string[]) => void,
): AsyncGenerator<ListRow<T>> {
  // The parser counts a CRLF within quotes as two lines.
  let tooMany = 0;
  /** First lines of the parsed rows that are not yet consumed below. The parser reports only last lines. */
  const begins: number[] = [];
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(await source.peek(), shape),
    // Explicit, because the parser would expect the first row's line break everywhere, and merged lists mix them.
    record_delimiter: ['\r\n', '\n', '\r'],
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MAX_ROW,
    on_record: (values: string[], { lines }) => {
      const breaks = values.join().match(/\r\n?|\n/g) ?? [];
      tooMany += breaks.filter((lineBreak) => lineBreak === '\r\n').length;
      begins.push(lines - tooMany - breaks.length);
      return values;
    },
  });
  // A read error reaches the loop below through the parser.
  pipeline(source.read(), parser, () => undefined);
  let fields: (string | undefined)[] | undefined;
  try {
    for await (const values of parser as AsyncIterable<string[]>) {
      const line = Number(begins.shift());
      if (fields) yield csvRow(values, line, fields, shape);
      else fields = headerFields(values, source.name, shape, onIgnored);
    }
  } catch (error) {
    throw error instanceof CsvError ? csvProblem(error, tooMany) : error;
  }
  if (!fields) throw new CliError(`${source.name} is empty: it has no header`);
}

/** Chooses the delimiter that yields most known columns. European spreadsheets use semicolons. */
function delimiterOf(beginning: string, { fieldOf }: Shape<unknown>): string {
  // Quoted names may contain line breaks.
  const [header] = /^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(beginning.replace(/^[\r\n]+/, '')) as RegExpExecArray;
  const choices = [',', ';', '\t'].map((delimiter) => {
    const names = header.split(delimiter);
    const known = names.filter((name) => fieldOf(name.replaceAll('"', ''))).length;
    return { delimiter, known, count: names.length };
  });
  return choices.reduce((best, next) => ((next.known - best.known || next.count - best.count) > 0 ? next : best))
    .delimiter;
}

/** @throws CliError */
function headerFields(
  header: string[],
  name: string,
  { fieldOf, required }: Shape<unknown>,
  onIgnored: (names: string[]) => void,
) {
  const fields = header.map(fieldOf);
  if (!fields.includes(required)) {
    // Does not quote the line: without a header, it contains a session and its token.
    const columns = counted(header.length, 'column');
    throw new CliError(`${name}: the header (first line) has ${columns}, but no ${required}`);
  }
  const twice = fields.find((field, at) => field && fields.indexOf(field) !== at);
  if (twice) throw new CliError(`${name}: the header has two columns for ${twice}`);
  const ignored = header.filter((_, at) => !fields[at]);
  if (ignored.length > 0) onIgnored(ignored);
  return fields;
}

function csvRow<T>(values: string[], line: number, fields: (string | undefined)[], shape: Shape<T>): ListRow<T> {
  if (values.length !== fields.length) {
    return {
      line,
      problem: `has ${counted(values.length, 'value')}, the header has ${counted(fields.length, 'column')}`,
    };
  }
  const found: Record<string, unknown> = {};
  for (const [at, field] of fields.entries()) {
    // An empty cell counts as missing.
    if (field && values[at] !== '') found[field] = values[at];
  }
  return checked(found, line, shape);
}

/**
 * Reading ends here, because after a misplaced quote it is unknown where rows end. The parser's message is not shown, because it
 * quotes the input, which may be part of a token.
 */
function csvProblem({ code, lines }: CsvError, tooMany: number): CliError {
  const why = Object.hasOwn(CSV_PROBLEMS, code) ? CSV_PROBLEMS[code] : `cannot be read as CSV (${code})`;
  return new CliError(
    `Line ${Number(lines) - tooMany}: ${why}. The following rows cannot be separated, so nothing was started.`,
  );
}

const IN_THE_MIDDLE = 'has a quote in the middle of a value; enclose the value in quotes and double the quotes in it';

const CSV_PROBLEMS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'has a quote that is not closed',
  CSV_INVALID_CLOSING_QUOTE: IN_THE_MIDDLE,
  INVALID_OPENING_QUOTE: IN_THE_MIDDLE,
  CSV_MAX_RECORD_SIZE: `the row is longer than ${MAX_ROW} characters; is a quote not closed?`,
};

async function* ndjsonRows<T>(
  source: Source,
  shape: Shape<T>,
  onIgnored: (names: string[]) => void,
): AsyncGenerator<ListRow<T>> {
  const ignored = new Set<string>();
  let line = 0;
  for await (const text of linesOf(source.read())) {
    line += 1;
    const json = (line === 1 ? text.replace(/^\uFEFF/, '') : text).trim();
    if (json !== '') yield ndjsonRow(json, line, shape, ignored, onIgnored);
  }
}

/** Not `node:readline`, which since Node 24 also ends lines at U+2028, a valid character in a JSON string. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const text of input.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + text).split('\n');
    rest = String(lines.pop());
    yield* lines;
  }
  yield rest;
}

/** Each ignored field name is reported once. Limited, because a list may use ids as names. */
const MAX_IGNORED = 50;

function ndjsonRow<T>(
  json: string,
  line: number,
  shape: Shape<T>,
  ignored: Set<string>,
  onIgnored: (names: string[]) => void,
): ListRow<T> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The parser's message is not shown, because it quotes the input, which may be part of a token.
    return { line, problem: 'is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { line, problem: 'is not a JSON object' };
  const found: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) {
    const field = shape.fieldOf(name);
    if (!field) {
      if (ignored.has(name) || ignored.size >= MAX_IGNORED) continue;
      ignored.add(name);
      onIgnored([name]);
    } else if (Object.hasOwn(found, field)) return { line, problem: `has ${field} twice` };
    else found[field] = part;
  }
  return checked(found, line, shape);
}

function checked<T>(found: Record<string, unknown>, line: number, { check }: Shape<T>): ListRow<T> {
  try {
    return { line, value: check(found) };
  } catch (error) {
    return { line, problem: inputProblem(error) };
  }
}
