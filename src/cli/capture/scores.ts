import { createReadStream } from 'node:fs';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'csv-stringify/sync';
import type { CaptureItem } from '../../client/index.js';
import { readIncodeConfig } from '../../config/index.js';
import { withExecutiveToken } from '../../incode/executive.js';
import { createCaptureClient, createIncodeClient, IncodeError } from '../../incode/index.js';
import { executiveToken } from '../../worker/executive.js';
import { openOutputFile } from '../batch/output-file.js';
import { CliError, configured } from '../shared/exit.js';
import { json, printNotice } from '../shared/output.js';

/** A file with Incode's verbose score of each person, which is written completely or not at all. */
export interface Scores {
  /** Reads the score of a person whose session was completed. */
  add(item: CaptureItem): Promise<void>;
  finish(): Promise<void>;
  /** Keeps an existing file. Does nothing after `finish`. */
  discard(): Promise<void>;
}

interface ScoreRow {
  reference: string;
  interviewId: string;
  /** Why the score could not be read. */
  problem?: string;
  score?: Record<string, string>;
}

/** Reads at the same time. Incode's limit for reads is far above that. */
const AT_A_TIME = 8;

/**
 * @param raw writes cells unchanged, even if a spreadsheet would run them as formulas
 * @throws CliError if this machine has no executive token, or the file cannot be written
 */
export async function openScores(out: string, raw: boolean, signal: AbortSignal): Promise<Scores> {
  const incode = openIncode(signal);
  // The columns are known at the end only, so the scores wait in a file of their own.
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-scores-'));
  const waiting = join(directory, 'scores.ndjson');
  const columns = new Set<string>();
  let items: CaptureItem[] = [];
  let problems = 0;

  async function flush(): Promise<void> {
    const rows = await Promise.all(items.map((item) => incode.scoreOf(item)));
    items = [];
    for (const { score = {}, problem } of rows) {
      for (const name of Object.keys(score)) columns.add(name);
      if (problem !== undefined) problems += 1;
    }
    await appendFile(waiting, rows.map((row) => `${JSON.stringify(row)}\n`).join(''), { mode: 0o600 });
  }

  async function close(): Promise<void> {
    await rm(directory, { recursive: true, force: true });
    await incode.close();
  }

  const file = await openOutputFile(out, '--scores').catch(async (error) => {
    await close();
    throw error;
  });
  return {
    async add(item) {
      if (item.interviewId === undefined || item.interviewId === null) return;
      items.push(item);
      if (items.length === AT_A_TIME) await flush();
    },
    async finish() {
      await flush();
      const text = /\.(ndjson|jsonl)$/i.test(out) ? ndjson : csv(raw, [...columns]);
      await file.append(text());
      for await (const line of createInterface(createReadStream(waiting))) await file.append(text(JSON.parse(line)));
      await file.commit();
      if (problems > 0) printNotice(`${problems} scores could not be read: see the column problem in ${out}`);
    },
    async discard() {
      await file.discard();
      await close();
    },
  };
}

/** Reads scores by id with the executive token, which belongs to no session. */
function openIncode(signal: AbortSignal) {
  const config = configured(() => readIncodeConfig());
  const logIn = createIncodeClient(config);
  const executive = executiveToken(config, logIn);
  const client = createCaptureClient(config);
  const close = async () => {
    await Promise.all([client.close(), logIn.close()]);
  };
  if (!executive) {
    void close();
    throw new CliError(
      '--scores reads from Incode with an executive token: set INCODE_EXECUTIVE_TOKEN_FILE, or INCODE_EXECUTIVE_EMAIL and INCODE_EXECUTIVE_PASSWORD_FILE',
    );
  }
  return {
    close,
    async scoreOf({ reference, interviewId }: CaptureItem): Promise<ScoreRow> {
      const row = { reference, interviewId: String(interviewId) };
      const read = (executiveToken: string) =>
        client.verboseScore({ interviewId: row.interviewId, executiveToken }, { signal });
      try {
        return { ...row, score: await retried(() => withExecutiveToken(executive, signal, read)) };
      } catch (error) {
        if (!(error instanceof IncodeError)) throw error;
        return { ...row, problem: error.message };
      }
    },
  };
}

const MAX_ATTEMPTS = 4;
const PAUSE_MS = 1_000;

async function retried<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      const isPassing =
        error instanceof IncodeError && ['notTaken', 'resultUnknown', 'maybeRunning'].includes(error.kind);
      if (!isPassing || attempt === MAX_ATTEMPTS) throw error;
      await sleep(error.retryAfterMs ?? PAUSE_MS * attempt);
    }
  }
}

function ndjson(row?: ScoreRow): string {
  return row ? `${json(row)}\n` : '';
}

/** @returns a function that writes the header if it gets no row */
function csv(raw: boolean, columns: string[]): (row?: ScoreRow) => string {
  const cells = (row?: ScoreRow) =>
    row
      ? [row.reference, row.interviewId, row.problem ?? '', ...columns.map((name) => row.score?.[name] ?? '')]
      : ['reference', 'interviewId', 'problem', ...columns];
  return (row) => stringify([cells(row)], { escape_formulas: !raw });
}
