import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { FailureDetails } from '../activities/types.js';
import { FAILURES, InvalidInputError } from '../contract/index.js';
import type { Session } from './session.js';

/** An activity's final answer that Incode does not do what was asked. */
export interface ActivityRefusal {
  failure: ApplicationFailure;
  lastSentAt: number | undefined;
  accepted: true | undefined;
}

/** @returns `undefined` for anything but an activity that failed for good, such as a cancellation */
export function activityRefusal(error: unknown): ActivityRefusal | undefined {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return undefined;
  const details = error.cause.details?.[0] as FailureDetails | undefined;
  return { failure: error.cause, lastSentAt: details?.lastSentAt, accepted: details?.accepted };
}

/** Only an ApplicationFailure fails a workflow or an update; any other error would block the workflow task for ever. */
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

/** An update that makes no sense where the session stands. */
export function wrongStage({ stage, input }: Session, why: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.wrongStage,
    message: `Session ${input.interviewId} is in the stage ${stage}: ${why}`,
    nonRetryable: true,
    details: [{ interviewId: input.interviewId, stage }],
  });
}
