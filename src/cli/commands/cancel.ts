import type { Command } from 'commander';
import { type ConnectedOnboardingClient, SessionFailedError, type SessionStatus } from '../../client/index.js';
import { confirm } from '../shared/confirm.js';
import { CliError, EXIT } from '../shared/exit.js';
import { timeoutOption } from '../shared/options.js';
import { printJson } from '../shared/output.js';
import { onSession, type SessionOptions, withSession, withSessionOptions } from '../shared/session.js';

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

Example:
  $ temporal-incode cancel 5f3a…`,
    )
    .action(onSession(cancel));
}

async function cancel(options: CancelOptions): Promise<void> {
  if (!options.yes && !process.stdin.isTTY) throw new CliError('There is no terminal to confirm at. Add --yes.');
  await withSession(options, async (client, interviewId) => {
    const found = await client.state(interviewId);
    if (found.status !== 'running') throw endedBefore(found);
    if (!options.yes && !(await confirmed(found))) throw new CliError('Nothing was cancelled.', EXIT.interrupted);
    await client.cancel(interviewId);
    await waitForEnd(client, interviewId, options);
    if (options.json) printJson({ interviewId, cancelled: true });
    else process.stdout.write(`Session ${interviewId}: its onboarding is cancelled.\n`);
  });
}

function endedBefore({ interviewId, status, result }: SessionStatus): CliError {
  const how = result ? `${status}, ${result.outcome}` : status;
  return new CliError(`Session ${interviewId}: its onboarding has already ended (${how}).`, EXIT.completedBefore);
}

function confirmed({ interviewId, state }: SessionStatus): Promise<boolean> {
  const stage = state ? ` in the stage ${state.stage}` : '';
  return confirm(`Cancel the onboarding of session ${interviewId}${stage}? The session stays incomplete.`);
}

async function waitForEnd(
  client: ConnectedOnboardingClient,
  interviewId: string,
  { timeout }: CancelOptions,
): Promise<void> {
  try {
    const { outcome } = await client.result(interviewId, { timeoutMs: timeout });
    const message = `Session ${interviewId} was completed before the cancellation reached it: ${outcome}.`;
    throw new CliError(message, EXIT.completedBefore);
  } catch (error) {
    if (!(error instanceof SessionFailedError && error.type === 'Cancelled')) throw error;
  }
}
