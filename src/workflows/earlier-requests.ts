import { workflowInfo } from '@temporalio/workflow';
import type { FinishStatusInput, FinishStatusResult } from '../activities/types.js';
import {
  type FinishAnswer,
  isFinished,
  milestoneOf,
  type OnboardingInput,
  onboardingWorkflowId,
} from '../contract/index.js';
import type { SessionRecord } from './record.js';
import type { Session } from './session.js';

// What is known of requests to finish a session that this run has not sent, or whose fate it does not know.

/** A reset, a workflow retry or a new start after a termination: a request may have been under way until just now. */
export function mayFollowAnother({ verifyFirst = false }: OnboardingInput, isContinued: boolean): boolean {
  const { runId, originalExecutionRunId, firstExecutionRunId, attempt } = workflowInfo();
  if (runId !== originalExecutionRunId || attempt > 1) return true;
  // A run that continues another was told of earlier requests by its record.
  return !isContinued && (verifyFirst || runId !== firstExecutionRunId);
}

/** Before this run's first call. */
export function earlierRequest({ input, record }: Session): SessionRecord['earlierRequest'] {
  if (record.earlierRequest) return record.earlierRequest;
  // Whoever finished the session according to a webhook may have done so just now.
  if ([record.onboardingStatus, ...record.hints].some(isFinished)) return { lastSentAt: Date.now() };
  // A second start under the same id is refused only if its caller asks for that, and under another id never.
  const isOwnId = workflowInfo().workflowId === onboardingWorkflowId(input.interviewId);
  return input.verifyFirst === false && isOwnId ? null : { lastSentAt: null };
}

/**
 * What stands in the history that a reset has left tells nothing of what came after it: a request may have been sent until just now.
 * Only what is called after that point is really called, so this is now, and not then.
 */
export function unlessReset(earlierRequest: SessionRecord['earlierRequest']): SessionRecord['earlierRequest'] {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId === originalExecutionRunId ? earlierRequest : { lastSentAt: Date.now() };
}

export function verification(record: SessionRecord): Pick<FinishStatusInput, 'verifyFirst' | 'lastSentAt'> {
  const earlierRequest = unlessReset(record.earlierRequest);
  if (earlierRequest === null) return {};
  const { lastSentAt } = earlierRequest;
  return { verifyFirst: true, ...(lastSentAt === null ? {} : { lastSentAt }) };
}

/** For a session that has no token: a webhook may tell all the same that it is finished, or can never be. */
export function finishedElsewhere({ onboardingStatus, byWebhook }: SessionRecord): FinishStatusResult | undefined {
  const confirmedBy = byWebhook ? 'webhook' : 'status';
  const byStatus: FinishAnswer = { action: null, redirectionUrl: null, confirmedBy };
  if (isFinished(onboardingStatus)) return { finish: byStatus, onboardingStatus };
  return milestoneOf(onboardingStatus) === 'expired' ? { finish: null, onboardingStatus } : undefined;
}
