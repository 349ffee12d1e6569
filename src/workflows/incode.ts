import { proxyActivities } from '@temporalio/workflow';
import type { IncodeActivities } from '../activities/types.js';
import { ACTIVITY_OPTIONS } from './options.js';

function call<K extends keyof IncodeActivities>(activity: K): IncodeActivities[K] {
  return proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS[activity])[activity];
}

/** The activities, each with its own options. */
export const incode: IncodeActivities = {
  finishStatus: call('finishStatus'),
  closeSession: call('closeSession'),
  score: call('score'),
  reissueToken: call('reissueToken'),
  awaitMilestone: call('awaitMilestone'),
  onboardingStatus: call('onboardingStatus'),
};
