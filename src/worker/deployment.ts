import type { WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config/index.js';

/**
 * What makes a worker one of a version, if the configuration names one. Every worker of the process gets it: a version can become the
 * current one only if it polls every task queue that the last one polled.
 *
 * `PINNED` for sessions and shards: a run stays with the version that began it, so no version replays what another one has done. They
 * move by a new run, at points where nothing is under way (`workflows/new-run.ts`).
 *
 * `AUTO_UPGRADE` for the waits of Nexus operations: one activity is all that they do, so every version can go on with them, and
 * a wait of weeks keeps no version's workers alive.
 *
 * The worker says this and not the workflows, because the server refuses it from a worker without a version.
 */
export function versioned(
  { deployment }: Pick<Config, 'deployment'>,
  defaultVersioningBehavior: 'PINNED' | 'AUTO_UPGRADE',
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (deployment === null) return {};
  return { workerDeploymentOptions: { version: deployment, useWorkerVersioning: true, defaultVersioningBehavior } };
}
