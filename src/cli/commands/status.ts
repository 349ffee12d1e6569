import type { Connection } from '@temporalio/client';
import type { Command } from 'commander';
import type { ConnectedOnboardingClient, SessionStatus } from '../../client/index.js';
import type { Stage } from '../../contract/index.js';
import { moment, printable, printFacts, printJson, scoreInWords } from '../shared/output.js';
import { onSession, type SessionOptions, withSession, withSessionOptions } from '../shared/session.js';
import { webUiLink } from '../shared/web-ui.js';

export function define(command: Command): void {
  withSessionOptions(command, 'print it as JSON')
    .addHelpText('after', '\nExample:\n  $ temporal-incode status 5f3a…')
    .action(onSession(status));
}

async function status(options: SessionOptions): Promise<void> {
  await withSession(options, async (client, interviewId) => {
    const found = await client.state(interviewId);
    if (options.json) printJson(found);
    else print(found, webUi(client, found));
  });
}

function webUi({ temporal }: ConnectedOnboardingClient, { workflowId }: SessionStatus): string | undefined {
  const { address } = (temporal.connection as Connection).options;
  return webUiLink({ address, namespace: temporal.options.namespace, workflowId });
}

function print(found: SessionStatus, webUi: string | undefined): void {
  const { interviewId, workflowId, status, startedAt, closedAt, state, result, failure, call } = found;
  const { finish, score } = state ?? {};
  printFacts({
    session: interviewId,
    workflow: workflowId,
    status,
    'web UI': webUi,
    started: moment(startedAt),
    ended: closedAt && moment(closedAt),
    stage: state?.stage ?? (status === 'running' ? 'unknown: no worker answers; is one running?' : null),
    'waits for': state?.waitingFor,
    deadline: state?.deadline && moment(new Date(state.deadline)),
    call: call ? `${call.activity}, attempt ${call.attempt}${call.paused ? ', paused' : ''}` : null,
    'last failure': call?.lastFailure ? `${call.lastFailure.message} (${call.lastFailure.type})` : null,
    'next attempt': call?.nextAttemptAt && moment(call.nextAttemptAt),
    'onboarding status': state?.onboardingStatus,
    action: finish?.action,
    'confirmed by': finish?.confirmedBy,
    redirect: finish?.redirectionUrl,
    score: scoreInWords(score),
    closed: result?.closed === null || result === null ? null : result.closed ? 'yes' : 'no: Incode refused',
    outcome: result?.outcome,
    reason: result?.reason,
    failure: failure ? `${failure.message} (${failure.type})` : null,
    next: nextStep(found),
  });
  for (const { at, event } of state?.timeline ?? []) process.stdout.write(`  ${at}  ${printable(event)}\n`);
}

const NEXT_STEPS: Partial<Record<Stage, string>> = {
  needsToken: 'temporal-incode renew-token',
  waiting: 'temporal-incode finish finishes it now, extend-deadline lets it wait longer',
  inReview: 'temporal-incode extend-deadline lets it wait longer',
};

function nextStep({ status, state, call }: SessionStatus): string | null | undefined {
  if (call?.paused)
    return "an operator has paused the call: temporal activity unpause, or Temporal's Web UI, lets it go on";
  if (status === 'running') return state && NEXT_STEPS[state.stage];
  return status === 'completed' ? null : 'temporal-incode complete starts it again, reading its status first';
}
