import { FAILURES, isProcessed, milestoneOf } from '../contract/index.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import { readStatus } from './read-by-id.js';
import { isRefusedForGood } from './score.js';
import type { AwaitMilestoneInput } from './types.js';

/**
 * Reads the status until it says enough. Each "not yet" is a failed attempt with a fixed delay: such a poll adds nothing to
 * the workflow's history.
 *
 * Incode's `isfinished` is not asked: nothing is being processed before the first document either, nor between two of them,
 * and finishing half of an onboarding cannot be undone.
 */
export function awaitMilestone(options: ResolvedActivityOptions) {
  const { processedPollMs, reviewPollMs, observe } = options;
  return async (input: AwaitMilestoneInput): Promise<{ onboardingStatus: string }> => {
    const { interviewId, milestone } = input;
    const pollMs = spread(milestone === 'processed' ? processedPollMs : reviewPollMs);
    const { onboardingStatus } = await callIncode((signal) => readStatus(options, input, signal)).catch((error) => {
      // The session is finished: its outcome must not be lost because Incode does not let it be looked at.
      if (milestone === 'reviewed' && isRefusedForGood(error)) return { onboardingStatus: 'UNKNOWN' };
      // A poll that fails is only a poll that comes later: thousands of waiting sessions must not hammer an Incode in trouble.
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

/** Up to a tenth sooner, so that sessions that were started together do not ask together for days. */
function spread(ms: number): number {
  return ms * (1 - Math.random() / 10);
}
