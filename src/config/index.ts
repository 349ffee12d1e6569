import { ACTIVITY_DEFAULTS } from '../activities/options.js';
import { checkPlaintext, requiresEncryption } from '../codec/index.js';
import { BULK_TASK_QUEUE, TASK_QUEUE } from '../contract/index.js';
import { CLIENT_DEFAULTS } from '../incode/options.js';
import { isPlainHttp } from '../network/loopback.js';
import { HIDDEN, redactWhenPrinted } from '../secrets/index.js';
import { DEFAULT_ADDRESS } from '../temporal/environment.js';
import type { Config } from './config.js';
import { deploymentVersion } from './deployment.js';
import { executiveConfig } from './executive.js';
import { ConfigError, LOG_LEVELS, type Reader, reader } from './reader.js';
import type { Environment, OnWarning } from './types.js';

export { allowsImages, type CaptureConfig, readCaptureConfig } from './capture.js';
export { type CodecServerConfig, readCodecServerConfig } from './codec-server.js';
export type { Config } from './config.js';
export type { DeploymentVersion } from './deployment.js';
export { type GatewayConfig, readGatewayConfig } from './gateway.js';
export { ConfigError, type ListenAddress, LOG_LEVELS, type LogLevel } from './reader.js';
export { readWebhookConfig, type WebhookConfig } from './webhook.js';

const defaults = { ...CLIENT_DEFAULTS, ...ACTIVITY_DEFAULTS };

/** The SDK needs one for cached workflows and one for others. */
const MIN_WORKFLOW_TASKS = 2;

/**
 * Reads the worker's configuration.
 *
 * @example
 * const worker = await createWorker(readConfig(process.env));
 *
 * @param onWarning called when a secret file becomes invalid while the process runs. @default a process warning, `SecretFileWarning`
 * @throws ConfigError that names every invalid variable and repeats no secret
 */
