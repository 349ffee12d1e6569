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
import type { Config } from '../config/index.js';
import type { IncodeCall, IncodeClient } from '../incode/index.js';
import { executiveToken } from './executive.js';
import { limitTaskQueue } from './task-queue-limit.js';

export interface CreateWorkerOptions {
  /**
   * Where fresh session tokens come from, such as a vault of yours.
   *
   * @default Incode itself, if `INCODE_CONFIGURATION_ID` is set: it re-issues them through `POST /omni/start`
   */
  tokenSource?: TokenSource;
  /**
   * The SDK's own options for the worker of single sessions, which come before ours. Of these `dataConverter` holds for all workers:
   * a codec must not leave batches out.
   *
   * @default none
   */
  worker?: Partial<WorkerOptions>;
  /** For all its workers, those of batches and Nexus too: tracing, for example. @default none */
  interceptors?: Omit<WorkerInterceptors, 'workflowModules'>;
  /** Told of every call to Incode when it has ended. @default nobody */
  onCall?: (call: IncodeCall) => void;
  /** Told what the activities find out. @default nobody */
  observe?: (event: ActivityEvent) => void;
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

export async function limitTaskQueues(connection: NativeConnection, config: Config): Promise<void> {
  const { namespace, taskQueue, bulkTaskQueue } = config;
  const rate = rates(config);
  await limitTaskQueue(connection, { namespace, taskQueue }, rate === null ? null : rate.single);
  const bulk = rate === null ? null : activitiesPerSecond(rate.bulk);
  await limitTaskQueue(connection, { namespace, taskQueue: bulkTaskQueue }, bulk);
}

export function onboardingOptions(config: Config, incode: IncodeClient, options: CreateWorkerOptions) {
  const { connections } = config;
  const rate = rates(config);
  return {
    taskQueue: config.taskQueue,
    activities: createIncodeActivities(activityOptions(config, incode, options)),
    maxCachedWorkflows: config.maxCachedWorkflows,
    maxConcurrentWorkflowTaskExecutions: config.workflowTasks,
    // Each activity makes one call at a time: one that waits for a free connection would hold its time-out up.
    maxConcurrentActivityTaskExecutions: connections,
    ...(rate ? { maxTaskQueueActivitiesPerSecond: rate.single } : {}),
  };
}

export function bulkOptions(config: Config, incode: IncodeClient, options: CreateWorkerOptions) {
  const { bulkConnections } = config;
  const rate = rates(config);
  return {
    taskQueue: config.bulkTaskQueue,
    activities: createBulkActivities({
      ...activityOptions(config, incode, options),
      concurrency: bulkConnections,
      ...(rate ? { requestsPerSecond: rate.bulk } : {}),
    }),
    maxCachedWorkflows: config.bulkCachedWorkflows,
    maxConcurrentWorkflowTaskExecutions: config.workflowTasks,
    maxConcurrentActivityTaskExecutions: config.bulkActivities,
    ...(rate ? { maxTaskQueueActivitiesPerSecond: activitiesPerSecond(rate.bulk) } : {}),
  };
}

function activityOptions(config: Config, incode: IncodeClient, given: CreateWorkerOptions): ActivityOptions {
  const { configurationId, refusesForeignIds, timeoutMs, settleTimeMs, confirmFinishWithinMs } = config;
  const { processedPollMs, reviewPollMs } = config;
  const reissuing = configurationId ? reissuingTokenSource(incode, { configurationId }) : undefined;
  const tokenSource = given.tokenSource ?? reissuing;
  const executive = executiveToken(config, incode);
  const { observe } = given;
  return {
    incode,
    refusesForeignIds,
    settleTimeMs,
    confirmFinishWithinMs,
    // Incode's re-issue has a timeout of its own, and says better what went wrong.
    ...(given.tokenSource ? {} : { tokenTimeoutMs: 2 * timeoutMs }),
    processedPollMs,
    reviewPollMs,
    ...(tokenSource ? { tokenSource } : {}),
    ...(executive ? { executive } : {}),
    ...(observe ? { observe } : {}),
  };
}
