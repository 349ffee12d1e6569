import type { Connection } from '@temporalio/client';

/** `TASK_QUEUE_TYPE_WORKFLOW` and `_ACTIVITY` of Temporal's API. */
export const QUEUE_TYPES = { workflows: 1, activities: 2 } as const;

/** A running worker polls at least once a minute. The server lists it for five minutes after its last poll. */
const GONE_AFTER_MS = 120_000;

export interface Poller {
  identity: string;
  agoMs: number;
  /** `null` for a worker without a version. */
  version: Version | null;
}

/** Version of a Temporal Worker Deployment. */
export interface Version {
  deploymentName: string;
  buildId: string;
}

/** The workers that polled a task queue within the last two minutes, the version that gets new work, and the server's rate limit. */
export async function pollersOf(
  { workflowService }: Connection,
  namespace: string,
  taskQueue: string,
  taskQueueType: (typeof QUEUE_TYPES)[keyof typeof QUEUE_TYPES],
): Promise<{ pollers: Poller[]; current: Version | null; perSecond: number | null }> {
  const queue = { namespace, taskQueue: { name: taskQueue }, taskQueueType, reportConfig: true };
  const { pollers, versioningInfo, config } = await workflowService.describeTaskQueue(queue);
  const seen = (pollers ?? []).map(({ identity, lastAccessTime, deploymentOptions }) => ({
    identity: identity ?? 'unknown',
    agoMs: Math.max(0, Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000),
    // 2: WORKER_VERSIONING_MODE_VERSIONED
    version: deploymentOptions?.workerVersioningMode === 2 ? versionOf(deploymentOptions) : null,
  }));
  return {
    pollers: seen.filter(({ agoMs }) => agoMs < GONE_AFTER_MS),
    current: versionOf(versioningInfo?.currentDeploymentVersion),
    perSecond: config?.queueRateLimit?.rateLimit?.requestsPerSecond ?? null,
  };
}

function versionOf(
  version: { deploymentName?: string | null; buildId?: string | null } | null | undefined,
): Version | null {
  const { deploymentName, buildId } = version ?? {};
  return deploymentName && buildId ? { deploymentName, buildId } : null;
}
