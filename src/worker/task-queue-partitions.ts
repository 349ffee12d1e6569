import { isGrpcServiceError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { GRPC } from '../temporal/grpc.js';

/** Temporal's default. */
const DEFAULT_PARTITIONS = 4;

/** @returns among how many partitions the server divides the rate limit of the task queue's activities */
export async function partitionsOf(
  { workflowService }: Pick<NativeConnection, 'workflowService'>,
  { namespace, taskQueue }: { namespace: string; taskQueue: string },
): Promise<number> {
  try {
    const queue = { namespace, taskQueue: { name: taskQueue } };
    const { activityTaskQueuePartitions } = await workflowService.listTaskQueuePartitions(queue);
    return activityTaskQueuePartitions.length || DEFAULT_PARTITIONS;
  } catch (error) {
    // With fewer partitions than assumed, the requests still keep to the limit.
    const unknown: number[] = [GRPC.unimplemented, GRPC.permissionDenied];
    if (isGrpcServiceError(error) && unknown.includes(error.code)) return DEFAULT_PARTITIONS;
    throw error;
  }
}
