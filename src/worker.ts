import { NativeConnection, TransportError, Worker, type WorkerInterceptors } from '@temporalio/worker';
import { type CaptureConfig, type Config, ConfigError, readCaptureConfig, readConfig } from './config/index.js';
import { warnOfUnknownVariables, withUnknownVariables } from './config/unknown-variables.js';
import { omitUndefined } from './contract/omit-undefined.js';
import { createIncodeClient } from './incode/index.js';
import { healthOf } from './monitoring/health.js';
import { logAttributes } from './monitoring/log-attributes.js';
import type { Health } from './monitoring/server.js';
import { startWorkerMonitoring, type WorkerMonitoring } from './monitoring/worker.js';
import { nexusWorkerOptions } from './nexus/worker-options.js';
import { redacted } from './secrets/index.js';
import { renewApiKey } from './temporal/api-key.js';
import { isCloud, rememberCloud, serverNameOf } from './temporal/cloud.js';
import { DEFAULT_ADDRESS, rememberAddress } from './temporal/environment.js';
import { captureWorker, createCapture } from './worker/capture.js';
import { versioned } from './worker/deployment.js';
import { executiveToken } from './worker/executive.js';
import { bulkOptions, type CreateWorkerOptions, limitTaskQueues, onboardingOptions } from './worker/options.js';
import { forceTimeMs, runAll, ShutdownTimeoutError, shutDown, unlessSignalled } from './worker/run.js';
import { checkSearchAttributes } from './worker/search-attributes.js';
import { limitTaskQueue } from './worker/task-queue-limit.js';
import { warnOfUnreadable } from './worker/unreadable-payloads.js';
import { workflowCode } from './worker/workflow-code.js';

export type { ActivityEvent, TokenSource } from './activities/index.js';
export { type CaptureConfig, type Config, ConfigError, readCaptureConfig, readConfig } from './config/index.js';
export type { IncodeCall } from './incode/index.js';
export type { Health } from './monitoring/server.js';
export type { CreateWorkerOptions } from './worker/options.js';
export {
  checkSearchAttributes,
  MissingSearchAttributesError,
  SEARCH_ATTRIBUTES_COMMAND,
  WrongSearchAttributesError,
} from './worker/search-attributes.js';
export { WORKFLOW_BUNDLE } from './worker/workflow-code.js';

/** A worker with its connections to Temporal and Incode. */
export interface OnboardingWorker {
  /**
   * The connection to Temporal, open until `run()` returns. A client on it can use `requestEagerStart`: this worker then begins the
   * session at once. Like every client it needs the encryption keys.
   */
  readonly connection: NativeConnection;
  /** Runs until `shutdown()`, or until a signal if the host has no signal handlers. Then it closes the connections. */
  run(): Promise<void>;
  /** Stops taking work and drains work in flight within the grace period. */
  shutdown(): void;
  /** Liveness and readiness, for probes. It calls the server at most every 5 s and answers within 2 s. */
  health(): Promise<Health>;
}

/**
 * Connects to Temporal, checks the namespace's search attributes, and creates a worker for single sessions and batches.
 *
 * @example
 * const worker = await createWorker(readConfig());
 * await worker.run();
 *
 * @throws MissingSearchAttributesError if `temporal-incode setup` has not prepared the namespace
 */
