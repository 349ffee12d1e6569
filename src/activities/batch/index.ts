import { MAX_SHARD_SESSIONS } from '../../contract/index.js';
import { emit } from '../observe.js';
import { ACTIVITY_DEFAULTS, type ActivityOptions, type ResolvedActivityOptions } from '../options.js';
import { guardedTokenSource } from '../token-source.js';
import { completeMany } from './complete-many.js';
import { SharedThrottle } from './shared-throttle.js';
import type { BulkActivities } from './types.js';

export interface BulkOptions extends ActivityOptions {
  /** Sessions at a time in this worker. @default 64: one for each connection of the Incode client */
  concurrency?: number;
  /**
   * Requests per second of all workers of the bulk task queue together. Each of them has to be told the same, and its worker to
   * take {@link activitiesPerSecond} from the server.
   *
   * @default no limit
   */
  requestsPerSecond?: number;
}

/**
 * How long an activity makes requests when there is a rate limit: long enough that activities cost little, short enough that
 * the server hands the limit out evenly.
 */
const SECONDS_PER_ACTIVITY = 2;

/**
 * Sessions of one activity without a rate limit, for each that is under way at a time: while an activity ends, fewer and fewer
 * are, so an end is to be rare. 2,000 are a shard.
 */
const ROUNDS_PER_ACTIVITY = 8;
const MIN_CHUNK = 500;

/** What the server has to enforce on the bulk task queue (`maxTaskQueueActivitiesPerSecond`). */
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
export function createBulkActivities({ concurrency = 64, requestsPerSecond, ...given }: BulkOptions): BulkActivities {
  const resolved = { ...ACTIVITY_DEFAULTS, ...given };
  const { tokenSource, tokenTimeoutMs } = resolved;
  const options: ResolvedActivityOptions = {
    ...resolved,
    ...(tokenSource ? { tokenSource: guardedTokenSource(tokenSource, tokenTimeoutMs) } : {}),
  };
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
