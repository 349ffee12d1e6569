import { realpath } from 'node:fs/promises';
import { stringify } from 'csv-stringify/sync';
import type { BatchItem } from '../../client/index.js';
import { CliError } from '../shared/exit.js';
import { json, writeOut } from '../shared/output.js';
import type { Format } from './list-rows.js';
import { type OutputFile, openOutputFile } from './output-file.js';

/** Destination of the results, which is written completely or not at all. */
export interface Results {
  add(item: BatchItem): Promise<void>;
  /** Creates or replaces the file. */
  finish(): Promise<void>;
  /** Keeps an existing file. Does nothing after `finish`. */
  discard(): Promise<void>;
}

export const NO_RESULTS: Results = {
  add: async () => undefined,
  finish: async () => undefined,
  discard: async () => undefined,
};

export interface ResultsOptions {
  /** `-` for stdout */
  out: string;
  format: Format;
  /** The list, which must not be replaced. */
  input: string;
  /** Writes CSV cells unchanged, even if a spreadsheet would run them as formulas. */
  raw: boolean;
}

/** @throws CliError */
export async function openResults({ out, format, input, raw }: ResultsOptions): Promise<Results> {
  const toText = format === 'csv' ? csv(raw) : (items: BatchItem[]) => items.map(ndjson).join('');
  if (out === '-') {
    const nothing = async () => undefined;
    return buffered(toText, { append: writeOut, commit: nothing, discard: nothing });
  }
  if (input !== '-' && (await isSame(out, input))) throw new CliError('--out is the input file; choose another file');
  return buffered(toText, await openOutputFile(out));
}

/** Rows per write. */
const BUFFERED = 1_000;

function buffered(toText: (items: BatchItem[]) => string, file: OutputFile): Results {
  let items: BatchItem[] = [];
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

/** The columns in order, each with its value. */
export const COLUMNS: Record<string, (item: BatchItem) => string | null | undefined> = {
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
function csv(raw: boolean): (items: BatchItem[]) => string {
  let header = [Object.keys(COLUMNS)];
  return (items) => {
    const rows = items.map((item) => Object.values(COLUMNS).map((valueIn) => valueIn(item) ?? ''));
    const text = stringify([...header, ...rows], { escape_formulas: !raw });
    header = [];
    return text;
  };
}

function ndjson({ index: _, ...item }: BatchItem): string {
  return `${json(item)}\n`;
}

async function isSame(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => realpath(path).catch(() => undefined)));
  return one !== undefined && one === other;
}
