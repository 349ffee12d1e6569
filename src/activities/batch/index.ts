import { MAX_SHARD_SESSIONS } from '../../contract/index.js';
import { emit } from '../observe.js';
import type { ActivityOptions } from '../options.js';
import { resolveOptions } from '../resolve-options.js';
import { completeMany } from './complete-many.js';
import { SharedThrottle } from './shared-throttle.js';
import type { BulkActivities } from './types.js';

export interface BulkOptions extends ActivityOptions {
  /** Sessions that this worker completes at the same time. @default 64: one for each connection of the Incode client */
  concurrency?: number;
  /**
   * Requests per second of all workers of the bulk task queue together. Set the same value on each of them, and set their Temporal worker's
   * `maxTaskQueueActivitiesPerSecond` to {@link activitiesPerSecond}.
   *
   * @default no limit
   */
  requestsPerSecond?: number;
}

/**
 * How long an activity makes requests under a rate limit. Long enough that activities cost little, and short enough that the server spreads
 * the requests evenly.
 */
const SECONDS_PER_ACTIVITY = 2;

/**
 * Sessions per activity without a rate limit, as a multiple of the concurrency. At the end of an activity fewer sessions run at the same
 * time, so few long activities are faster than many short ones.
 */
const ROUNDS_PER_ACTIVITY = 8;
const MIN_CHUNK = 500;

/** The rate of activities that the server must enforce on the bulk task queue: `maxTaskQueueActivitiesPerSecond`. */
export function activitiesPerSecond(requestsPerSecond: number): number {
  return requestsPerSecond / requestsPerActivity(requestsPerSecond);
}

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
      share: shareOf(requestsPerSecond),
      chunk: chunkOf(concurrency),
    }),
  };
}

function chunkOf(concurrency: number): number {
  return Math.min(MAX_SHARD_SESSIONS, Math.max(MIN_CHUNK, concurrency * ROUNDS_PER_ACTIVITY));
}

function shareOf(requestsPerSecond: number | undefined): { requests: number; withinMs: number } | undefined {
  if (requestsPerSecond === undefined) return undefined;
  const requests = requestsPerActivity(requestsPerSecond);
  return { requests, withinMs: (requests / requestsPerSecond) * 1_000 };
}

function requestsPerActivity(requestsPerSecond: number): number {
  return Math.max(1, Math.round(requestsPerSecond * SECONDS_PER_ACTIVITY));
}
