import { type Command, Option } from 'commander';
import { BULK_TASK_QUEUE, VERIFY_FIRST, type VerifyFirst } from '../../contract/index.js';
import { checkedList } from '../batch/list.js';
import { withListOptions } from '../batch/list-options.js';
import type { BatchCommandOptions } from '../batch/options.js';
import { runBatch } from '../batch/run.js';
import { steer, steeringOf } from '../batch/steer.js';
import { CliError } from '../shared/exit.js';
import { withTemporalOptions } from '../shared/options.js';

export function define(command: Command): void {
  const words = { items: 'sessions', idFrom: 'the interview ids', shards: '2,000 sessions' };
  withListOptions(withTemporalOptions(command, BULK_TASK_QUEUE), words)
    .argument('[file]', 'the sessions, as CSV with a header or NDJSON; - reads stdin')
    .addOption(
      new Option('--verify-first [mode]', 'how to check a session before finishing it, see below (default: look)')
        .argParser(verifyFirst)
        .preset('settle'),
    )
    .option('--dry-run', 'check the file without starting anything', false)
    .option('--close', 'close the sessions at Incode after finishing', false)
    .option('--no-score', "ignore the score; the rule engine's action decides")
    .option('--score-deadline <duration>', 'how long to wait for a score (default: 15 minutes)')
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
  const steering = steeringOf(options);
  if (steering)
    await steer(steering, file, options, (source, _, signal) => checkedList(source, options.format, signal));
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
