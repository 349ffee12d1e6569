import type { Command } from 'commander';
import {
  AnswerPendingError,
  type ConnectedOnboardingClient,
  InvalidInputError,
  PersonEndedError,
  PersonFailedError,
  PersonImageUnusableError,
  PersonNotFoundError,
  PersonPendingError,
  type PersonStatus,
  PersonTooManyWaitingError,
  PersonWrongStageError,
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TooManyWaitingError,
  WrongStageError,
} from '../../client/index.js';
import { checkInterviewId } from '../../contract/index.js';
import { CliError, EXIT } from './exit.js';
import { serverOptions, type TemporalOptions, timeoutOption, withClient, withTemporalOptions } from './options.js';
import { quoted } from './program.js';

export interface SessionOptions extends TemporalOptions {
  interviewId: string;
  json: boolean;
}

/** Accepts the interview id as an argument or an option. The action finds it in the options either way. */
export function withInterviewId(command: Command): Command {
  return command
    .argument('[interview-id]', "Incode's id of the session")
    .option('--interview-id <id>', 'the interview id, as an option')
    .hook('preAction', (_, asked) => {
      const [id] = asked.args;
      const { interviewId } = asked.opts<{ interviewId?: string }>();
      if (id !== undefined && interviewId !== undefined && id !== interviewId) {
        throw new CliError('Name one session: the argument and --interview-id differ');
      }
      if (id === undefined && interviewId === undefined) {
        const usage = `temporal-incode ${asked.name()}`;
        throw new CliError(`Which session? ${usage} <interview-id>\nSee: ${usage} --help`);
      }
      if (id !== undefined) asked.setOptionValue('interviewId', id);
    });
}

/** An action of a command with {@link withInterviewId}. */
export function onSession<T>(
  act: (options: T) => Promise<void>,
): (id: string | undefined, options: T) => Promise<void> {
  return (_, options) => act(options);
}

/** The options of every command about an existing session. */
export function withSessionOptions(command: Command, jsonHelp: string): Command {
  return withTemporalOptions(withInterviewId(command)).option('--json', jsonHelp, false);
}

/** @returns a command about the same session on the same server, ready to paste */
export function commandFor(
  name: string,
  { interviewId, ...server }: Pick<SessionOptions, 'interviewId' | keyof TemporalOptions>,
): string {
  return `temporal-incode ${name} ${quoted(interviewId)}${serverOptions(server)}`;
}

export interface UpdateCommandOptions extends SessionOptions {
  timeout: number;
}

/** The options of every command that a worker must accept, which takes milliseconds if one runs. */
export function withUpdateOptions(command: Command, jsonHelp: string): Command {
  return withSessionOptions(command, jsonHelp).addOption(timeoutOption('how long to wait for a worker', '30 seconds'));
}

/** Checks the id, connects, and converts errors into messages and exit codes. */
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

/** @returns the state of the person with this reference, if there is one */
export async function personOf(
  { people }: ConnectedOnboardingClient,
  reference: string,
): Promise<PersonStatus | undefined> {
  try {
    return await people.state(reference);
  } catch (error) {
    // An interview id may be longer than a reference.
    if (error instanceof PersonNotFoundError || error instanceof InvalidInputError) return undefined;
    throw error;
  }
}

type Errors = (abstract new (...args: never[]) => Error)[];

const EXIT_CODES: [code: number | undefined, errors: Errors][] = [
  [undefined, [InvalidInputError, WrongStageError, PersonWrongStageError, PersonImageUnusableError]],
  [EXIT.pending, [AnswerPendingError, TooManyWaitingError, PersonPendingError, PersonTooManyWaitingError]],
  [EXIT.notFound, [SessionNotFoundError, PersonNotFoundError]],
  [EXIT.completedBefore, [SessionEndedError, PersonEndedError]],
];

/** Converts an error about a session or a person into a message and an exit code. */
export function sessionCliError(error: unknown): unknown {
  const [code, known] = EXIT_CODES.find(([, errors]) => errors.some((type) => error instanceof type)) ?? [];
  if (known) return new CliError((error as Error).message, code);
  const isFailed = error instanceof SessionFailedError || error instanceof PersonFailedError;
  return isFailed ? new CliError(`${error.message} (${error.type})`, EXIT.failed) : error;
}
