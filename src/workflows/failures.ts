import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { FailureDetails } from '../activities/types.js';
import { FAILURES, InvalidInputError } from '../contract/index.js';
import type { Session } from './session.js';

/** A final failure of an activity. */
export interface ActivityRefusal {
  failure: ApplicationFailure;
  lastSentAt: number | undefined;
  accepted: true | undefined;
}

/** @returns `undefined` for everything but a final failure of an activity, for example for a cancellation */
export function activityRefusal(error: unknown): ActivityRefusal | undefined {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return undefined;
  const details = error.cause.details?.[0] as FailureDetails | undefined;
  return { failure: error.cause, lastSentAt: details?.lastSentAt, accepted: details?.accepted };
}

/** Turns an InvalidInputError into an ApplicationFailure. Any other error would make the server retry the workflow task without end. */
export function guarded<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw ApplicationFailure.create({
      type: FAILURES.invalidInput,
      message: error.message,
      nonRetryable: true,
      details: [{ field: error.field }],
    });
  }
}

/** Refuses an update that is not possible in the session's current stage. */
export function wrongStage({ stage, input }: Session, why: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.wrongStage,
    message: `Session ${input.interviewId} is in the stage ${stage}: ${why}`,
    nonRetryable: true,
    details: [{ interviewId: input.interviewId, stage }],
  });
}
