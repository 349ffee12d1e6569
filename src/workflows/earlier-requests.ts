import { workflowInfo } from '@temporalio/workflow';
import type { FinishStatusInput, FinishStatusResult } from '../activities/types.js';
import {
  type FinishAnswer,
  isFinished,
  milestoneOf,
  type OnboardingInput,
  resolveVerifyFirst,
} from '../contract/index.js';
import type { SessionRecord } from './record.js';
import type { Session } from './session.js';

// What is known of requests to finish a session that this run has not sent, or whose fate it does not know.

/** A reset, a workflow retry or a new start after a termination: a request may have been under way until just now. */
export function mayFollowAnother({ verifyFirst }: OnboardingInput, isContinued: boolean): boolean {
  const { runId, originalExecutionRunId, firstExecutionRunId, attempt } = workflowInfo();
  if (runId !== originalExecutionRunId || attempt > 1) return true;
  // A run that continues another was told of earlier requests by its record.
  return !isContinued && (resolveVerifyFirst(verifyFirst) === 'settle' || runId !== firstExecutionRunId);
}

/** Before this run's first call. */
export function earlierRequest({ input, record }: Session): SessionRecord['earlierRequest'] {
  if (record.earlierRequest) return record.earlierRequest;
  // Whoever finished the session according to a webhook may have done so just now.
  if ([record.onboardingStatus, ...record.hints].some(isFinished)) return { lastSentAt: Date.now() };
  return resolveVerifyFirst(input.verifyFirst) === 'trust' ? null : { lastSentAt: null };
}

/**
 * What stands in the history that a reset has left tells nothing of what came after it: a request may have been sent until just now.
 * Only what is called after that point is really called, so this is now, and not then.
 */
export function unlessReset(earlierRequest: SessionRecord['earlierRequest']): SessionRecord['earlierRequest'] {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId === originalExecutionRunId ? earlierRequest : { ...earlierRequest, lastSentAt: Date.now() };
}

/** What a call is told. Workers of earlier versions look only if there is a `verifyFirst`. */
export function verification(
  record: SessionRecord,
): Pick<FinishStatusInput, 'verifyFirst' | 'lastSentAt' | 'accepted'> {
  const earlierRequest = unlessReset(record.earlierRequest);
  if (earlierRequest === null) return { verifyFirst: 'trust' };
  const { lastSentAt, accepted } = earlierRequest;
  return {
    verifyFirst: 'look',
    ...(lastSentAt === null ? {} : { lastSentAt }),
    ...(accepted ? { accepted } : {}),
  };
}

/** For a session that has no token: a webhook may tell all the same that it is finished, or can never be. */
export function finishedElsewhere({ onboardingStatus, byWebhook }: SessionRecord): FinishStatusResult | undefined {
  const confirmedBy = byWebhook ? 'webhook' : 'status';
  const byStatus: FinishAnswer = { action: null, redirectionUrl: null, confirmedBy };
  if (isFinished(onboardingStatus)) return { finish: byStatus, onboardingStatus };
  return milestoneOf(onboardingStatus) === 'expired' ? { finish: null, onboardingStatus } : undefined;
}
