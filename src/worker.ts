import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import {
  type ActivityOptions,
  activitiesPerSecond,
  createBulkActivities,
  createIncodeActivities,
  reissuingTokenSource,
  type TokenSource,
} from './activities/index.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { createIncodeClient, type IncodeClient } from './incode/index.js';
import { nexusWorkerOptions } from './nexus/worker-options.js';
import { checkSearchAttributes } from './search-attributes.js';
import { limitTaskQueue } from './task-queue-limit.js';
import { DEFAULT_ADDRESS } from './temporal-config.js';
import { versioned } from './worker/deployment.js';
import { workflowCode } from './worker/workflow-code.js';

export type { TokenSource } from './activities/index.js';
export { type Config, ConfigError, readConfig } from './config.js';
export {
  checkSearchAttributes,
  MissingSearchAttributesError,
  SEARCH_ATTRIBUTES_COMMAND,
  WrongSearchAttributesError,
} from './search-attributes.js';
export { WORKFLOW_BUNDLE } from './worker/workflow-code.js';

/** A worker with what it owns: its connections to Temporal and to Incode. */
export interface OnboardingWorker {
  /** Runs until `shutdown()` or, if the host has installed none of its own, a signal; then closes the connections. */
  run(): Promise<void>;
  /** Takes no new work, and lets what is under way end within the grace time. */
  shutdown(): void;
}

export interface CreateWorkerOptions {
  /**
   * Where fresh session tokens come from, such as a vault of yours.
   *
   * @default Incode itself, if `INCODE_CONFIGURATION_ID` is set: it re-issues them through `POST /omni/start`
   */
  tokenSource?: TokenSource;
  /** The SDK's own options for the worker of single sessions, which come before ours. @default none */
  worker?: Partial<WorkerOptions>;
}

/**
 * Connects to Temporal, checks what the workflow relies on, and makes a worker for `onboardingSession` and its activities.
 *
 * @throws MissingSearchAttributesError
 */
