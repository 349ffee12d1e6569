import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureItem } from '../../client/index.js';
import { readIncodeConfig } from '../../config/index.js';
import { withExecutiveToken } from '../../incode/executive.js';
import { createCaptureClient, createIncodeClient, IncodeError } from '../../incode/index.js';
import { executiveToken } from '../../worker/executive.js';
import { isNdjsonName } from '../batch/list-rows.js';
import { openOutputFile } from '../batch/output-file.js';
import { formatCount } from '../batch/progress-bar.js';
import { type Columns, openResults, refuseInputFile } from '../batch/results.js';
import { CliError, configured, EXIT } from '../shared/exit.js';
import { printNotice } from '../shared/output.js';

/** A file with Incode's verbose score of each person, which is written completely or not at all. */
export interface Scores {
  /** Reads the score of a person who has a session. */
  add(item: CaptureItem): Promise<void>;
  finish(): Promise<void>;
  /** Ends without the file, or after `finish`. An existing file is kept. */
  discard(): Promise<void>;
}

const OPTION = '--scores';

interface ScoreRow {
  /** Position in the list. */
  index: number;
  reference: string;
  interviewId: string;
  /** Why the score could not be read. */
  problem?: string;
  score?: Record<string, string>;
}

/** Reads at the same time. Incode's limit for reads is far above that. */
const AT_A_TIME = 8;

interface ScoresOptions {
  /** File for the scores. */
  out: string;
  /** The manifest, which must not be replaced. */
  input: string;
  /** File for the results, if there is one. */
  results?: string | undefined;
  /** Writes CSV cells unchanged, even if a spreadsheet would run them as formulas. */
  raw: boolean;
  signal: AbortSignal;
}

/** @throws CliError if this machine has no executive token, or the file cannot be written */
export async function openScores({ out, input, results, raw, signal }: ScoresOptions): Promise<Scores> {
  if (out === '-') throw new CliError(`${OPTION} needs the name of a file`);
  if (results !== undefined && resolve(results) === resolve(out))
    throw new CliError(`${OPTION} and --out are the same file`);
  await refuseInputFile(out, input, OPTION);
  const incode = openIncode(signal);
  // The columns are known only at the end. Until then the scores are in a draft.
  const draft = await openOutputFile(out, OPTION).catch(async (error) => {
    await incode.close();
    throw error;
  });
  const names = new Set<string>();
  let items: CaptureItem[] = [];
  let problems = 0;

  async function flush(): Promise<void> {
    const rows = await Promise.all(items.map((item) => incode.scoreOf(item)));
    items = [];
    for (const { score = {}, problem } of rows) {
      for (const name of Object.keys(score)) names.add(name);
      if (problem !== undefined) problems += 1;
    }
    await draft.append(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  async function write(): Promise<void> {
    const format = isNdjsonName(out) ? 'ndjson' : 'csv';
    const file = await openResults<ScoreRow>({ out, format, input, raw, columns: columnsOf(names), option: OPTION });
    try {
      for await (const line of createInterface(createReadStream(draft.path))) await file.add(JSON.parse(line));
      await file.finish();
    } finally {
      await file.discard();
    }
  }

  return {
    async add(item) {
      if (item.interviewId === undefined) return;
      items.push(item);
      if (items.length === AT_A_TIME) await flush();
    },
    async finish() {
      await flush();
      await write();
      if (problems === 0) return;
      process.exitCode = EXIT.someFailed;
      const scores = problems === 1 ? '1 score' : `${formatCount(problems)} scores`;
      printNotice(`${scores} could not be read: the column problem in ${out} says why. Run the command again.`);
    },
    async discard() {
      await Promise.all([draft.discard(), incode.close()]);
    },
  };
}

function columnsOf(names: Iterable<string>): Columns<ScoreRow> {
  const parts = [...names].map((name): [string, Columns<ScoreRow>[string]] => [name, ({ score }) => score?.[name]]);
  // Other than an assignment, this takes `__proto__` as any other name.
  const columns = Object.fromEntries(parts);
  return {
    reference: ({ reference }) => reference,
    interviewId: ({ interviewId }) => interviewId,
    problem: ({ problem }) => problem,
    ...columns,
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
      `${OPTION} reads from Incode with an executive token: set INCODE_EXECUTIVE_TOKEN_FILE, or INCODE_EXECUTIVE_EMAIL and INCODE_EXECUTIVE_PASSWORD_FILE`,
    );
  }
  return {
    close,
    async scoreOf({ index, reference, interviewId }: CaptureItem): Promise<ScoreRow> {
      const row = { index, reference, interviewId: String(interviewId) };
      const read = (executiveToken: string) =>
        client.verboseScore({ interviewId: row.interviewId, executiveToken }, { signal });
      try {
        return { ...row, score: await retried(() => withExecutiveToken(executive, signal, read), signal) };
      } catch (error) {
        if (!(error instanceof IncodeError) || signal.aborted) throw error;
        return { ...row, problem: error.message };
      }
    },
  };
}

const MAX_ATTEMPTS = 4;
const PAUSE_MS = 1_000;
/** Incode may ask for a pause of hours. Then the score counts as not read. */
const MAX_PAUSE_MS = 60_000;

async function retried<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      const isPassing =
        error instanceof IncodeError && ['notTaken', 'resultUnknown', 'maybeRunning'].includes(error.kind);
      const pause = (error as Partial<IncodeError>).retryAfterMs ?? PAUSE_MS * attempt;
      if (!isPassing || attempt === MAX_ATTEMPTS || pause > MAX_PAUSE_MS) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}
