import { isGrpcServiceError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { GRPC } from '../temporal/grpc.js';

/** Marks a limit as ours, so that an operator's own limit is never removed. */
function reasonOf(variable: string): string {
  return `temporal-incode: ${variable}`;
}

/** `TASK_QUEUE_TYPE_ACTIVITY` of Temporal's API. */
const ACTIVITY = 2;

/**
 * Sets the server's limit of activities per second of a task queue, for all workers together. Each poll of a worker sends the limit too
 * (`maxTaskQueueActivitiesPerSecond`), but it takes effect only after the first tasks: two workers that started while a batch waited
 * sent twice the allowed requests.
 *
 * @param perSecond `null` removes a limit that this function set earlier
 * @param variable the variable that sets the limit. The Web UI shows it as the reason
 */
export async function limitTaskQueue(
  { workflowService }: NativeConnection,
  queue: { namespace: string; taskQueue: string },
  perSecond: number | null,
  variable = 'INCODE_RATE_LIMIT',
): Promise<void> {
  try {
    if (perSecond === null && !(await isLimitedByUs(workflowService, queue, variable))) return;
    await workflowService.updateTaskQueueConfig({
      ...queue,
      identity: 'temporal-incode',
      taskQueueType: ACTIVITY,
      updateQueueRateLimit: {
        reason: reasonOf(variable),
        ...(perSecond === null ? {} : { rateLimit: { requestsPerSecond: perSecond } }),
      },
    });
  } catch (error) {
    // An older server has no such limit; the workers' polls have to do.
    const isUnsupported = isGrpcServiceError(error) && error.code === GRPC.unimplemented;
    // A client that may not read the limit cannot have set one, so there is nothing to remove.
    const mayNotRead = perSecond === null && isGrpcServiceError(error) && error.code === GRPC.permissionDenied;
    if (!isUnsupported && !mayNotRead) throw error;
  }
}

async function isLimitedByUs(
  service: NativeConnection['workflowService'],
  { namespace, taskQueue }: { namespace: string; taskQueue: string },
  variable: string,
): Promise<boolean> {
  const { config } = await service.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: ACTIVITY,
    reportConfig: true,
  });
  return config?.queueRateLimit?.metadata?.reason === reasonOf(variable);
}
