import { NativeConnection, Worker, type WorkerInterceptors } from '@temporalio/worker';
import { type Config, ConfigError, readConfig } from './config/index.js';
import { warnOfUnknownVariables } from './config/unknown-variables.js';
import { createIncodeClient } from './incode/index.js';
import { healthOf } from './monitoring/health.js';
import { logAttributes } from './monitoring/log-attributes.js';
import type { Health } from './monitoring/server.js';
import { startWorkerMonitoring, type WorkerMonitoring } from './monitoring/worker.js';
import { nexusWorkerOptions } from './nexus/worker-options.js';
import { redacted } from './secrets/index.js';
import { DEFAULT_ADDRESS, rememberAddress } from './temporal/environment.js';
import { versioned } from './worker/deployment.js';
import { bulkOptions, type CreateWorkerOptions, limitTaskQueues, onboardingOptions } from './worker/options.js';
import { forceTimeMs, runAll, ShutdownTimeoutError, shutDown, unlessSignalled } from './worker/run.js';
import { checkSearchAttributes } from './worker/search-attributes.js';
import { warnOfUnreadable } from './worker/unreadable-payloads.js';
import { workflowCode } from './worker/workflow-code.js';

export type { ActivityEvent, TokenSource } from './activities/index.js';
export { type Config, ConfigError, readConfig } from './config/index.js';
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
      // Interrupting workflow code may abort the whole process. The SDK's 5 s are over too soon for thousands of signals on a busy machine.
      isolateExecutionTimeout: '30s',
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
  warnOfUnknownVariables(logger.warn, env);
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
