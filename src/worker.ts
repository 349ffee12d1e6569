import { NativeConnection, Worker, type WorkerInterceptors, type WorkerOptions } from '@temporalio/worker';
import {
  type ActivityEvent,
  type ActivityOptions,
  activitiesPerSecond,
  createBulkActivities,
  createIncodeActivities,
  reissuingTokenSource,
  type TokenSource,
} from './activities/index.js';
import { type Config, ConfigError, readConfig } from './config/index.js';
import { createIncodeClient, type IncodeCall, type IncodeClient } from './incode/index.js';
import { healthOf } from './monitoring/health.js';
import { logAttributes } from './monitoring/log-attributes.js';
import type { Health } from './monitoring/server.js';
import { startWorkerMonitoring, type WorkerMonitoring } from './monitoring/worker.js';
import { nexusWorkerOptions } from './nexus/worker-options.js';
import { redacted } from './secrets/index.js';
import { DEFAULT_ADDRESS, rememberAddress } from './temporal/environment.js';
import { versioned } from './worker/deployment.js';
import { forceTimeMs, runAll, ShutdownTimeoutError, shutDown, unlessSignalled } from './worker/run.js';
import { checkSearchAttributes } from './worker/search-attributes.js';
import { limitTaskQueue } from './worker/task-queue-limit.js';
import { warnOfUnreadable } from './worker/unreadable-payloads.js';
import { workflowCode } from './worker/workflow-code.js';

export type { ActivityEvent, TokenSource } from './activities/index.js';
export { type Config, ConfigError, readConfig } from './config/index.js';
export type { IncodeCall } from './incode/index.js';
export type { Health } from './monitoring/server.js';
export {
  checkSearchAttributes,
  MissingSearchAttributesError,
  SEARCH_ATTRIBUTES_COMMAND,
  WrongSearchAttributesError,
} from './worker/search-attributes.js';
export { WORKFLOW_BUNDLE } from './worker/workflow-code.js';

/** A worker with what it owns: its connections to Temporal and to Incode. */
export interface OnboardingWorker {
  /**
   * To Temporal, open until `run()` has ended. A client on it, with `requestEagerStart`, starts sessions that this worker begins at
   * once; it needs the worker's encryption keys, as every client does.
   */
  readonly connection: NativeConnection;
  /** Runs until `shutdown()` or, if the host has installed none of its own, a signal; then closes the connections. */
  run(): Promise<void>;
  /** Takes no new work, and lets what is under way end within the grace time. */
  shutdown(): void;
  /** Whether it is alive and takes work, for probes; asks the server at most every 5 s, and answers within 2 s. */
  health(): Promise<Health>;
}

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

/**
 * Connects to Temporal, checks what the workflow relies on, and makes a worker for `onboardingSession` and its activities.
 *
 * @throws MissingSearchAttributesError
 */
export async function createWorker(config: Config, options: CreateWorkerOptions = {}): Promise<OnboardingWorker> {
  const told = options.onCall ? { onCall: options.onCall } : {};
  const incode = createIncodeClient({ ...config, ...told });
  // With connections of its own a batch never holds up somebody who waits at a screen.
  const bulkIncode = createIncodeClient({ ...config, ...told, connections: config.bulkConnections });
  const { connectionOptions } = config.temporal;
  const connection = await NativeConnection.connect(connectionOptions);
  // A client on it is held to encryption too.
  rememberAddress(connection, connectionOptions.address ?? DEFAULT_ADDRESS);
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
      ...workflowCode(config.encryptionKeys, { ...config, onUnreadable: warnOfUnreadable() }),
      shutdownGraceTime: config.shutdownGraceMs,
      shutdownForceTime: forceTimeMs(config),
      interceptors: interceptorsOf(options.interceptors),
      ...(options.worker?.dataConverter ? { dataConverter: options.worker.dataConverter } : {}),
    };
    const pinned = { ...common, ...versioned(config, 'PINNED') };
    const workers = [
      await Worker.create({
        ...pinned,
        ...onboardingOptions(config, incode, options),
        ...options.worker,
        interceptors: interceptorsOf(options.interceptors, options.worker?.interceptors),
      }),
      await Worker.create({ ...pinned, ...bulkOptions(config, bulkIncode, options) }),
    ];
    const { nexusTaskQueue, taskQueue } = config;
    if (nexusTaskQueue) {
      const upgraded = { ...common, ...versioned(config, 'AUTO_UPGRADE') };
      workers.push(await Worker.create({ ...upgraded, ...nexusWorkerOptions(nexusTaskQueue, taskQueue) }));
    }
    return {
      run: () => runAll(workers, close),
      shutdown: () => shutDown(workers),
      health: healthOf(connection, workers),
      connection,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Ours first: what a host adds to log lines comes on top. */
function interceptorsOf(...given: (WorkerInterceptors | undefined)[]): WorkerInterceptors {
  return {
    ...Object.assign({}, ...given),
    activity: [logAttributes, ...given.flatMap((one) => one?.activity ?? [])],
    nexus: given.flatMap((one) => one?.nexus ?? []),
  };
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
    maxConcurrentWorkflowTaskExecutions: config.workflowTasks,
    // Each activity makes one call at a time: one that waits for a free connection would hold its time-out up.
    maxConcurrentActivityTaskExecutions: connections,
    ...(rate ? { maxTaskQueueActivitiesPerSecond: rate.single } : {}),
  };
}

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
    maxCachedWorkflows: config.bulkCachedWorkflows,
    maxConcurrentWorkflowTaskExecutions: config.workflowTasks,
    maxConcurrentActivityTaskExecutions: config.bulkActivities,
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
  let warn: ((warning: string) => void) | undefined;
  try {
    // It warns of what becomes wrong later, when there is a logger.
    config = readConfig(env, (warning) => warn?.(warning));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${redacted(error.message)}\n`);
    return 2;
  }
  // Only processes log in this way: a host of `createWorker` needs no pino.
  const { createLogger } = await import('./monitoring/logger.js');
  const logger = createLogger(config.logLevel);
  warn = logger.warn;
  const { namespace, taskQueue, temporal } = config;
  const address = temporal.connectionOptions.address ?? DEFAULT_ADDRESS;
  let monitoring: WorkerMonitoring | undefined;
  try {
    monitoring = await startWorkerMonitoring(config, logger);
    const worker = await unlessSignalled(createWorker(config, monitoring.observers));
    if (worker === undefined) {
      logger.info('Worker stopped before it had started');
      return 0;
    }
    monitoring.watch(worker);
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
    const what = error instanceof ShutdownTimeoutError ? 'Worker stopped before its work' : 'Worker cannot run';
    const why = error instanceof Error ? error.message : error;
    logger.error(`${what}: ${why}`, { address, namespace, taskQueue });
    return 1;
  } finally {
    await monitoring?.close();
  }
}

function activityOptions(config: Config, incode: IncodeClient, given: CreateWorkerOptions): ActivityOptions {
  const { configurationId, settleTimeMs, processedPollMs, reviewPollMs } = config;
  const reissuing = configurationId ? reissuingTokenSource(incode, { configurationId }) : undefined;
  const tokenSource = given.tokenSource ?? reissuing;
  const { observe } = given;
  return {
    incode,
    settleTimeMs,
    processedPollMs,
    reviewPollMs,
    ...(tokenSource ? { tokenSource } : {}),
    ...(observe ? { observe } : {}),
  };
}
