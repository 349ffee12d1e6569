import { ActivityFailure, CancelledFailure, proxyActivities } from '@temporalio/workflow';
import type { IncodeActivities } from '../activities/types.js';
import { ACTIVITY_OPTIONS } from './options.js';

/** The activities, each with its own options. */
export const incode: IncodeActivities = {
  finishStatus: call('finishStatus'),
  closeSession: call('closeSession'),
  score: call('score'),
  reissueToken: call('reissueToken'),
  awaitMilestone: call('awaitMilestone'),
  onboardingStatus: call('onboardingStatus'),
  confirmFinish: call('confirmFinish'),
  confirmStatus: call('confirmStatus'),
};

function call<K extends keyof IncodeActivities>(activity: K): IncodeActivities[K] {
  const scheduled = proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS[activity])[activity] as Call;
  const called: Call = (input) => scheduled(input).catch(cancellationFirst);
  return called as IncodeActivities[K];
}

type Call = (input: never) => Promise<unknown>;

/**
 * An attempt that fails once its activity was to be cancelled is not repeated: its failure arrives as if it were for good, and
 * would fail the session instead of ending the call.
 */
function cancellationFirst(error: unknown): never {
  if (error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED') {
    throw new CancelledFailure(`${error.activityType} was cancelled while an attempt failed`);
  }
  throw error;
}
