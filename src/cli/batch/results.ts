import { realpath } from 'node:fs/promises';
import { stringify } from 'csv-stringify/sync';
import type { BatchItem } from '../../client/index.js';
import { CliError } from '../shared/exit.js';
import { json, writeOut } from '../shared/output.js';
import type { Format } from './list-rows.js';
import { type OutputFile, openOutputFile } from './output-file.js';

/** Destination of the results, which is written completely or not at all. */
export interface Results<Item> {
  add(item: Item): Promise<void>;
  /** Creates or replaces the file. */
  finish(): Promise<void>;
  /** Keeps an existing file. Does nothing after `finish`. */
  discard(): Promise<void>;
}

export const NO_RESULTS: Results<unknown> = {
  add: async () => undefined,
  finish: async () => undefined,
  discard: async () => undefined,
};

/** The columns in order, each with its value. */
export type Columns<Item> = Record<string, (item: Item) => string | null | undefined>;

export interface ResultsOptions<Item> {
  /** `-` for stdout */
  out: string;
  format: Format;
  /** The list, which must not be replaced. */
  input: string;
  /** Writes CSV cells unchanged, even if a spreadsheet would run them as formulas. */
  raw: boolean;
  columns: Columns<Item>;
  /** The option that names the file, for messages. @default "--out" */
  option?: string;
  /** The file gets mode 600 even if it exists with another mode. @default false */
  isPrivate?: boolean;
}

/** @throws CliError */
export async function openResults<Item extends { index: number }>(
  options: ResultsOptions<Item>,
): Promise<Results<Item>> {
  const { out, format, input, raw, columns, option = '--out', isPrivate = false } = options;
  const toText = format === 'csv' ? csv(raw, columns) : (items: Item[]) => items.map(ndjson).join('');
  if (out === '-') {
    const nothing = async () => undefined;
    return buffered(toText, { append: writeOut, commit: nothing, discard: nothing });
  }
  await refuseInputFile(out, input, option);
  return buffered(toText, await openOutputFile(out, option, { isPrivate }));
}

/** @throws CliError if the file for the output is the input */
export async function refuseInputFile(out: string, input: string, option: string): Promise<void> {
  if (input !== '-' && (await isSame(out, input))) {
    throw new CliError(`${option} is the input file; choose another file`);
  }
}

/** Rows per write. */
const BUFFERED = 1_000;

function buffered<Item>(toText: (items: Item[]) => string, file: Omit<OutputFile, 'path'>): Results<Item> {
  let items: Item[] = [];
  const flush = async () => {
    const text = toText(items);
    items = [];
    if (text !== '') await file.append(text);
  };
  return {
    async add(item) {
      items.push(item);
      if (items.length >= BUFFERED) await flush();
    },
    async finish() {
      await flush();
      await file.commit();
    },
    discard: () => file.discard(),
  };
}

/** The columns of a batch of sessions. */
export const COLUMNS: Columns<BatchItem> = {
  interviewId: ({ interviewId }) => interviewId,
  outcome: ({ outcome }) => outcome,
  action: ({ finish }) => finish?.action,
  redirectionUrl: ({ finish }) => finish?.redirectionUrl,
  confirmedBy: ({ finish }) => finish?.confirmedBy,
  scoreStatus: ({ score }) => score?.status,
  scoreValue: ({ score }) => score?.value,
  onboardingStatus: ({ onboardingStatus }) => onboardingStatus,
  failureType: ({ failure }) => failure?.type,
  failureMessage: ({ failure }) => failure?.message,
  notClosed: ({ notClosed }) => (notClosed ? 'true' : ''),
};

/** Escapes formulas, because cells contain text from Incode and from the list, which a spreadsheet would run. */
export function csv<Item>(raw: boolean, columns: Columns<Item>): (items: Item[]) => string {
  let header = [Object.keys(columns)];
  return (items) => {
    const rows = items.map((item) => Object.values(columns).map((valueIn) => valueIn(item) ?? ''));
    const text = stringify([...header, ...rows], { escape_formulas: !raw });
    header = [];
    return text;
  };
}

function ndjson<Item extends { index: number }>({ index: _, ...item }: Item): string {
  return `${json(item)}\n`;
}

async function isSame(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => realpath(path).catch(() => undefined)));
  return one !== undefined && one === other;
}
