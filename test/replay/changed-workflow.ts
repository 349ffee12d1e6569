import { proxyActivities } from '@temporalio/workflow';

const { score } = proxyActivities<{ score(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

/** What a careless change may look like: the score is read before the session is finished. */
export async function onboardingSession(): Promise<void> {
  await score();
}

/** The same of a batch: its activity is told nothing of the sessions. */
export async function onboardingBatch(): Promise<void> {
  await score();
}
