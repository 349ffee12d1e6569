import { isGrpcServiceError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { GRPC } from '../temporal/grpc.js';

/** Written beside a limit of ours, so that one that an operator has set is never removed. */
const REASON = 'temporal-incode: INCODE_RATE_LIMIT';

/** `TASK_QUEUE_TYPE_ACTIVITY` of Temporal's API. */
const ACTIVITY = 2;

/**
 * Tells the server how many activities of a task queue it may hand out, over all workers. A worker tells it too with each poll
 * (`maxTaskQueueActivitiesPerSecond`), but the first tasks are handed out before that counts: two workers that start beside a
 * waiting batch made twice as many requests as allowed, for as long as an activity lasts.
 *
 * @param perSecond `null` removes a limit that this function has set
 */
export async function limitTaskQueue(
  { workflowService }: NativeConnection,
  queue: { namespace: string; taskQueue: string },
  perSecond: number | null,
): Promise<void> {
  try {
    if (perSecond === null && !(await isLimitedByUs(workflowService, queue))) return;
    await workflowService.updateTaskQueueConfig({
      ...queue,
      identity: 'temporal-incode',
      taskQueueType: ACTIVITY,
      updateQueueRateLimit: {
        reason: REASON,
        ...(perSecond === null ? {} : { rateLimit: { requestsPerSecond: perSecond } }),
      },
    });
  } catch (error) {
    // An older server: the workers' own word has to do.
    const isUnknown = isGrpcServiceError(error) && error.code === GRPC.unimplemented;
    // Who may not look cannot have set one. Without a limit there is nothing to lose.
    const mayNotLook = perSecond === null && isGrpcServiceError(error) && error.code === GRPC.permissionDenied;
    if (!isUnknown && !mayNotLook) throw error;
  }
}

async function isLimitedByUs(
  service: NativeConnection['workflowService'],
  { namespace, taskQueue }: { namespace: string; taskQueue: string },
): Promise<boolean> {
  const { config } = await service.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: ACTIVITY,
    reportConfig: true,
  });
  return config?.queueRateLimit?.metadata?.reason === REASON;
}
