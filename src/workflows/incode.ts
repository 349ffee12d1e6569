import { ActivityFailure, CancelledFailure, proxyActivities } from '@temporalio/workflow';
import type { IncodeActivities } from '../activities/types.js';
import { ACTIVITY_OPTIONS } from './options.js';

/** The activities, each with its options. */
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
 * Temporal does not retry an attempt that fails after a cancellation was requested, so its failure looks final. It counts as a
 * cancellation instead, because it would otherwise fail the session.
 */
export function cancellationFirst(error: unknown): never {
  if (error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED') {
    throw new CancelledFailure(`${error.activityType} was cancelled while an attempt failed`);
  }
  throw error;
}
