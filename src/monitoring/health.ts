import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Health } from './server.js';

/** Probes ask every few seconds, each worker of a large fleet: the server is asked no more often than this. */
const FRESH_MS = 5_000;

/** Probes give up after a second or a few. */
const ANSWER_WITHIN_MS = 2_000;

/**
 * @returns what its workers are like: alive unless one has ended by a failure, and ready while all of them run and the
 * server has answered within the last few seconds
 */
export function healthOf(connection: NativeConnection, workers: readonly Worker[]): () => Promise<Health> {
  let answeredAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | undefined;

  async function isReachable(): Promise<boolean> {
    if (performance.now() - answeredAt < FRESH_MS) return true;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    // The SDK repeats a call that fails for longer than its deadline.
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
    });
    return Promise.race([asking, limit]).finally(() => clearTimeout(timer));
  }

  async function ask(): Promise<boolean> {
    try {
      await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => connection.workflowService.getSystemInfo({}));
      answeredAt = performance.now();
      return true;
    } catch {
      return false;
    }
  }

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
