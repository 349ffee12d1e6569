import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import type { BatchItem } from '../../client/index.js';
import { CliError } from '../shared/exit.js';
import { writeOut } from '../shared/output.js';
import type { Format } from './rows.js';

/** Where results go: whole, or not at all. */
export interface Results {
  add(item: BatchItem): Promise<void>;
  /** Only now the file is there, in place of one that was there before. */
  finish(): Promise<void>;
  /** Leaves what was there before. Does nothing after `finish`. */
  discard(): Promise<void>;
}

export const NO_RESULTS: Results = {
  add: async () => undefined,
  finish: async () => undefined,
  discard: async () => undefined,
};

/** @param out `-` for stdout */
export async function openResults(out: string, format: Format, input: string): Promise<Results> {
  if (out === '-')
    return buffered(
      format,
      writeOut,
      async () => undefined,
      async () => undefined,
    );
  if (input !== '-' && (await isSame(out, input)))
    throw new CliError('--out is the file that is read; name another one');
  const directory = dirname(out);
  // Beside it, because a rename is whole only within one file system.
  const temporary = join(directory, `.${basename(out)}.${randomBytes(6).toString('hex')}.tmp`);
  let file: FileHandle;
  try {
    file = await open(temporary, 'wx');
  } catch (error) {
    throw new CliError(`--out: cannot write to ${directory}: ${error instanceof Error ? error.message : error}`);
  }
  let isOver = false;
  return buffered(
    format,
    (text) => file.appendFile(text),
    async () => {
      await file.sync();
      await file.close();
      await rename(temporary, out);
      isOver = true;
      await syncDirectory(directory);
    },
    async () => {
      if (isOver) return;
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
    },
  );
}

/** Rows that are written at once. */
const BUFFERED = 1_000;

function buffered(
  format: Format,
  write: (text: string) => Promise<void>,
  finish: () => Promise<void>,
  discard: () => Promise<void>,
): Results {
  let items: BatchItem[] = [];
  let isFirst = true;
  const flush = async () => {
    const text = format === 'csv' ? csv(items, isFirst) : items.map(ndjson).join('');
    items = [];
    isFirst = false;
    if (text !== '') await write(text);
  };
  return {
    async add(item) {
      items.push(item);
      if (items.length >= BUFFERED) await flush();
    },
    async finish() {
      await flush();
      await finish();
    },
    discard,
  };
}

/** The columns, in their order, and what stands in them. */
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

function csv(items: BatchItem[], withHeader: boolean): string {
  const rows = items.map((item) => Object.values(COLUMNS).map((valueIn) => valueIn(item) ?? ''));
  return stringify(withHeader ? [Object.keys(COLUMNS), ...rows] : rows);
}

function ndjson({ index: _, ...item }: BatchItem): string {
  return `${JSON.stringify(item)}\n`;
}

async function isSame(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => realpath(path).catch(() => undefined)));
  return one !== undefined && one === other;
}

/** The new name outlives a power failure too. Windows has nothing like it. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
