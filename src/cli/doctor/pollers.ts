import type { Connection } from '@temporalio/client';

/** `TASK_QUEUE_TYPE_WORKFLOW` and `_ACTIVITY` of Temporal's API. */
export const QUEUE_TYPES = { workflows: 1, activities: 2 } as const;

/** A worker asks again after a minute at most. The server lists it for five. */
const GONE_AFTER_MS = 120_000;

export interface Poller {
  identity: string;
  agoMs: number;
  /** `null` if it is of none. */
  version: Version | null;
}

/** Of a Temporal Worker Deployment. */
export interface Version {
  deploymentName: string;
  buildId: string;
}

/** Who has asked a task queue for work within the last two minutes, and which version new work goes to. */
export async function pollersOf(
  { workflowService }: Connection,
  namespace: string,
  taskQueue: string,
  taskQueueType: (typeof QUEUE_TYPES)[keyof typeof QUEUE_TYPES],
): Promise<{ pollers: Poller[]; current: Version | null }> {
  const queue = { namespace, taskQueue: { name: taskQueue }, taskQueueType };
  const { pollers, versioningInfo } = await workflowService.describeTaskQueue(queue);
  const seen = (pollers ?? []).map(({ identity, lastAccessTime, deploymentOptions }) => ({
    identity: identity ?? 'unknown',
    agoMs: Math.max(0, Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000),
    // 2: WORKER_VERSIONING_MODE_VERSIONED
    version: deploymentOptions?.workerVersioningMode === 2 ? versionOf(deploymentOptions) : null,
  }));
  return {
    pollers: seen.filter(({ agoMs }) => agoMs < GONE_AFTER_MS),
    current: versionOf(versioningInfo?.currentDeploymentVersion),
  };
}

function versionOf(
  given: { deploymentName?: string | null; buildId?: string | null } | null | undefined,
): Version | null {
  const { deploymentName, buildId } = given ?? {};
  return deploymentName && buildId ? { deploymentName, buildId } : null;
}
