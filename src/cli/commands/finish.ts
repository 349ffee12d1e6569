import type { Command } from 'commander';
import { askToFinish } from '../../client/finish-session.js';
import { type ConnectedOnboardingClient, SessionNotFoundError } from '../../client/index.js';
import { requestFor } from '../../client/request.js';
import { sessionSubject } from '../../client/subject.js';
import { type FinishAnswer, onboardingWorkflowId } from '../../contract/index.js';
import { CliError, EXIT } from '../shared/exit.js';
import { timeoutOption } from '../shared/options.js';
import { printFacts, printJson } from '../shared/output.js';
import { commandFor, onSession, type SessionOptions, withSession, withSessionOptions } from '../shared/session.js';

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
    const answer = await answerOf(client, interviewId, options);
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
  options: FinishOptions,
): Promise<FinishAnswer | null> {
  const { result, failure } = await known(client, interviewId, options);
  if (result) return result.finish;
  if (failure) {
    const what = `Session ${interviewId} has ended without a result: ${failure.message} (${failure.type}).`;
    throw new CliError(
      `${what} Nothing was done. To start it again:\n  ${commandFor('complete', options)}`,
      EXIT.failed,
    );
  }
  const { temporal } = client;
  return requestFor(temporal, sessionSubject(interviewId), { timeoutMs: options.timeout }, () =>
    askToFinish(temporal, onboardingWorkflowId(interviewId)),
  );
}

async function known(client: ConnectedOnboardingClient, interviewId: string, options: FinishOptions) {
  try {
    return await client.state(interviewId);
  } catch (error) {
    if (!(error instanceof SessionNotFoundError)) throw error;
    const what = `Session ${interviewId}: no onboarding is known in this namespace. Nothing was done.`;
    const how = 'To start it, run this, with --session-token-file <file> unless the workers have a token source:';
    throw new CliError(`${what} ${how}\n  ${commandFor('complete', options)}`, EXIT.notFound);
  }
}
