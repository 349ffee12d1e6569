import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { EncryptionKeyError } from '../codec/index.js';
import { type OnboardingResult, type OnboardingState, type OnboardingWorkflow, QUERIES } from '../contract/index.js';
import { describeFailure } from './failures.js';
import { type PendingCall, pendingCall } from './pending-call.js';
import { temporalFailure } from './temporal-failure.js';

/** How the latest run of a workflow stands. */
export interface WorkflowStatus<State, Result> {
  /** Id of the workflow, for Temporal's own tools. */
  workflowId: string;
  /** Temporal's id of the latest run. An onboarding that is started again has another run. */
  runId: string;
  /** Status of that run. */
  status: 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timedOut' | 'unknown';
  startedAt: Date;
  /** `null` while it runs. */
  closedAt: Date | null;
  /** `null` if no worker answered within five seconds. */
  state: State | null;
  /** `null` while the onboarding runs, and if it ended without a result. */
  result: Result | null;
  /** Why it ended without a result. `type` is one of `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`. */
  failure: { type: string; message: string } | null;
  /** The call to Incode that is in flight or waits for its next attempt. */
  call: PendingCall | null;
}

/** State of a session's onboarding, for people on call. */
export interface SessionStatus extends WorkflowStatus<OnboardingState, OnboardingResult> {
  /** Incode's id of the session. */
  interviewId: string;
  /** `null` if no worker answered within five seconds and the session has no result to derive it from. */
  state: OnboardingState | null;
}

export async function sessionStatus(
  client: Client,
  interviewId: string,
  handle: WorkflowHandle<OnboardingWorkflow>,
): Promise<SessionStatus> {
  const found = await workflowStatus<OnboardingState, OnboardingResult>(client, handle);
  return { interviewId, ...found, state: found.state ?? stateOf(found.result) };
}

/** @param handle of a workflow with the query `state` */
export async function workflowStatus<State, Result>(
  client: Client,
  handle: WorkflowHandle<Workflow>,
): Promise<WorkflowStatus<State, Result>> {
  const description = await handle.describe();
  const { workflowId, runId, startTime, closeTime } = description;
  const status = EXECUTION_STATUSES[description.status.name] ?? 'unknown';
  const ended = status === 'running' ? { result: null, failure: null } : await ending<Result>(handle);
  return {
    workflowId,
    runId,
    status,
    startedAt: startTime,
    closedAt: closeTime ?? null,
    state: await askedState<State>(client, handle),
    ...ended,
    call: await pendingCall(client, description),
  };
}

/** Keys are Temporal's names. */
export const EXECUTION_STATUSES: Record<string, WorkflowStatus<unknown, unknown>['status']> = {
  RUNNING: 'running',
  PAUSED: 'running',
  CONTINUED_AS_NEW: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timedOut',
};

async function ending<Result>(
  handle: WorkflowHandle<Workflow>,
): Promise<Pick<WorkflowStatus<unknown, Result>, 'result' | 'failure'>> {
  try {
    return { result: (await handle.result()) as Result, failure: null };
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
export async function askedState<State>(
  client: Client,
  handle: Pick<WorkflowHandle, 'query'>,
  deadline = Date.now() + QUERY_TIMEOUT_MS,
): Promise<State | null> {
  try {
    return await client.withDeadline(deadline, () => handle.query<State>(QUERIES.state));
  } catch (error) {
    const failure = temporalFailure(client, error);
    // A worker answered, but this client has no key to decrypt the answer.
    if (failure instanceof EncryptionKeyError) throw failure;
    return null;
  }
}
