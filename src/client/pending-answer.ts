import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type CaptureState, type OnboardingState, onboardingWorkflowId } from '../contract/index.js';
import { addressOf } from './connectivity.js';
import { needsOperator, type PendingCall, pendingCall } from './pending-call.js';
import { isRecent, lastPollsOf } from './pollers.js';
import { isRunning, listedStage } from './starting.js';
import { askedState } from './status.js';
import type { Subject } from './subject.js';
import { TemporalUnavailableError } from './temporal-errors.js';
import { temporalFailure } from './temporal-failure.js';

/** A server answers within milliseconds, a busy one within a few seconds. */
const FACTS_TIMEOUT_MS = 5_000;

/**
 * Finds out why a request was not answered in time.
 *
 * @returns the error to throw, which says that the answer is pending only if the server confirms that it has the onboarding
 */
export async function pendingAnswer(
  client: Client,
  subject: Subject,
  timeoutMs: number,
  cause: unknown,
): Promise<Error> {
  const deadline = Date.now() + FACTS_TIMEOUT_MS;
  try {
    const facts = await client.withDeadline(deadline, () => factsOf(client, subject, deadline));
    return subject.pending({ timeoutMs, ...facts });
  } catch (error) {
    // Without an onboarding on the server, the request itself may have been lost.
    if (!(error instanceof WorkflowNotFoundError)) return temporalFailure(client, error);
    const target = { address: addressOf(client) ?? 'its address', namespace: client.options.namespace };
    return new TemporalUnavailableError('away', target, cause);
  }
}

async function factsOf(client: Client, { workflowId, stages }: Subject, deadline: number) {
  const handle = client.workflow.getHandle(workflowId);
  const description = await handle.describe();
  const { taskQueue } = description;
  const lastPolls = await lastPollsOf(client, taskQueue);
  const state =
    lastPolls?.length === 0 ? null : await askedState<OnboardingState | CaptureState>(client, handle, deadline);
  const wait = {
    waitingFor: state?.waitingFor ?? null,
    call: await pendingCall(client, description),
    ...(state?.stage === 'completing' && state.interviewId !== null
      ? await waitOfSession(client, state.interviewId, deadline)
      : {}),
  };
  return {
    isRunning: isRunning(description),
    taskQueue,
    hasWorker: state !== null || (lastPolls?.some(isRecent) ?? null),
    isAnswering: state !== null,
    stage: state?.stage ?? listedStage(description, stages),
    waitingFor: wait.waitingFor ?? (wait.call && needsOperator(wait.call) ? OPERATOR : null),
    call: wait.call,
  };
}

/** A person whose session is being completed waits for what the session waits for. */
async function waitOfSession(
  client: Client,
  interviewId: string,
  deadline: number,
): Promise<{ waitingFor: string | null; call: PendingCall | null }> {
  const handle = client.workflow.getHandle(onboardingWorkflowId(interviewId));
  const state = await askedState<OnboardingState>(client, handle, deadline);
  return { waitingFor: state?.waitingFor ?? null, call: await pendingCall(client, await handle.describe()) };
}

const OPERATOR = "the operator to correct the workers' configuration";
