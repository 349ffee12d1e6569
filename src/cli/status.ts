import type { Command } from 'commander';
import { InvalidInputError, SessionNotFoundError, type SessionStatus } from '../client/index.js';
import { checkInterviewId } from '../contract/index.js';
import { CliError, EXIT } from './exit.js';
import { type TemporalOptions, withClient, withTemporalOptions } from './options.js';
import { printFacts, printJson } from './output.js';

interface StatusOptions extends TemporalOptions {
  interviewId: string;
  json: boolean;
}

export function define(command: Command): void {
  withTemporalOptions(command)
    .requiredOption('--interview-id <id>', "Incode's id of the session")
    .option('--json', 'print it as JSON', false)
    .addHelpText('after', '\nExample:\n  $ temporal-incode status --interview-id 5f3a…')
    .action(status);
}

async function status(options: StatusOptions): Promise<void> {
  checkId(options.interviewId);
  await withClient(options, async (client) => {
    try {
      const found = await client.state(options.interviewId);
      if (options.json) printJson(found);
      else print(found);
    } catch (error) {
      if (error instanceof SessionNotFoundError) throw new CliError(error.message, EXIT.notFound);
      throw error;
    }
  });
}

function checkId(interviewId: string): void {
  try {
    checkInterviewId(interviewId);
  } catch (error) {
    throw error instanceof InvalidInputError ? new CliError(error.message, EXIT.usage) : error;
  }
}

function print({
  interviewId,
  workflowId,
  status,
  startedAt,
  closedAt,
  state,
  result,
  failure,
  call,
}: SessionStatus): void {
  printFacts({
    session: interviewId,
    workflow: workflowId,
    status,
    started: startedAt.toISOString(),
    ended: closedAt?.toISOString(),
    stage: state?.stage ?? (status === 'running' ? 'unknown: no worker answers; is one running?' : null),
    'waits for': state?.waitingFor,
    deadline: state?.deadline,
    call: call ? `${call.activity}, attempt ${call.attempt}` : null,
    'last failure': call?.lastFailure ? `${call.lastFailure.message} (${call.lastFailure.type})` : null,
    'next attempt': call?.nextAttemptAt?.toISOString(),
    'onboarding status': state?.onboardingStatus,
    outcome: result?.outcome,
    reason: result?.reason,
    failure: failure ? `${failure.message} (${failure.type})` : null,
  });
  for (const { at, event } of state?.timeline ?? []) process.stdout.write(`  ${at}  ${event}\n`);
}
