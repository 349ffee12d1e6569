import { proxyActivities } from '@temporalio/workflow';

const { finish } = proxyActivities({ startToCloseTimeout: '1 minute' });

/** As in Temporal's samples: the default retry policy, and an activity for the call. */
export async function completeSession(session) {
  return await finish(session);
}
