import type { NativeConnection, WorkerInterceptors, WorkerOptions } from '@temporalio/worker';
import {
  type ActivityEvent,
  type ActivityOptions,
  activitiesPerSecond,
  createBulkActivities,
  createIncodeActivities,
  reissuingTokenSource,
  type TokenSource,
} from '../activities/index.js';
import type { CaptureConfig, Config } from '../config/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import type { ImageSource } from '../images/index.js';
import type { ExecutiveToken, IncodeCall, IncodeClient } from '../incode/index.js';
import { limitTaskQueue } from './task-queue-limit.js';
import { partitionsOf } from './task-queue-partitions.js';

export interface CreateWorkerOptions {
  /**
   * Provides fresh session tokens, for example from your vault.
   *
   * @default Incode, if `INCODE_CONFIGURATION_ID` is set: it re-issues tokens through `POST /omni/start`
   */
  tokenSource?: TokenSource;
  /**
   * Where images of people may come from, and Incode's rate limits for them: `readCaptureConfig()`.
   *
   * @default no place is allowed
   */
  capture?: CaptureConfig;
  /** Sources of images in addition to files, HTTPS and S3. Close them yourself after `run()`. @default none */
  imageSources?: readonly ImageSource[];
  /**
   * SDK options for the worker of single sessions. They override ours. `dataConverter` applies to all workers, because a codec must
   * cover batches too.
   *
   * @default none
   */
  worker?: Partial<WorkerOptions>;
  /** Interceptors for all workers, including those for batches and Nexus, for example for tracing. @default none */
  interceptors?: Omit<WorkerInterceptors, 'workflowModules'>;
  /** Called after each call to Incode completes. @default no callback */
  onCall?: (call: IncodeCall) => void;
  /** Called for each event that the activities report. @default no callback */
  observe?: (event: ActivityEvent) => void;
}

/** How a worker calls Incode. */
export interface IncodeAccess {
  incode: IncodeClient;
  /** All workers of the process share it, so that it logs in once. */
  executive: ExecutiveToken | undefined;
}

/** Activities per second of single sessions, and requests per second of batches; `null` for no limit. */
function rates(config: Config): { single: number; bulk: number } | null {
  const { rateLimit, bulkShare } = config;
  if (rateLimit === null) return null;
  const single = (rateLimit * (1 - bulkShare)) / requestsOfFinish(config);
  // Never starve either queue, even with a share of 0 or 1.
  return { single: Math.max(single, 0.1), bulk: Math.max(rateLimit * bulkShare, 0.1) };
}

/** The other activities of single sessions make one. */
function requestsOfFinish({ executive, refusesForeignIds }: Config): number {
  // The reads by both tokens, the finish, and the read that confirms it.
  if (executive) return 4;
  // A token whose claim does not name its session has its finish confirmed too, unless the look proves that it fits.
  return refusesForeignIds ? 2 : 3;
}

/** @returns the partitions of the bulk task queue; 1 without a limit, because they make no difference then */
export async function limitTaskQueues(connection: NativeConnection, config: Config): Promise<number> {
  const { namespace, taskQueue, bulkTaskQueue } = config;
  const rate = rates(config);
  const partitions = rate === null ? 1 : await partitionsOf(connection, { namespace, taskQueue: bulkTaskQueue });
  await limitTaskQueue(connection, { namespace, taskQueue }, rate === null ? null : rate.single);
  const bulk = rate === null ? null : activitiesPerSecond(rate.bulk, partitions);
  await limitTaskQueue(connection, { namespace, taskQueue: bulkTaskQueue }, bulk);
  return partitions;
}

export function onboardingOptions(config: Config, access: IncodeAccess, options: CreateWorkerOptions) {
  const { connections } = config;
  const rate = rates(config);
  return {
    taskQueue: config.taskQueue,
    activities: createIncodeActivities(activityOptions(config, access, options)),
    maxCachedWorkflows: config.maxCachedWorkflows,
    maxConcurrentWorkflowTaskExecutions: config.workflowTasks,
    // Pollers hold up to twice as many slots, and an eager start needs a free one.
    workflowTaskPollerBehavior: { type: 'simple-maximum' as const, maximum: polls(config.workflowTasks) },
    // Each activity makes one call at a time. More activities than connections would spend their timeouts waiting.
    maxConcurrentActivityTaskExecutions: connections,
    ...(rate ? { maxTaskQueueActivitiesPerSecond: rate.single } : {}),
  };
}

/** The SDK's 10 if there are enough slots; at least one for cached workflows and one for others. */
function polls(slots: number): number {
  return Math.max(2, Math.min(10, Math.floor((slots - 1) / 2)));
}

/** A shard has a task every few seconds, so two are enough. The SDK needs at least two. */
const BULK_WORKFLOW_TASKS = 2;

/** @param partitions of the bulk task queue */
export function bulkOptions(config: Config, partitions: number, access: IncodeAccess, options: CreateWorkerOptions) {
  const { bulkConnections } = config;
  const rate = rates(config);
  return {
    taskQueue: config.bulkTaskQueue,
    activities: createBulkActivities({
      ...activityOptions(config, access, options),
      concurrency: bulkConnections,
      ...(rate ? { requestsPerSecond: rate.bulk, partitions } : {}),
    }),
    maxCachedWorkflows: config.bulkCachedWorkflows,
    maxConcurrentWorkflowTaskExecutions: BULK_WORKFLOW_TASKS,
    maxConcurrentActivityTaskExecutions: Math.max(config.bulkActivities, slotsFor(partitions)),
    ...(rate ? { maxTaskQueueActivitiesPerSecond: activitiesPerSecond(rate.bulk, partitions) } : {}),
  };
}

/**
 * The server runs one activity per partition at a time, and each free slot is a poll of one partition. A partition without a poll passes its
 * task on to another one, which keeps it to its own rate too. With two polls more per partition that hardly ever happens.
 */
function slotsFor(partitions: number): number {
  return partitions === 1 ? 1 : 3 * partitions;
}

function activityOptions(
  config: Config,
  { incode, executive }: IncodeAccess,
  options: CreateWorkerOptions,
): ActivityOptions {
  const { configurationId, refusesForeignIds, timeoutMs, settleTimeMs, confirmFinishWithinMs } = config;
  const { processedPollMs, reviewPollMs } = config;
  const reissuing = configurationId ? reissuingTokenSource(incode, { configurationId }) : undefined;
  const tokenSource = options.tokenSource ?? reissuing;
  return {
    incode,
    refusesForeignIds,
    settleTimeMs,
    confirmFinishWithinMs,
    // Incode's re-issue has its own timeout, whose error is more precise.
    ...omitUndefined({ tokenTimeoutMs: options.tokenSource ? undefined : 2 * timeoutMs }),
    processedPollMs,
    reviewPollMs,
    ...omitUndefined({ tokenSource, executive, observe: options.observe }),
  };
}
