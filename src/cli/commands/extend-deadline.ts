import type { Command } from 'commander';
import { checkExtendDeadlineInput, InvalidInputError } from '../../contract/index.js';
import { CliError } from '../shared/exit.js';
import { printFacts, printJson } from '../shared/output.js';
import { onSession, type UpdateCommandOptions, withSession, withUpdateOptions } from '../shared/session.js';

interface ExtendDeadlineOptions extends UpdateCommandOptions {
  by?: string;
}

export function define(command: Command): void {
  withUpdateOptions(command, 'print the new deadline as JSON')
    .option('--by <duration>', 'required: time to add to the deadline, such as "7 days" or 36h')
    .addHelpText(
      'after',
      `
Extends the deadline of the session's current stage: waiting, scoring or inReview. Other stages have no deadline.
Running it twice extends it twice.

Example:
  $ temporal-incode extend-deadline 5f3a… --by "7 days"`,
    )
    .action(onSession(extendDeadline));
}

async function extendDeadline(options: ExtendDeadlineOptions): Promise<void> {
  const { by, json } = options;
  // Checked here, because commander's check would come before its suggestion for a misspelled option.
  if (by === undefined)
    throw new CliError('How much longer? temporal-incode extend-deadline <interview-id> --by "7 days"');
  checkDuration(by);
  await withSession(options, async (client, interviewId) => {
    const moved = await client.extendDeadline(interviewId, by, { timeoutMs: options.timeout });
    if (json) printJson({ interviewId, ...moved });
    else printFacts({ session: interviewId, deadline: moved.deadline });
  });
}

function checkDuration(by: string): void {
  try {
    checkExtendDeadlineInput({ by });
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new CliError(`--by must be a duration such as 36h or "7 days", not "${by}"`);
  }
}