export function readConfig(env: Environment = process.env, onWarning?: OnWarning): Config {
  const read = reader(env, onWarning);
  const temporal = read.temporal();
  const config: Config = {
    ...incodeConfig(read),
    configurationId: read.text('INCODE_CONFIGURATION_ID') ?? null,
    ...finishConfig(read),
    connections: read.integer('INCODE_CONNECTIONS', CLIENT_DEFAULTS.connections, 1_024),
    bulkConnections: read.integer('INCODE_BULK_CONNECTIONS', CLIENT_DEFAULTS.connections, 1_024),
    rateLimit: read.number('INCODE_RATE_LIMIT', { min: 0.1, max: 100_000 }) ?? null,
    bulkShare: read.number('INCODE_BULK_SHARE', { min: 0, max: 1 }) ?? 0.8,
    confirmFinishWithinMs: read.duration('INCODE_CONFIRM_WITHIN', defaults.confirmFinishWithinMs, MAX_CONFIRM_WITHIN),
    processedPollMs: read.duration('INCODE_PROCESSED_POLL', defaults.processedPollMs, MAX_POLL),
    reviewPollMs: read.duration('INCODE_REVIEW_POLL', defaults.reviewPollMs, MAX_POLL),
    temporal,
    namespace: temporal.namespace ?? 'default',
    ...encryption(read, env, temporal.connectionOptions.address),
    taskQueue: read.text('WORKER_TASK_QUEUE') ?? TASK_QUEUE,
    bulkTaskQueue: read.text('WORKER_BULK_TASK_QUEUE') ?? BULK_TASK_QUEUE,
    nexusTaskQueue: read.text('WORKER_NEXUS_TASK_QUEUE') ?? null,
    maxCachedWorkflows: read.integer('WORKER_MAX_CACHED_WORKFLOWS', 300, 100_000),
    workflowTasks: read.integer('WORKER_WORKFLOW_TASKS', 5, 1_000, MIN_WORKFLOW_TASKS),
    bulkActivities: read.integer('WORKER_BULK_ACTIVITIES', 4, 100),
    bulkCachedWorkflows: read.integer('WORKER_BULK_CACHED_WORKFLOWS', 32, 1_000),
    deployment: deploymentVersion(read),
    shutdownGraceMs: read.duration('WORKER_SHUTDOWN_GRACE', 20_000, MAX_SHUTDOWN_GRACE),
    metricsAddress: read.listenAddress('WORKER_METRICS_ADDRESS') ?? null,
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return Object.freeze(withoutSecrets(config));
}

function encryption(
  read: Reader,
  env: Environment,
  address = DEFAULT_ADDRESS,
): Pick<Config, 'encryptionKeys' | 'requireEncryption'> {
  const before = read.problems.length;
  const encryptionKeys = read.encryptionKeys() ?? null;
  try {
    const requireEncryption = requiresEncryption(env);
    if (!encryptionKeys && read.problems.length === before) checkPlaintext(address, env);
    return { encryptionKeys, requireEncryption };
  } catch (error) {
    read.problems.push((error as Error).message);
    return { encryptionKeys, requireEncryption: true };
  }
}

/** Reads only what is needed to reach Incode and to trust its answers, and ignores all other variables. @throws ConfigError */
export function readIncodeConfig(env: Environment = process.env): IncodeConfig {
  const read = reader(env);
  const config = incodeConfig(read);
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return config;
}

/** Reads what `verify-incode` needs. @throws ConfigError */
export function readVerifyConfig(env: Environment = process.env): VerifyConfig {
  const read = reader(env);
  const config = {
    ...incodeConfig(read),
    configurationId: read.text('INCODE_CONFIGURATION_ID') ?? null,
    ...finishConfig(read),
  };
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return config;
}

type VerifyConfig = IncodeConfig & Pick<Config, 'configurationId' | 'finishTimeoutMs' | 'settleTimeMs'>;

function finishConfig(read: Reader): Pick<Config, 'finishTimeoutMs' | 'settleTimeMs'> {
  return {
    finishTimeoutMs: read.duration('INCODE_FINISH_TIMEOUT', defaults.finishTimeoutMs, MAX_FINISH_TIMEOUT),
    settleTimeMs: read.duration('INCODE_SETTLE_TIME', defaults.settleTimeMs, MAX_SETTLE_TIME),
  };
}

const ALLOW_PLAIN_HTTP = 'INCODE_ALLOW_PLAIN_HTTP';

type IncodeConfig = Pick<
  Config,
  'baseUrl' | 'allowPlainHttp' | 'apiKey' | 'executive' | 'refusesForeignIds' | 'timeoutMs' | 'proxy'
>;

function incodeConfig(read: Reader): IncodeConfig {
  const baseUrl = read.url('INCODE_BASE_URL');
  const allowPlainHttp = read.oneOf(ALLOW_PLAIN_HTTP, ['true', 'false'], 'false') === 'true';
  if (!allowPlainHttp && URL.canParse(baseUrl) && isPlainHttp(baseUrl)) {
    read.problems.push(
      `INCODE_BASE_URL must be https: over http the API key and tokens cross the network unencrypted. ${ALLOW_PLAIN_HTTP}=true accepts that`,
    );
  }
  return {
    baseUrl,
    allowPlainHttp,
    apiKey: apiKey(read),
    executive: executiveConfig(read),
    refusesForeignIds: read.oneOf('INCODE_REFUSES_FOREIGN_IDS', ['true', 'false'], 'false') === 'true',
    timeoutMs: read.duration('INCODE_TIMEOUT', defaults.timeoutMs, MAX_TIMEOUT),
    proxy: read.proxy(),
  };
}

function apiKey(read: ReturnType<typeof reader>): (refused?: string) => string {
  const before = read.problems.length;
  const key = read.secret('INCODE_API_KEY', {
    valid: /^[\x21-\x7e]+$/,
    rule: 'must be printable ASCII without spaces',
    as: ([value = '']) => value,
  });
  if (!key && read.problems.length === before) {
    read.problems.push(
      'INCODE_API_KEY is required, the key that Incode gave for this environment, or INCODE_API_KEY_FILE, which names a file with it',
    );
  }
  // Without a key there is a problem, so no configuration is returned.
  return key as (refused?: string) => string;
}

/** The secret files that our variables name. */
export function namedSecretFiles(env: Environment = process.env): [variable: string, path: string][] {
  return Object.entries(env).flatMap(([variable, path]): [string, string][] =>
    /^((INCODE|TEMPORAL_INCODE|WEBHOOK|CODEC_SERVER)_\w+|TEMPORAL_API_KEY)_FILE$/.test(variable) && path?.trim()
      ? [[variable, path.trim()]]
      : [],
  );
}

/** Whether this machine has a configuration for Incode. Machines that only run clients have none. */
export function isIncodeConfigured(env: Environment = process.env): boolean {
  return Boolean(env.INCODE_BASE_URL || env.INCODE_API_KEY || env.INCODE_API_KEY_FILE);
}

/** The task queues of workers that this machine's environment names. `null` for a default one. */
export function namedTaskQueues(env: Environment = process.env) {
  const read = reader(env);
  return {
    WORKER_TASK_QUEUE: read.text('WORKER_TASK_QUEUE') ?? null,
    WORKER_BULK_TASK_QUEUE: read.text('WORKER_BULK_TASK_QUEUE') ?? null,
  };
}

/** Whether this machine has an executive token, or can log in for one, as workers do. */
export function isExecutiveConfigured(env: Environment = process.env): boolean {
  return Boolean(env.INCODE_EXECUTIVE_TOKEN_FILE || env.INCODE_EXECUTIVE_TOKEN || env.INCODE_EXECUTIVE_EMAIL);
}

/** The environment without the address of a Temporal server, for commands that must use their own. */
export function withoutTemporalAddress(env: Environment = process.env): NodeJS.ProcessEnv {
  const { TEMPORAL_ADDRESS: _, ...others } = env;
  return others;
}

/** The variables of the rate limits, for a worker that uses a simulated Incode. */
export function rateLimitEnvironment(env: Environment = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (isRateLimit(name) && value ? [[name, value]] : [])),
  );
}

function isRateLimit(name: string): boolean {
  return /^INCODE_(?:[A-Z]+_)?RATE_LIMIT(?:_PER_ENDPOINT)?$/.test(name);
}

// The reads and the finish of one attempt must end before the activity's start-to-close timeout (src/workflows/options.ts).
const MAX_TIMEOUT = '30s';
const MAX_FINISH_TIMEOUT = '45s';
// With a longer wait a session with one lost answer would look stuck.
const MAX_SETTLE_TIME = '10m';
// After a week a person has looked at the session.
const MAX_CONFIRM_WITHIN = '7d';
// A lost webhook delays a session by one poll interval.
const MAX_POLL = '7d';
const MAX_SHUTDOWN_GRACE = '10m';

/** Printing the configuration, or writing it as JSON, must not reveal a secret. */
function withoutSecrets(config: Config): Config {
  const hidden = { apiKey: HIDDEN, executive: HIDDEN, temporal: HIDDEN, proxy: HIDDEN, encryptionKeys: HIDDEN };
  return redactWhenPrinted(config, { ...config, ...hidden });
}
