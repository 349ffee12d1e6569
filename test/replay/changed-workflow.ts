import { proxyActivities } from '@temporalio/workflow';

const { score } = proxyActivities<{ score(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

/** An incompatible change: it reads the score before it finishes the session. */
export async function onboardingSession(): Promise<void> {
  await score();
}

/** An incompatible change of batches. */
export async function onboardingBatch(): Promise<void> {
  await score();
}

/** An incompatible change of lists of people. */
export async function captureBatch(): Promise<void> {
  await score();
}
