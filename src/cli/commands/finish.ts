import type { Command } from 'commander';
import { askToFinish } from '../../client/finish-session.js';
import { type ConnectedOnboardingClient, SessionNotFoundError } from '../../client/index.js';
import { requestFor } from '../../client/request.js';
import { type FinishAnswer, onboardingWorkflowId } from '../../contract/index.js';
import { CliError, EXIT } from '../shared/exit.js';
import { timeoutOption } from '../shared/options.js';
import { printFacts, printJson } from '../shared/output.js';
import { onSession, type SessionOptions, withSession, withSessionOptions } from '../shared/session.js';

interface FinishOptions extends SessionOptions {
  timeout: number;
}

export function define(command: Command): void {
  withSessionOptions(command, "print Incode's answer as JSON")
    .addOption(timeoutOption('how long to wait; the session continues', '5 minutes'))
    .addHelpText(
      'after',
      `
Finishes a session that waits (--finish-when processed or asked) and prints Incode's answer. The rest of its plan continues. For a
session that is already finished, it prints the earlier answer. It starts no onboarding: use "complete" for that.

Example:
  $ temporal-incode finish 5f3a…`,
    )
    .action(onSession(finish));
}

async function finish(options: FinishOptions): Promise<void> {
  await withSession(options, async (client, interviewId) => {
    const answer = await answerOf(client, interviewId, options.timeout);
    if (options.json) printJson({ interviewId, finish: answer });
    else {
      printFacts({
        session: interviewId,
        action: answer ? (answer.action ?? 'unknown: the answer was lost, the score decides') : null,
        redirect: answer?.redirectionUrl,
        'confirmed by': answer?.confirmedBy,
        reason: answer ? null : 'the session expired before it could be finished',
      });
    }
  });
}

async function answerOf(
  client: ConnectedOnboardingClient,
  interviewId: string,
  timeoutMs: number,
): Promise<FinishAnswer | null> {
  const { result, failure } = await known(client, interviewId);
  if (result) return result.finish;
  if (failure) {
    const message = `Session ${interviewId} has ended without a result: ${failure.message} (${failure.type}).`;
    throw new CliError(`${message} Start it again with: temporal-incode complete`, EXIT.failed);
  }
  const { temporal } = client;
  return requestFor(temporal, interviewId, timeoutMs, () => askToFinish(temporal, onboardingWorkflowId(interviewId)));
}

async function known(client: ConnectedOnboardingClient, interviewId: string) {
  try {
    return await client.state(interviewId);
  } catch (error) {
    if (!(error instanceof SessionNotFoundError)) throw error;
    const what = `Session ${interviewId}: no onboarding is known in this namespace.`;
    throw new CliError(`${what} Start it with: temporal-incode complete`, EXIT.notFound);
  }
}
