import {
  type Client,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
// Its index would take as long to load as all of ours.
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import { EncryptionKeyError } from '../codec/index.js';
import { type OnboardingResult, type OnboardingState, type OnboardingWorkflow, QUERIES } from '../contract/index.js';
import { describeFailure } from './failures.js';
import { temporalFailure } from './temporal-failure.js';

/** Where a session stands, for people on call. */
export interface SessionStatus {
  interviewId: string;
  workflowId: string;
  runId: string;
  status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timedOut' | 'unknown';
  startedAt: Date;
  closedAt: Date | null;
  /** `null` if no worker answered within five seconds, and the session has no result that tells it too. */
  state: OnboardingState | null;
  result: OnboardingResult | null;
  failure: { type: string; message: string } | null;
  /** The call to Incode that is under way or waits for its next attempt. */
  call: PendingCall | null;
}

export interface PendingCall {
  activity: string;
  attempt: number;
  lastFailure: { type: string; message: string } | null;
  /** `null` while an attempt is under way, or if it is paused. */
  nextAttemptAt: Date | null;
  /** An operator has paused it: nothing more is tried until it is unpaused. */
  paused: boolean;
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

/** By Temporal's names. */
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

/** A completed session's last state follows from its result, but for the timeline, if no worker is there to replay it. */
function stateOf(result: OnboardingResult | null): OnboardingState | null {
  if (result === null) return null;
  const { reason: _, closed: __, ...known } = result;
  return { ...known, stage: 'done', waitingFor: null, deadline: null, timeline: [] };
}

/** A query is answered in milliseconds by a worker that is there, and not at all by one that is not. */
const QUERY_TIMEOUT_MS = 5_000;

async function askedState(client: Client, handle: Pick<WorkflowHandle, 'query'>): Promise<OnboardingState | null> {
  try {
    return await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<OnboardingState>(QUERIES.state));
  } catch (error) {
    const failure = temporalFailure(client, error);
    // A worker has answered, but not so that it can be read here.
    if (failure instanceof EncryptionKeyError) throw failure;
    return null;
  }
}

async function pendingCall(client: Client, { raw }: WorkflowExecutionDescription): Promise<PendingCall | null> {
  const activity = raw.pendingActivities?.[0];
  if (!activity) return null;
  const failure = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, activity.lastFailure);
  const waits = activity.nextAttemptScheduleTime ?? activity.scheduledTime;
  return {
    activity: activity.activityType?.name ?? 'unknown',
    attempt: activity.attempt ?? 1,
    lastFailure: failure ? { type: failureType(failure), message: failure.message } : null,
    nextAttemptAt: activity.state === SCHEDULED && waits ? date(waits) : null,
    paused: activity.paused ?? false,
  };
}

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API. */
const SCHEDULED = 1;

function failureType(failure: Error): string {
  return failure instanceof ApplicationFailure ? (failure.type ?? 'Failed') : failure.name;
}

function date({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): Date {
  return new Date(Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1_000_000);
}
