import { createReadStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureItem } from '../../client/index.js';
import { readIncodeConfig } from '../../config/index.js';
import { counted, countedItems } from '../../contract/counted.js';
import { withExecutiveToken } from '../../incode/executive.js';
import { createCaptureClient, createIncodeClient, IncodeError } from '../../incode/index.js';
import { executiveToken } from '../../worker/executive.js';
import { isNdjsonName } from '../batch/list-rows.js';
import { openOutputFile } from '../batch/output-file.js';
import { type Columns, openResults, refuseInputFile } from '../batch/results.js';
import { CliError, configured, EXIT } from '../shared/exit.js';
import { printNotice } from '../shared/output.js';

/** A file with values of Incode about each person, which is written completely or not at all. */
export interface ValuesFile {
  /** Reads the values of a person who has a session. */
  add(item: CaptureItem): Promise<void>;
  finish(): Promise<void>;
  /** Ends without the file, or after `finish`. An existing file is kept. */
  discard(): Promise<void>;
}

/** What a file holds. */
interface Kind {
  option: string;
  /** Name of the values in a row of NDJSON. */
  key: 'score' | 'ocr';
  /** What could not be read, for the notice at the end. */
  unread(people: number): string;
  /** Only the user may read the file, whatever the mode of an existing one. */
  isPrivate: boolean;
  call: 'verboseScore' | 'ocrValues';
}

const SCORES: Kind = {
  option: '--scores',
  key: 'score',
  unread: (people) => counted(people, 'score'),
  isPrivate: false,
  call: 'verboseScore',
};

/** The values go from Incode into the file, and never through Temporal. */
const OCR: Kind = {
  option: '--ocr',
  key: 'ocr',
  unread: (people) => `The OCR values of ${countedItems(people, 'people')}`,
  isPrivate: true,
  call: 'ocrValues',
};

interface ValuesRow {
  /** Position in the list. */
  index: number;
  reference: string;
  interviewId: string;
  /** Why the values could not be read. */
  problem?: string;
  score?: Record<string, string>;
  ocr?: Record<string, string>;
}

/** Reads at the same time. Incode's limit for reads is far above that. */
const AT_A_TIME = 8;

interface FileOptions {
  /** The manifest, which must not be replaced. */
  input: string;
  /** Writes CSV cells unchanged, even if a spreadsheet would run them as formulas. */
  raw: boolean;
  signal: AbortSignal;
}

/** The names of the files that a command writes. */
interface Outputs {
  results?: string | undefined;
  scores?: string | undefined;
  ocr?: string | undefined;
}

/**
 * Opens the files that the user wants.
 *
 * @throws CliError if this machine has no executive token, or a file cannot be written
 */
export async function openValuesFiles({ results, scores, ocr }: Outputs, options: FileOptions): Promise<ValuesFile> {
  refuseSameFile([
    ['--out', results],
    ['--scores', scores],
    ['--ocr', ocr],
  ]);
  const files: ValuesFile[] = [];
  const discard = async () => {
    await Promise.all(files.map((file) => file.discard()));
  };
  try {
    if (scores !== undefined) files.push(await openValuesFile(SCORES, scores, options));
    if (ocr !== undefined) files.push(await openValuesFile(OCR, ocr, options));
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    async add(item) {
      for (const file of files) await file.add(item);
    },
    async finish() {
      for (const file of files) await file.finish();
    },
    discard,
  };
}

function refuseSameFile(outputs: [option: string, out: string | undefined][]): void {
  const options = new Map<string, string>();
  for (const [option, out] of outputs) {
    if (out === undefined || out === '-') continue;
    const other = options.get(resolve(out));
    if (other !== undefined) throw new CliError(`${option} and ${other} are the same file`);
    options.set(resolve(out), option);
  }
}

async function openValuesFile(kind: Kind, out: string, { input, raw, signal }: FileOptions): Promise<ValuesFile> {
  const { option, key, isPrivate } = kind;
  if (out === '-') throw new CliError(`${option} needs the name of a file`);
  await refuseInputFile(out, input, option);
  const incode = openIncode(kind, signal);
  // The columns are known only at the end. Until then the values are in a draft.
  const draft = await openOutputFile(out, option, { isPrivate }).catch(async (error) => {
    await incode.close();
    throw error;
  });
  const names = new Set<string>();
  let items: CaptureItem[] = [];
  let people = 0;
  let problems = 0;
  let firstProblem = '';

  async function flush(): Promise<void> {
    const rows = await Promise.all(items.map((item) => incode.rowOf(item)));
    items = [];
    for (const row of rows) {
      for (const name of Object.keys(row[key] ?? {})) names.add(name);
      if (row.problem === undefined) continue;
      problems += 1;
      firstProblem ||= row.problem;
    }
    people += rows.length;
    await draft.append(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  async function write(): Promise<void> {
    const format = isNdjsonName(out) ? 'ndjson' : 'csv';
    const columns = columnsOf(key, names);
    const file = await openResults<ValuesRow>({ out, format, input, raw, columns, option, isPrivate });
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
      const what = kind.unread(problems);
      // A wrong key or token must not replace the values of an earlier run.
      if (problems > 0 && problems === people && existsSync(out)) {
        throw new CliError(`${what} could not be read, so ${out} is kept as it was: ${firstProblem}`, EXIT.someFailed);
      }
      await write();
      if (problems === 0) return;
      process.exitCode = EXIT.someFailed;
      printNotice(`${what} could not be read: the column problem in ${out} says why. Run the command again.`);
    },
    async discard() {
      await Promise.all([draft.discard(), incode.close()]);
    },
  };
}

function columnsOf(key: Kind['key'], names: Iterable<string>): Columns<ValuesRow> {
  const parts = [...names].map((name): [string, Columns<ValuesRow>[string]] => [name, (row) => row[key]?.[name]]);
  // Other than an assignment, this takes `__proto__` as any other name.
  const columns = Object.fromEntries(parts);
  return {
    reference: ({ reference }) => reference,
    interviewId: ({ interviewId }) => interviewId,
    problem: ({ problem }) => problem,
    ...columns,
  };
}

/** Reads values by id with the executive token, which belongs to no session. */
function openIncode({ option, key, call }: Kind, signal: AbortSignal) {
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
      `${option} reads from Incode with an executive token: set INCODE_EXECUTIVE_TOKEN_FILE, or INCODE_EXECUTIVE_EMAIL and INCODE_EXECUTIVE_PASSWORD_FILE`,
    );
  }
  return {
    close,
    async rowOf({ index, reference, interviewId }: CaptureItem): Promise<ValuesRow> {
      const row = { index, reference, interviewId: String(interviewId) };
      const read = (executiveToken: string) =>
        client[call]({ interviewId: row.interviewId, executiveToken }, { signal });
      try {
        return { ...row, [key]: await retried(() => withExecutiveToken(executive, signal, read), signal) };
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
