import { FAILURES, isProcessed } from '../contract/index.js';
import { milestoneOf } from '../contract/milestones.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import { readStatus } from './read-by-id.js';
import { isRefusedForGood } from './score.js';
import type { AwaitMilestoneInput } from './types.js';

/**
 * Reads the status until it has reached the milestone. Each early read fails the attempt with a fixed delay, because such a poll adds
 * nothing to the workflow's history.
 *
 * Does not use Incode's `isfinished`: it is also true before the first document and between two documents, and half an onboarding that is
 * finished cannot be continued.
 */
export function awaitMilestone(options: ResolvedActivityOptions) {
  const { processedPollMs, reviewPollMs, observe } = options;
  return async (input: AwaitMilestoneInput): Promise<{ onboardingStatus: string }> => {
    const { interviewId, milestone } = input;
    const pollMs = spread(milestone === 'processed' ? processedPollMs : reviewPollMs);
    const { onboardingStatus } = await callIncode((signal) => readStatus(options, input, signal)).catch((error) => {
      // The session is finished. A refused read must not cost it its outcome.
      if (milestone === 'reviewed' && isRefusedForGood(error)) return { onboardingStatus: 'UNKNOWN' };
      // A failed poll waits as long as any other, so that thousands of waiting sessions do not overload Incode in an outage.
      const operatorRetryMs = Math.min(options.operatorRetryMs, pollMs);
      throw activityFailure(error, { interviewId, operatorRetryMs, leastDelayMs: pollMs, observe });
    });
    if (isReached(milestone, onboardingStatus)) return { onboardingStatus };
    const what = milestone === 'processed' ? 'the session is still being captured' : 'nobody has decided yet';
    throw notYet(FAILURES.milestoneNotReached, interviewId, what, pollMs);
  };
}

function isReached(milestone: AwaitMilestoneInput['milestone'], onboardingStatus: string): boolean {
  const reached = milestoneOf(onboardingStatus);
  if (milestone === 'reviewed') return reached === 'reviewed';
  return isProcessed(onboardingStatus) || reached === 'expired';
}

/** Shortens the delay by up to a tenth, so that sessions that were started together do not poll together for days. */
function spread(ms: number): number {
  return ms * (1 - Math.random() / 10);
}
