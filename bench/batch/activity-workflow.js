import { proxyActivities } from '@temporalio/workflow';

const { finishStatus } = proxyActivities({ startToCloseTimeout: '90 seconds', retry: { initialInterval: '1 second' } });

/** One activity per session, a few hundred at a time: what a first version of a batch looks like. */
export async function activityPerSession(sessions) {
  const left = sessions.values();
  const outcomes = [];
  const lane = async () => {
    // The other ways make one request a session too.
    for (const session of left) {
      outcomes.push((await finishStatus({ ...session, verifyFirst: 'trust' })).finish.action);
    }
  };
  await Promise.all(Array.from({ length: 200 }, lane));
  return outcomes.length;
}
