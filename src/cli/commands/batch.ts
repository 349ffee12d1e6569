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
      new Option('--format <format>', 'format of the file (default: by its name, or its first character)').choices(
        FORMATS,
      ),
    )
    .option(
      '--out <file>',
      'file for the results, written when all are complete; - for stdout (default: only a summary)',
    )
    .addOption(
      new Option('--out-format <format>', 'format of the results (default: by the name, or csv)').choices(FORMATS),
    )
    .option('--raw', 'write CSV cells unchanged, even if a spreadsheet would run them as formulas', false)
    .option('--batch-id <id>', 'name of the batch (default: derived from the interview ids)')
    .option('--resume', 'attach to an existing batch; exit with 4 if there is none', false)
    .option('--retry-failed', 'retry only the failed sessions', false)
    .addOption(
      new Option('--verify-first [mode]', 'how to check a session before finishing it, see below (default: look)')
        .argParser(verifyFirst)
        .preset('settle'),
    )
    .option('--skip-invalid', 'skip invalid rows', false)
    .option('--dry-run', 'check the file without starting anything', false)
    .option('--close', 'close the sessions at Incode after finishing', false)
    .option('--no-score', "ignore the score; the rule engine's action decides")
    .option('--score-deadline <duration>', 'how long to wait for a score (default: 15 minutes)')
    .option('--window <shards>', 'shards of 2,000 sessions on the server at the same time (default: 16)', shards)
    .option('--status', 'only print the state of the batch', false)
    .option('--stop', 'stop the batch; calls in flight complete and results are kept', false)
    .option('--pause', 'begin no more sessions', false)
    .option('--unpause', 'continue after --pause', false)
    .option('--json', 'print the summary as JSON', false)
    .addHelpText('after', HELP)
    .action(batch);
}

const HELP = `
The columns or fields are interviewId, sessionToken and flowId, in any order. Spellings such as interview_id and "Interview ID" work
too. Other columns are ignored. For a session without a token, the worker uses its token source, if it has one.

--verify-first sets the check before the first request to finish a session:
  look    read its status, and finish it if it is unfinished
  settle  as look, but wait 30 s before finishing, because another process
          may be finishing it
  trust   read nothing; saves a request, but finishes a session twice if
          something else has finished it
Without a mode it means settle.

Ctrl-C detaches: started sessions continue on the server, and the same command attaches to them again. The same list is the same
batch, so no session is completed twice. Exits with 6 if some sessions failed, and with 3 if it was interrupted.

Examples:
  $ temporal-incode batch sessions.csv --dry-run
  $ temporal-incode batch sessions.csv --out results.csv
  $ temporal-incode batch sessions.csv --out results.csv --retry-failed
  $ temporal-incode batch --status --batch-id list-3fa9c2d17be04a55`;

async function batch(file: string | undefined, options: BatchCommandOptions): Promise<void> {
  const steering = (['status', 'stop', 'pause', 'unpause'] as const).filter((name) => options[name]);
  if (steering.length > 1) throw new CliError(`Use only one of ${steering.map((name) => `--${name}`).join(', ')}`);
  if (options.out === '-' && options.json) throw new CliError('--out - and --json would both write to stdout');
  if (steering[0]) await steer(steering[0], file, options);
  else if (file === undefined) throw new CliError('Which file? Name it, or - for stdin');
  else await runBatch(file, options);
}

function verifyFirst(value: string): VerifyFirst {
  const mode = VERIFY_FIRST.find((known) => known === value);
  // The value may be the file, because an option with an optional value takes the next argument.
  if (!mode)
    throw new CliError(`--verify-first takes ${VERIFY_FIRST.join(', ')}, not "${value}"; name the file before it`);
  return mode;
}

function shards(value: string): number {
  const count = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (count < 1) throw new CliError(`--window must be a whole number from 1, not "${value}"`);
  return count;
}
