import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import {
  createIncodeActivities,
  type IncodeActivities,
  reissuingTokenSource,
  type TokenSource,
} from './activities/index.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { createIncodeClient, type IncodeClient } from './incode/index.js';
import { createLogger } from './logging.js';
import { checkSearchAttributes } from './search-attributes.js';

export type { TokenSource } from './activities/index.js';
export { type Config, ConfigError, readConfig } from './config.js';
export { MissingSearchAttributesError, SEARCH_ATTRIBUTES_COMMAND } from './search-attributes.js';

/** The bundle that `npm run build` makes: workers start without webpack, and all run the same code. */
export const WORKFLOW_BUNDLE = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));

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
  /** The SDK's own options, which come before ours. @default none */
  worker?: Partial<WorkerOptions>;
}

/**
 * Connects to Temporal, checks what the workflow relies on, and makes a worker for `onboardingSession` and its activities.
 *
 * @throws MissingSearchAttributesError
 */
export async function createWorker(
  config: Config,
  { tokenSource, worker: overrides = {} }: CreateWorkerOptions = {},
): Promise<OnboardingWorker> {
  const incode = createIncodeClient(config);
  const connection = await NativeConnection.connect(config.temporal.connectionOptions);
  const close = async () => {
    await incode.close();
    await connection.close();
  };
  try {
    await checkSearchAttributes(connection, config.namespace);
    const worker = await Worker.create({
      connection,
      namespace: config.namespace,
      taskQueue: config.taskQueue,
      workflowBundle: { codePath: WORKFLOW_BUNDLE },
      activities: activitiesOf(config, incode, tokenSource),
      maxCachedWorkflows: config.maxCachedWorkflows,
      // Each activity makes one call at a time: one that waits for a free connection would hold its time-out up.
      maxConcurrentActivityTaskExecutions: config.connections,
      shutdownGraceTime: config.shutdownGraceMs,
      ...overrides,
    });
    return {
      run: () => worker.run().finally(close),
      shutdown: () => worker.shutdown(),
    };
  } catch (error) {
    await close();
    throw error;
  }
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
  const logger = createLogger(config.logLevel);
  // Native log lines below WARN repeat what the SDK says already.
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } } });
  const { namespace, taskQueue, temporal } = config;
  const address = temporal.connectionOptions.address ?? 'localhost:7233';
  try {
    const worker = await createWorker(config);
    logger.info('Worker ready', { address, namespace, taskQueue, pid: process.pid });
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

function activitiesOf(config: Config, incode: IncodeClient, given: TokenSource | undefined): IncodeActivities {
  const { configurationId, settleTimeMs, processedPollMs, reviewPollMs } = config;
  const tokenSource = given ?? (configurationId ? reissuingTokenSource(incode, { configurationId }) : undefined);
  return createIncodeActivities({
    incode,
    settleTimeMs,
    processedPollMs,
    reviewPollMs,
    ...(tokenSource ? { tokenSource } : {}),
  });
}
