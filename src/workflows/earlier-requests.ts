import { workflowInfo } from '@temporalio/workflow';
import type { FinishStatusInput, FinishStatusResult } from '../activities/types.js';
import { type FinishAnswer, isFinished } from '../contract/index.js';
import { isExpired } from '../contract/milestones.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { resolveVerifyFirst } from '../contract/verify-first.js';
import type { SessionRecord } from './record.js';
import type { Session } from './session.js';

// Tracks finish requests that another run or process may have sent, and requests of this run with an unknown result.

/** After a reset or a workflow retry, another run may still have had a request in flight a moment ago. */
export function mayFollowAnother(isContinued: boolean): boolean {
  const { runId, originalExecutionRunId, firstExecutionRunId, attempt } = workflowInfo();
  if (runId !== originalExecutionRunId || attempt > 1) return true;
  // A continued run knows earlier requests from its record.
  return !isContinued && runId !== firstExecutionRunId;
}

/** @returns the requests that may exist before the first call of this run */
export function earlierRequest({ input, record }: Session): SessionRecord['earlierRequest'] {
  if (record.earlierRequest) return record.earlierRequest;
  // According to a webhook, somebody finished the session, maybe a moment ago.
  if ([record.onboardingStatus, ...record.hints].some(isFinished)) return { lastSentAt: Date.now() };
  switch (resolveVerifyFirst(input.verifyFirst)) {
    case 'look':
      return { lastSentAt: null };
    case 'settle':
      return { lastSentAt: Date.now() };
    case 'trust':
      return null;
  }
}

/**
 * After a reset, the remaining history does not show the requests that the old run sent later, maybe a moment ago. `Date.now()` is
 * the current time here, because activities scheduled in replay are not called again.
 */
export function unlessReset(earlierRequest: SessionRecord['earlierRequest']): SessionRecord['earlierRequest'] {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId === originalExecutionRunId ? earlierRequest : { ...earlierRequest, lastSentAt: Date.now() };
}

/** The input of `finishStatus` about earlier requests. Workers of earlier versions read the status only if `verifyFirst` is present. */
export function verification(
  record: SessionRecord,
): Pick<FinishStatusInput, 'verifyFirst' | 'lastSentAt' | 'accepted'> {
  const earlierRequest = unlessReset(record.earlierRequest);
  if (earlierRequest === null) return { verifyFirst: 'trust' };
  const { lastSentAt, accepted } = earlierRequest;
  return { verifyFirst: 'look', ...omitUndefined({ lastSentAt: lastSentAt ?? undefined, accepted }) };
}

/** @returns the result for a session without a token, if its status says that it is finished or expired */
export function finishedElsewhere({ onboardingStatus, byWebhook }: SessionRecord): FinishStatusResult | undefined {
  const confirmedBy = byWebhook ? 'webhook' : 'status';
  const byStatus: FinishAnswer = { action: null, redirectionUrl: null, confirmedBy };
  if (isFinished(onboardingStatus)) return { finish: byStatus, onboardingStatus };
  return isExpired(onboardingStatus) ? { finish: null, onboardingStatus } : undefined;
}
