import type { Command } from 'commander';
import { isDeadline } from '../../client/failures.js';
import {
  AnswerPendingError,
  type ConnectedOnboardingClient,
  InvalidInputError,
  SessionFailedError,
  SessionNotFoundError,
  TooManyWaitingError,
  WrongStageError,
} from '../../client/index.js';
import { isDisconnected } from '../../client/temporal-failure.js';
import { checkInterviewId } from '../../contract/index.js';
import { CliError, EXIT } from './exit.js';
import { type TemporalOptions, timeoutOption, withClient, withTemporalOptions } from './options.js';

export interface SessionOptions extends TemporalOptions {
  interviewId: string;
  json: boolean;
}

/** The options of every command about one session that is known already. */
export function withSessionOptions(command: Command, jsonHelp: string): Command {
  return withTemporalOptions(command)
    .requiredOption('--interview-id <id>', "Incode's id of the session")
    .option('--json', jsonHelp, false);
}

export interface UpdateOptions extends SessionOptions {
  timeout: number;
}

/** The options of every command that a worker has to take. One that is there does so within milliseconds. */
export function withUpdateOptions(command: Command, jsonHelp: string, patience = '30 seconds'): Command {
  return withSessionOptions(command, jsonHelp).addOption(timeoutOption('how long to wait for a worker', patience));
}

/** Connects once the id is known to be one, and turns what goes wrong into words and an exit code. */
export async function withSession(
  options: SessionOptions,
  use: (client: ConnectedOnboardingClient, interviewId: string) => Promise<void>,
): Promise<void> {
  try {
    const interviewId = checkInterviewId(options.interviewId);
    await withClient(options, (client) => use(client, interviewId));
  } catch (error) {
    throw sessionCliError(error);
  }
}

export function sessionCliError(error: unknown): unknown {
  if (error instanceof InvalidInputError || error instanceof WrongStageError) return new CliError(error.message);
  if (error instanceof AnswerPendingError || error instanceof TooManyWaitingError) {
    return new CliError(error.message, EXIT.pending);
  }
  if (error instanceof SessionNotFoundError) return new CliError(error.message, EXIT.notFound);
  if (error instanceof SessionFailedError) return new CliError(`${error.message} (${error.type})`, EXIT.failed);
  return error;
}

/**
 * Asks a worker, which may not be there.
 *
 * @throws CliError if none has answered in time
 */
export async function askWorker<T>(
  { temporal }: ConnectedOnboardingClient,
  { interviewId, timeout }: UpdateOptions,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await temporal.withDeadline(Date.now() + timeout, ask);
  } catch (error) {
    // Without a connection it says nothing of workers.
    if (!isDeadline(error) || isDisconnected(temporal)) throw error;
    throw new CliError(
      `Session ${interviewId}: no answer within ${timeout / 1_000} s, so it is not known whether a worker will take it. ` +
        `Is one running? See: temporal-incode status --interview-id ${interviewId}`,
      EXIT.pending,
    );
  }
}