export async function createWorker(config: Config, options: CreateWorkerOptions = {}): Promise<OnboardingWorker> {
  const incode = createIncodeClient(config);
  // With connections of its own a batch never holds up somebody who waits at a screen.
  const bulkIncode = createIncodeClient({ ...config, connections: config.bulkConnections });
  const connection = await NativeConnection.connect(config.temporal.connectionOptions);
  const close = async () => {
    await Promise.all([incode.close(), bulkIncode.close()]);
    await connection.close();
  };
  try {
    await checkSearchAttributes(connection, config.namespace);
    await limitTaskQueues(connection, config);
    const common = {
      connection,
      namespace: config.namespace,
      ...workflowCode(config.encryptionKeys),
      shutdownGraceTime: config.shutdownGraceMs,
    };
    const pinned = { ...common, ...versioned(config, 'PINNED') };
    const workers = [
      await Worker.create({ ...pinned, ...onboardingOptions(config, incode, options), ...options.worker }),
      await Worker.create({ ...pinned, ...bulkOptions(config, bulkIncode, options) }),
    ];
    const { nexusTaskQueue, taskQueue } = config;
    if (nexusTaskQueue) {
      const upgraded = { ...common, ...versioned(config, 'AUTO_UPGRADE') };
      workers.push(await Worker.create({ ...upgraded, ...nexusWorkerOptions(nexusTaskQueue, taskQueue) }));
    }
    const shutdown = () => {
      // One that has failed is shut down already.
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    return {
      // If one fails, the process is to end and be started anew, instead of doing half of its work.
      run: () =>
        Promise.all(workers.map((worker) => worker.run().finally(shutdown)))
          .then(() => undefined)
          .finally(close),
      shutdown,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Requests per second, shared out; `null` for no limit. */
function rates({ rateLimit, bulkShare }: Config): { single: number; bulk: number } | null {
  if (rateLimit === null) return null;
  // Whatever the share, nobody is left waiting for ever.
  return { single: Math.max(rateLimit * (1 - bulkShare), 0.1), bulk: Math.max(rateLimit * bulkShare, 0.1) };
}

async function limitTaskQueues(connection: NativeConnection, config: Config): Promise<void> {
  const { namespace, taskQueue, bulkTaskQueue } = config;
  const rate = rates(config);
  // Nearly all activities of single sessions make one request.
  await limitTaskQueue(connection, { namespace, taskQueue }, rate === null ? null : rate.single);
  const bulk = rate === null ? null : activitiesPerSecond(rate.bulk);
  await limitTaskQueue(connection, { namespace, taskQueue: bulkTaskQueue }, bulk);
}

function onboardingOptions(config: Config, incode: IncodeClient, options: CreateWorkerOptions) {
  const { connections } = config;
  const rate = rates(config);
  return {
    taskQueue: config.taskQueue,
    activities: createIncodeActivities(activityOptions(config, incode, options)),
    maxCachedWorkflows: config.maxCachedWorkflows,
    // Each activity makes one call at a time: one that waits for a free connection would hold its time-out up.
    maxConcurrentActivityTaskExecutions: connections,
    ...(rate ? { maxTaskQueueActivitiesPerSecond: rate.single } : {}),
  };
}

/** One ends while another is under way, and a third is being fetched. */
const BULK_ACTIVITIES = 4;

/** Each holds a shard of 2,000 sessions and their tokens, a few MB; one that is not cached is replayed. */
const BULK_CACHED_WORKFLOWS = 32;

function bulkOptions(config: Config, incode: IncodeClient, options: CreateWorkerOptions) {
  const { bulkConnections } = config;
  const rate = rates(config);
  return {
    taskQueue: config.bulkTaskQueue,
    activities: createBulkActivities({
      ...activityOptions(config, incode, options),
      concurrency: bulkConnections,
      ...(rate ? { requestsPerSecond: rate.bulk } : {}),
    }),
    maxCachedWorkflows: BULK_CACHED_WORKFLOWS,
    maxConcurrentActivityTaskExecutions: BULK_ACTIVITIES,
    ...(rate ? { maxTaskQueueActivitiesPerSecond: activitiesPerSecond(rate.bulk) } : {}),
  };
}

/**
 * The worker process: configuration from the environment, logs as JSON on stderr, a graceful end on SIGTERM and SIGINT.
 *
 * @returns the exit code: 0 after a shutdown, 1 if it could not run, 2 if the configuration is wrong
 */
export async function runWorker(env = process.env): Promise<number> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  // Only processes log in this way: a host of `createWorker` needs no pino.
  const { createLogger } = await import('./logging.js');
  const logger = createLogger(config.logLevel);
  // Native log lines below WARN repeat what the SDK says already.
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } } });
  const { namespace, taskQueue, temporal } = config;
  const address = temporal.connectionOptions.address ?? DEFAULT_ADDRESS;
  try {
    const worker = await createWorker(config);
    const { nexusTaskQueue } = config;
    logger.info('Worker ready', {
      address,
      namespace,
      taskQueue,
      ...(nexusTaskQueue ? { nexusTaskQueue } : {}),
      ...config.deployment,
      pid: process.pid,
    });
    await worker.run();
    logger.info('Worker stopped: nothing was lost, other workers go on');
    return 0;
  } catch (error) {
    logger.error(`Worker cannot run: ${error instanceof Error ? error.message : error}`, {
      address,
      namespace,
      taskQueue,
    });
    return 1;
  }
}

function activityOptions(config: Config, incode: IncodeClient, given: CreateWorkerOptions): ActivityOptions {
  const { configurationId, settleTimeMs, processedPollMs, reviewPollMs } = config;
  const reissuing = configurationId ? reissuingTokenSource(incode, { configurationId }) : undefined;
  const tokenSource = given.tokenSource ?? reissuing;
  return { incode, settleTimeMs, processedPollMs, reviewPollMs, ...(tokenSource ? { tokenSource } : {}) };
}
