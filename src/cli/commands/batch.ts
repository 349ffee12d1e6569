import { type Command, Option } from 'commander';
import { BULK_TASK_QUEUE, VERIFY_FIRST, type VerifyFirst } from '../../contract/index.js';
import type { BatchCommandOptions } from '../batch/options.js';
import { runBatch } from '../batch/run.js';
import { steer } from '../batch/steer.js';
import { CliError } from '../shared/exit.js';
import { withTemporalOptions } from '../shared/options.js';

const FORMATS = ['csv', 'ndjson'];

export function define(command: Command): void {
  withTemporalOptions(command, BULK_TASK_QUEUE)
    .argument('[file]', 'the sessions, as CSV with a header or NDJSON; - reads stdin')
    .addOption(
      new Option('--format <format>', 'of the file (default: by its name, or its first character)').choices(FORMATS),
    )
    .option('--out <file>', 'where results go, whole or not at all; - for stdout (default: a summary only)')
    .addOption(new Option('--out-format <format>', 'of the results (default: by the name, or csv)').choices(FORMATS))
    .option('--raw', 'write CSV cells unchanged, also those that a spreadsheet would run as formulas', false)
    .option('--batch-id <id>', 'name of the batch (default: follows from the interview ids)')
    .option('--resume', 'attach to a batch that exists, or end with 4', false)
    .option('--retry-failed', 'run failed sessions again, and those alone', false)
    .addOption(
      new Option('--verify-first [mode]', 'what happens before a session is finished, see below (default: look)')
        .argParser(verifyFirst)
        .preset('settle'),
    )
    .option('--skip-invalid', 'go on without the rows that are invalid', false)
    .option('--dry-run', 'check the file, and start nothing', false)
    .option('--close', 'close the sessions at Incode after finishing', false)
    .option('--no-score', "do without the score: the rule engine's action decides")
    .option('--score-deadline <duration>', 'how long a score that is not ready is asked for (default: 15 minutes)')
    .option('--window <shards>', 'shards of 2,000 sessions at the server at a time (default: 16)', shards)
    .option('--status', 'print where the batch stands, and do nothing else', false)
    .option('--stop', 'stop the batch: what is under way ends, results are kept', false)
    .option('--pause', 'begin no more sessions', false)
    .option('--unpause', 'go on after --pause', false)
    .option('--json', 'print the summary as JSON', false)
    .addHelpText('after', HELP)
    .action(batch);
}

const HELP = `
The columns, or fields, are interviewId, sessionToken and flowId, in any order; also interview_id, "Interview ID" and the like.
Others are not read. Without a token the worker asks its token source, if it has one.

--verify-first says what happens before the first request to finish a session:
  look    read its status, and finish it if it is unfinished
  settle  the same, and wait for 30 s first if it is unfinished: somebody else may be finishing it right now
  trust   read nothing. Saves a request, and finishes a session again if anything else has finished it
Without a mode it means settle.

Ctrl-C detaches: what was handed over goes on at the server, and the same command attaches to it again. The same list is the
same batch, so nothing is completed twice. Ends with 6 if some sessions failed, with 3 if it was interrupted.

Examples:
  $ temporal-incode batch sessions.csv --dry-run
  $ temporal-incode batch sessions.csv --out results.csv
  $ temporal-incode batch sessions.csv --out results.csv --retry-failed
  $ temporal-incode batch --status --batch-id list-3fa9c2d17be04a55`;

async function batch(file: string | undefined, options: BatchCommandOptions): Promise<void> {
  const steering = (['status', 'stop', 'pause', 'unpause'] as const).filter((name) => options[name]);
  if (steering.length > 1) throw new CliError(`Give one of ${steering.map((name) => `--${name}`).join(', ')}`);
  if (options.out === '-' && options.json) throw new CliError('--out - and --json would both write to stdout');
  if (steering[0]) await steer(steering[0], file, options);
  else if (file === undefined) throw new CliError('Which file? Name it, or - for stdin');
  else await runBatch(file, options);
}

function verifyFirst(value: string): VerifyFirst {
  const mode = VERIFY_FIRST.find((known) => known === value);
  // The file, perhaps: an option whose value may be left out takes whatever follows it.
  if (!mode)
    throw new CliError(`--verify-first takes ${VERIFY_FIRST.join(', ')}, not "${value}"; name the file before it`);
  return mode;
}

function shards(value: string): number {
  const count = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (count < 1) throw new CliError(`--window must be a whole number from 1, not "${value}"`);
  return count;
}
