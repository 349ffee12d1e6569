import type { WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config/index.js';

/**
 * Worker options for the configured deployment version. Every worker of the process gets them, because a version can become current
 * only if it polls every task queue of the current version.
 *
 * Sessions and shards are `PINNED`: a run stays with the version that started it, so no version replays another version's history. They
 * move to a new version by starting a new run while nothing is in flight (`workflows/new-run.ts`).
 *
 * Workflows that wait for a Nexus operation are `AUTO_UPGRADE`: they only run one activity, so every version can continue them, and a
 * wait of weeks does not keep an old version alive.
 *
 * The behavior is set here and not in the workflows, because the server refuses it from a worker without a version.
 */
export function versioned(
  { deployment }: Pick<Config, 'deployment'>,
  defaultVersioningBehavior: 'PINNED' | 'AUTO_UPGRADE',
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (deployment === null) return {};
  return { workerDeploymentOptions: { version: deployment, useWorkerVersioning: true, defaultVersioningBehavior } };
}
