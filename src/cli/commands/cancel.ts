import type { Command } from 'commander';
import {
  type ConnectedOnboardingClient,
  PersonFailedError,
  type PersonStatus,
  SessionFailedError,
  SessionNotFoundError,
  type SessionStatus,
} from '../../client/index.js';
import { confirm } from '../shared/confirm.js';
import { CliError, EXIT } from '../shared/exit.js';
import { timeoutOption } from '../shared/options.js';
import { printJson } from '../shared/output.js';
import { onSession, personOf, type SessionOptions, withSession, withSessionOptions } from '../shared/session.js';

interface CancelOptions extends SessionOptions {
  yes: boolean;
  timeout: number;
}

export function define(command: Command): void {
  withSessionOptions(command, 'print what was done as JSON')
    .option('--yes', 'cancel without confirmation; required without a terminal', false)
    .addOption(timeoutOption('how long to wait until it has ended', '30 seconds'))
    .addHelpText(
      'after',
      `
Cancels the onboarding, not the session at Incode. A call in flight is aborted, but Incode may already have acted on it. The session
stays incomplete until you start it again with "complete", which reads its status first.

The id may also be the reference of a person from images, whose session then stays at Incode, unfinished.

Examples:
  $ temporal-incode cancel 5f3a…
  $ temporal-incode cancel 4711`,
    )
    .action(onSession(cancel));
}

async function cancel(options: CancelOptions): Promise<void> {
  if (!options.yes && !process.stdin.isTTY) throw new CliError('There is no terminal to confirm at. Add --yes.');
  await withSession(options, async (client, id) => {
    const subject = await subjectOf(client, id);
    if (subject.found.status !== 'running') throw endedBefore(subject);
    if (!options.yes && !(await confirmed(subject))) throw new CliError('Nothing was cancelled.', EXIT.interrupted);
    await subject.cancel();
    await waitForEnd(subject, options);
    if (options.json) printJson({ ...subject.id, cancelled: true });
    else process.stdout.write(`The onboarding of ${subject.name} is cancelled.\n`);
  });
}

/** A session, or a person from images. */
interface Subject {
  name: string;
  id: { interviewId: string } | { reference: string };
  found: Pick<SessionStatus | PersonStatus, 'status'> & { state: { stage: string } | null };
  /** What the end leaves behind. */
  left: string;
  outcome: string | undefined;
  cancel(): Promise<void>;
  /** @returns the outcome */
  result(timeoutMs: number): Promise<string | undefined>;
}

async function subjectOf(client: ConnectedOnboardingClient, id: string): Promise<Subject> {
  try {
    const found = await client.state(id);
    return {
      name: `session ${id}`,
      id: { interviewId: id },
      found,
      left: 'The session stays incomplete.',
      outcome: found.result?.outcome,
      cancel: () => client.cancel(id),
      result: async (timeoutMs) => (await client.result(id, { timeoutMs })).outcome,
    };
  } catch (error) {
    if (!(error instanceof SessionNotFoundError)) throw error;
    const found = await personOf(client, id);
    if (!found) throw error;
    return {
      name: `person ${id}`,
      id: { reference: id },
      found,
      left: 'A session that is open stays at Incode, unfinished.',
      outcome: found.result?.onboarding?.outcome,
      cancel: () => client.people.cancel(id),
      result: async (timeoutMs) => (await client.people.result(id, { timeoutMs })).onboarding?.outcome,
    };
  }
}

function endedBefore({ name, found, outcome }: Subject): CliError {
  const how = outcome ? `${found.status}, ${outcome}` : found.status;
  return new CliError(`The onboarding of ${name} has already ended (${how}).`, EXIT.completedBefore);
}

function confirmed({ name, found, left }: Subject): Promise<boolean> {
  const stage = found.state ? ` in the stage ${found.state.stage}` : '';
  return confirm(`Cancel the onboarding of ${name}${stage}? ${left}`);
}

async function waitForEnd({ name, result }: Subject, { timeout }: CancelOptions): Promise<void> {
  let outcome: string | undefined;
  try {
    outcome = await result(timeout);
  } catch (error) {
    const isCancelled = error instanceof SessionFailedError || error instanceof PersonFailedError;
    if (isCancelled && error.type === 'Cancelled') return;
    throw error;
  }
  const how = outcome ? `: ${outcome}` : '';
  throw new CliError(
    `The onboarding of ${name} was completed before the cancellation reached it${how}.`,
    EXIT.completedBefore,
  );
}