export async function createWorker(config: Config, options: CreateWorkerOptions = {}): Promise<OnboardingWorker> {
  const observers = omitUndefined({ onCall: options.onCall });
  const incode = createIncodeClient({ ...config, ...observers });
  // Batches use separate connections, so they never delay interactive sessions.
  const bulkIncode = createIncodeClient({ ...config, ...observers, connections: config.bulkConnections });
  const executive = executiveToken(config, incode);
  const capture = createCapture(config, { incode, executive }, options);
  const { connectionOptions } = config.temporal;
  const { apiKey, ...others } = connectionOptions;
  const key = typeof apiKey === 'function' ? apiKey() : apiKey;
  const connection = await NativeConnection.connect({ ...others, ...omitUndefined({ apiKey: key }) });
  const stopRenewing = typeof apiKey === 'function' ? renewApiKey(connection, apiKey) : () => undefined;
  // A client on this connection checks the address before it allows plaintext.
  rememberAddress(connection, connectionOptions.address ?? DEFAULT_ADDRESS);
  if (isCloud(connectionOptions.address, serverNameOf(connectionOptions))) rememberCloud(connection);
  const close = async () => {
    stopRenewing();
    await Promise.all([incode.close(), bulkIncode.close(), capture.close()]);
    await connection.close();
  };
  try {
    await checkSearchAttributes(connection, config.namespace);
    const partitions = await limitTaskQueues(connection, config);
    const common = {
      connection,
      namespace: config.namespace,
      ...workflowCode(config.encryptionKeys, { ...config, onUnreadable: warnOfUnreadable() }),
      shutdownGraceTime: config.shutdownGraceMs,
      shutdownForceTime: forceTimeMs(config),
      // Interrupting workflow code may abort the process. The SDK's 5 s are too short for thousands of signals on a busy machine.
      isolateExecutionTimeout: '30s',
      interceptors: interceptorsOf(options.interceptors),
      ...omitUndefined({ dataConverter: options.worker?.dataConverter }),
    };
    for (const { taskQueue, perSecond, variable } of capture.queues) {
      await limitTaskQueue(connection, { namespace: config.namespace, taskQueue }, perSecond, variable);
    }
    const pinned = { ...common, ...versioned(config, 'PINNED') };
    const onboarding = onboardingOptions(config, { incode, executive }, options);
    const workers = [
      await Worker.create({
        ...pinned,
        ...onboarding,
        activities: { ...onboarding.activities, ...capture.activities },
        ...options.worker,
        interceptors: interceptorsOf(options.interceptors, options.worker?.interceptors),
      }),
      await Worker.create({
        ...pinned,
        ...bulkOptions(config, partitions, { incode: bulkIncode, executive }, options),
      }),
    ];
    const { workflowBundle: _, ...activitiesOnly } = pinned;
    for (const queue of capture.queues) {
      workers.push(await Worker.create({ ...activitiesOnly, ...captureWorker(queue, capture) }));
    }
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

/** Our interceptor comes first, so that the host's log attributes can override ours. */
function interceptorsOf(...groups: (WorkerInterceptors | undefined)[]): WorkerInterceptors {
  return {
    ...Object.assign({}, ...groups),
    activity: [logAttributes, ...groups.flatMap((group) => group?.activity ?? [])],
    nexus: groups.flatMap((group) => group?.nexus ?? []),
  };
}

/**
 * Runs a worker process: reads the configuration from the environment, logs JSON lines to stderr, and drains on SIGTERM and SIGINT.
 *
 * @example
 * process.exitCode = await runWorker();
 *
 * @returns the exit code: 0 after a shutdown, 1 if the worker failed, 2 if the configuration is wrong
 */
export async function runWorker(env = process.env): Promise<number> {
  let config: Config;
  let capture: CaptureConfig;
  let warn: ((warning: string) => void) | undefined;
  try {
    // Warnings that occur before the logger exists are dropped.
    config = readConfig(env, (warning) => warn?.(warning));
    capture = readCaptureConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${redacted(withUnknownVariables(error.message, env))}\n`);
    return 2;
  }
  // Loaded here only, so that a host of `createWorker` does not need pino.
  const { createLogger } = await import('./monitoring/logger.js');
  const logger = createLogger(config.logLevel);
  warn = logger.warn;
  warnOfUnknownVariables(logger.warn, env);
  const { namespace, taskQueue, temporal } = config;
  const address = temporal.connectionOptions.address ?? DEFAULT_ADDRESS;
  let monitoring: WorkerMonitoring | undefined;
  try {
    monitoring = await startWorkerMonitoring(config, logger);
    const worker = await unlessSignalled(createWorker(config, { ...monitoring.observers, capture }));
    if (worker === undefined) {
      logger.info('Worker stopped before it was ready');
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
    logger.info('Worker stopped: no work was lost, other workers continue');
    return 0;
  } catch (error) {
    const what =
      error instanceof ShutdownTimeoutError ? 'Worker stopped before its work was done' : 'Worker cannot run';
    logger.error(`${what}: ${inWords(error, address)}`, { address, namespace, taskQueue });
    return 1;
  } finally {
    await monitoring?.close();
  }
}

function inWords(error: unknown, address: string): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof TransportError)) return message;
  return `no connection to Temporal at ${address}. Check that it runs, and TEMPORAL_ADDRESS and TEMPORAL_TLS. (${message})`;
}
