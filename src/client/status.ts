import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { EncryptionKeyError } from '../codec/index.js';
import { type OnboardingResult, type OnboardingState, type OnboardingWorkflow, QUERIES } from '../contract/index.js';
import { describeFailure } from './failures.js';
import { type PendingCall, pendingCall } from './pending-call.js';
import { temporalFailure } from './temporal-failure.js';

/** State of a session's onboarding, for people on call. */
export interface SessionStatus {
  /** Incode's id of the session. */
  interviewId: string;
  /** Id of the session's workflow, for Temporal's own tools. */
  workflowId: string;
  /** Temporal's id of the latest run. A session that is started again has another run. */
  runId: string;
  /** Status of that run. */
  status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timedOut' | 'unknown';
  startedAt: Date;
  /** `null` while it runs. */
  closedAt: Date | null;
  /** `null` if no worker answered within five seconds and the session has no result to derive it from. */
  state: OnboardingState | null;
  /** `null` while the onboarding runs, and if it ended without a result. */
  result: OnboardingResult | null;
  /** Why it ended without a result. `type` is one of `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`. */
  failure: { type: string; message: string } | null;
  /** The call to Incode that is in flight or waits for its next attempt. */
  call: PendingCall | null;
}

export async function sessionStatus(
  client: Client,
  interviewId: string,
  handle: WorkflowHandle<OnboardingWorkflow>,
): Promise<SessionStatus> {
  const description = await handle.describe();
  const { workflowId, runId, startTime, closeTime } = description;
  const status = EXECUTION_STATUSES[description.status.name] ?? 'unknown';
  const ended = status === 'running' ? NOT_ENDED : await ending(handle);
  return {
    interviewId,
    workflowId,
    runId,
    status,
    startedAt: startTime,
    closedAt: closeTime ?? null,
    state: (await askedState(client, handle)) ?? stateOf(ended.result),
    ...ended,
    call: await pendingCall(client, description),
  };
}

/** Keys are Temporal's names. */
export const EXECUTION_STATUSES: Record<string, SessionStatus['status']> = {
  RUNNING: 'running',
  PAUSED: 'running',
  CONTINUED_AS_NEW: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timedOut',
};

type Ending = Pick<SessionStatus, 'result' | 'failure'>;
const NOT_ENDED: Ending = { result: null, failure: null };

async function ending(handle: WorkflowHandle<OnboardingWorkflow>): Promise<Ending> {
  try {
    return { result: await handle.result(), failure: null };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { type, message } = describeFailure(error.cause);
    return { result: null, failure: { type, message } };
  }
}

/** Derives a completed session's state, without its timeline, from its result when no worker answers. */
function stateOf(result: OnboardingResult | null): OnboardingState | null {
  if (result === null) return null;
  const { reason: _, closed: __, ...known } = result;
  return { ...known, stage: 'done', waitingFor: null, deadline: null, timeline: [] };
}

/** A running worker answers a query in milliseconds. */
const QUERY_TIMEOUT_MS = 5_000;

/** @returns `null` if no worker answers */
export async function askedState(
  client: Client,
  handle: Pick<WorkflowHandle, 'query'>,
  deadline = Date.now() + QUERY_TIMEOUT_MS,
): Promise<OnboardingState | null> {
  try {
    return await client.withDeadline(deadline, () => handle.query<OnboardingState>(QUERIES.state));
  } catch (error) {
    const failure = temporalFailure(client, error);
    // A worker answered, but this client has no key to decrypt the answer.
    if (failure instanceof EncryptionKeyError) throw failure;
    return null;
  }
}
