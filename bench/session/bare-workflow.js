import { proxyActivities } from '@temporalio/workflow';

const { finishStatus } = proxyActivities({ startToCloseTimeout: '90 seconds' });

/** The least that a workflow around a call of Incode can be. */
export async function bare(session) {
  return finishStatus(session);
}
