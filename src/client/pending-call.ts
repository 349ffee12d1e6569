import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../contract/index.js';
import { decodeOptionalFailureToOptionalError } from '../temporal/sdk-internals.js';

/** A call to Incode that is in flight or waits for its next attempt. */
export interface PendingCall {
  /** Name of the activity, such as `finishStatus`. */
  activity: string;
  /** The current attempt, or the next one. Counts from 1. */
  attempt: number;
  /** Why the previous attempt failed. `type` is one of `FAILURES`. `null` if none has failed. */
  lastFailure: { type: string; message: string } | null;
  /** `null` while an attempt is in flight or the call is paused. */
  nextAttemptAt: Date | null;
  /** An operator has paused the call: no attempt starts until it is unpaused. */
  paused: boolean;
}

/** @returns `null` if no call is pending */
export async function pendingCall(client: Client, { raw }: WorkflowExecutionDescription): Promise<PendingCall | null> {
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

/** The call is retried every minute and fails until the operator of the workers has corrected their configuration. */
export function needsOperator({ paused, lastFailure }: PendingCall): boolean {
  return !paused && (lastFailure?.type === FAILURES.apiKeyRefused || lastFailure?.type === FAILURES.misconfigured);
}

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API. */
const SCHEDULED = 1;

function failureType(failure: Error): string {
  return failure instanceof ApplicationFailure ? (failure.type ?? 'Failed') : failure.name;
}

function date({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): Date {
  return new Date(Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1_000_000);
}
