import type { NativeConnection, Worker } from '@temporalio/worker';
import { ANSWER_WITHIN_MS, cachedReachability } from './reachability.js';
import type { Health } from './server.js';

/**
 * @returns a function that reports the workers' health: alive unless one has failed, and ready while all run and the server has
 * answered within the last few seconds
 */
export function healthOf(connection: NativeConnection, workers: readonly Worker[]): () => Promise<Health> {
  const isReachable = cachedReachability(() =>
    connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => connection.workflowService.getSystemInfo({})),
  );

  return async () => {
    const statuses = workers.map((worker) => worker.getStatus());
    const isFailed = statuses.some(
      ({ runState, workflowPollerState, activityPollerState }) =>
        runState === 'FAILED' || workflowPollerState === 'FAILED' || activityPollerState === 'FAILED',
    );
    if (isFailed) return { alive: false, ready: false, reason: 'A worker has failed' };
    const notRunning = statuses.find(({ runState }) => runState !== 'RUNNING');
    if (notRunning) return { alive: true, ready: false, reason: `A worker is ${notRunning.runState}` };
    if (!(await isReachable())) return { alive: true, ready: false, reason: 'Temporal does not answer' };
    return { alive: true, ready: true };
  };
}
