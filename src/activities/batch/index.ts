import { MAX_SHARD_SESSIONS } from '../../contract/index.js';
import { emit } from '../observe.js';
import type { ActivityOptions } from '../options.js';
import { resolveOptions } from '../resolve-options.js';
import { completeMany } from './complete-many.js';
import { shareOf } from './rate-share.js';
import { SharedThrottle } from './shared-throttle.js';
import type { BulkActivities } from './types.js';

export interface BulkOptions extends ActivityOptions {
  /** Sessions that this worker completes at the same time. @default 64: one for each connection of the Incode client */
  concurrency?: number;
  /**
   * Requests per second of all workers of the bulk task queue together. Set the same value on each of them, and set their Temporal worker's
   * `maxTaskQueueActivitiesPerSecond` to {@link activitiesPerSecond}, with the same `partitions`.
   *
   * @default no limit
   */
  requestsPerSecond?: number;
  /**
   * Partitions of the bulk task queue, among which the server divides the limit. Too low a number lets requests exceed
   * `requestsPerSecond` for seconds.
   *
   * @default 1
   */
  partitions?: number;
}

/**
 * Sessions per activity without a rate limit, as a multiple of the concurrency. At the end of an activity fewer sessions run at the same
 * time, so few long activities are faster than many short ones.
 */
const ROUNDS_PER_ACTIVITY = 8;
const MIN_CHUNK = 500;

/**
 * Creates the activities of batches. Register them in a worker on the bulk task queue.
 *
 * @example
 * ```ts
 * const incode = createIncodeClient({ baseUrl, apiKey, connections: 64 });
 * const worker = await Worker.create({ taskQueue: BULK_TASK_QUEUE, workflowsPath, activities: createBulkActivities({ incode }) });
 * ```
 */
export function createBulkActivities({
  concurrency = 64,
  requestsPerSecond,
  partitions = 1,
  ...activityOptions
}: BulkOptions): BulkActivities {
  const options = resolveOptions(activityOptions);
  const throttle = new SharedThrottle({
    concurrency,
    perSecond: requestsPerSecond,
    operatorRetryMs: options.operatorRetryMs,
    onHeld: (held) => emit(options.observe, { type: 'batchHeld', held }),
  });
  return {
    completeMany: completeMany(options, throttle, {
      concurrency,
      share: requestsPerSecond === undefined ? undefined : shareOf(requestsPerSecond, partitions),
      chunk: chunkOf(concurrency),
    }),
  };
}

function chunkOf(concurrency: number): number {
  return Math.min(MAX_SHARD_SESSIONS, Math.max(MIN_CHUNK, concurrency * ROUNDS_PER_ACTIVITY));
}
