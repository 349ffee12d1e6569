import type { ClientConnectConfig } from '@temporalio/envconfig';
import { checkPlaintext, type KeyRing, requiresEncryption } from '../codec/index.js';
import { BULK_TASK_QUEUE, TASK_QUEUE } from '../contract/index.js';
import { HIDDEN, isPlainHttp, redactWhenPrinted } from '../secrets/index.js';
import { DEFAULT_ADDRESS } from '../temporal/environment.js';
import { type DeploymentVersion, deploymentVersion } from './deployment.js';
import { type ExecutiveConfig, executiveConfig } from './executive.js';
import { ConfigError, type ListenAddress, LOG_LEVELS, type LogLevel, type Reader, reader } from './reader.js';
import type { Environment, OnWarning } from './types.js';

export { type CodecServerConfig, readCodecServerConfig } from './codec-server.js';
export type { DeploymentVersion } from './deployment.js';
export { ConfigError, type ListenAddress, LOG_LEVELS, type LogLevel } from './reader.js';
export { readWebhookConfig, type WebhookConfig } from './webhook.js';

/** What the worker process is told by its environment. `docs/worker.md` has a line for each variable. */
export interface Config {
  /** `INCODE_BASE_URL`, required: differs by environment and contract. */
  readonly baseUrl: string;
  /** `INCODE_ALLOW_PLAIN_HTTP`: takes an `INCODE_BASE_URL` with `http:` that is not on this machine. @default false */
  readonly allowPlainHttp: boolean;
  /**
   * `INCODE_API_KEY` or `INCODE_API_KEY_FILE`, one of them required: the key of now. The file is looked at every five seconds at
   * most, and at once when a key that was refused is handed in.
   */
  readonly apiKey: (refused?: string) => string;
  /** `INCODE_CONFIGURATION_ID`: with it the worker renews refused session tokens through `POST /omni/start`. */
  readonly configurationId: string | null;
  /**
   * `INCODE_EXECUTIVE_TOKEN_FILE`, or `INCODE_EXECUTIVE_EMAIL` with `INCODE_EXECUTIVE_PASSWORD_FILE`: with either the worker confirms
   * each finish by id. @default none
   */
  readonly executive: ExecutiveConfig | null;
  /**
   * `INCODE_REFUSES_FOREIGN_IDS`: `verify-incode` has found that Incode refuses a session's token that reads the id of another session. So
   * the read before finishing proves that the token fits. @default false
   */
  readonly refusesForeignIds: boolean;
  /** `INCODE_TIMEOUT`: one read from Incode. @default "10s" */
  readonly timeoutMs: number;
  /** `INCODE_FINISH_TIMEOUT`: one finish-status call. @default "35s": Incode ends a request after 30 s on its side. */
  readonly finishTimeoutMs: number;
  /** `INCODE_CONNECTIONS`: connections to Incode, and calls at a time. @default 64 */
  readonly connections: number;
  /** `INCODE_BULK_CONNECTIONS`: the same for batches, so that they delay nobody. @default 64 */
  readonly bulkConnections: number;
  /** `INCODE_RATE_LIMIT`: requests per second of all workers together. @default no limit */
  readonly rateLimit: number | null;
  /** `INCODE_BULK_SHARE`: the part of it that batches may take. @default 0.8 */
  readonly bulkShare: number;
  /** `INCODE_SETTLE_TIME`: how long a session is left alone after a call whose fate is unknown. @default "30s" */
  readonly settleTimeMs: number;
  /** `INCODE_CONFIRM_WITHIN`: how long a status that confirms finishing is waited for. @default "15m" */
  readonly confirmFinishWithinMs: number;
  /** `INCODE_PROCESSED_POLL`: how often a session that waits for post-processing is looked at. @default "15m" */
  readonly processedPollMs: number;
  /** `INCODE_REVIEW_POLL`: how often a session in manual review is looked at. @default "6h" */
  readonly reviewPollMs: number;
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in either case. */
  readonly proxy: Readonly<{ httpsProxy?: string; httpProxy?: string; noProxy?: string }>;
  /** `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`, or the profile file. */
  readonly temporal: ClientConnectConfig;
  readonly namespace: string;
  /**
   * `TEMPORAL_INCODE_ENCRYPTION_KEYS` or `TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE`: what payloads and failures are encrypted with. Needed
   * for a server that is not on this machine, unless `TEMPORAL_INCODE_ALLOW_PLAINTEXT=true`.
   */
  readonly encryptionKeys: KeyRing | null;
  /** `TEMPORAL_INCODE_REQUIRE_ENCRYPTION`: refuse payloads that are not encrypted. @default false */
  readonly requireEncryption: boolean;
  /** `WORKER_TASK_QUEUE`. @default "incode-onboarding" */
  readonly taskQueue: string;
  /** `WORKER_BULK_TASK_QUEUE`. @default "incode-onboarding-bulk" */
  readonly bulkTaskQueue: string;
  /** `WORKER_NEXUS_TASK_QUEUE`: with it the worker serves the Nexus service. @default none: most have no use for it */
  readonly nexusTaskQueue: string | null;
  /** `WORKER_MAX_CACHED_WORKFLOWS`. @default 300: about 0.3 MB each, and a replay of one that waited costs milliseconds. */
  readonly maxCachedWorkflows: number;
  /** `WORKER_WORKFLOW_TASKS`: workflow tasks at a time. @default 40, as the SDK's: each takes a millisecond or two of one thread. */
  readonly workflowTasks: number;
  /** `WORKER_BULK_ACTIVITIES`: at a time. @default 4: one ends while another is under way, and a third is being fetched. */
  readonly bulkActivities: number;
  /** `WORKER_BULK_CACHED_WORKFLOWS`. @default 32: each holds 2,000 sessions and their tokens, a few MB; another one is replayed. */
  readonly bulkCachedWorkflows: number;
  /** `WORKER_DEPLOYMENT_NAME` and `WORKER_BUILD_ID`, both or none: see `docs/deploys.md`. @default none: without a version */
  readonly deployment: DeploymentVersion | null;
  /** `WORKER_SHUTDOWN_GRACE`: how long calls under way may go on. @default "20s": Kubernetes kills after 30. */
  readonly shutdownGraceMs: number;
  /** `WORKER_METRICS_ADDRESS`: where metrics and health are served. @default nowhere */
  readonly metricsAddress: ListenAddress | null;
  /** `LOG_LEVEL`. @default "info" */
  readonly logLevel: LogLevel;
}

/** One for tasks of workflows that are cached, one for others: the SDK's own condition. */
const MIN_WORKFLOW_TASKS = 2;

/**
 * @param onWarning told of a file with secrets that has become wrong. @default a warning of the process, `SecretFileWarning`
 * @throws ConfigError
 */
export function readConfig(env: Environment = process.env, onWarning?: OnWarning): Config {
  const read = reader(env, onWarning);
  const temporal = read.temporal();
  const config: Config = {
    ...incodeConfig(read),
    configurationId: read.text('INCODE_CONFIGURATION_ID') ?? null,
    refusesForeignIds: read.oneOf('INCODE_REFUSES_FOREIGN_IDS', ['true', 'false'], 'false') === 'true',
    ...finishConfig(read),
    connections: read.integer('INCODE_CONNECTIONS', 64, 1_024),
    bulkConnections: read.integer('INCODE_BULK_CONNECTIONS', 64, 1_024),
    rateLimit: read.number('INCODE_RATE_LIMIT', { least: 0.1, most: 100_000 }) ?? null,
    bulkShare: read.number('INCODE_BULK_SHARE', { least: 0, most: 1 }) ?? 0.8,
    confirmFinishWithinMs: read.duration('INCODE_CONFIRM_WITHIN', '15m', MAX_CONFIRM_WITHIN),
    processedPollMs: read.duration('INCODE_PROCESSED_POLL', '15m', MAX_POLL),
    reviewPollMs: read.duration('INCODE_REVIEW_POLL', '6h', MAX_POLL),
    temporal,
    namespace: temporal.namespace ?? 'default',
    ...encryption(read, env, temporal.connectionOptions.address),
    taskQueue: read.text('WORKER_TASK_QUEUE') ?? TASK_QUEUE,
    bulkTaskQueue: read.text('WORKER_BULK_TASK_QUEUE') ?? BULK_TASK_QUEUE,
    nexusTaskQueue: read.text('WORKER_NEXUS_TASK_QUEUE') ?? null,
    maxCachedWorkflows: read.integer('WORKER_MAX_CACHED_WORKFLOWS', 300, 100_000),
    workflowTasks: read.integer('WORKER_WORKFLOW_TASKS', 40, 1_000, MIN_WORKFLOW_TASKS),
    bulkActivities: read.integer('WORKER_BULK_ACTIVITIES', 4, 100),
    bulkCachedWorkflows: read.integer('WORKER_BULK_CACHED_WORKFLOWS', 32, 1_000),
    deployment: deploymentVersion(read),
    shutdownGraceMs: read.duration('WORKER_SHUTDOWN_GRACE', '20s', MAX_SHUTDOWN_GRACE),
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

/** The part of it that is needed to reach Incode, whatever the rest of the environment is like. @throws ConfigError */
export function readIncodeConfig(env: Environment = process.env): IncodeConfig {
  const read = reader(env);
  const config = incodeConfig(read);
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return config;
}

/** What `verify-incode` needs. @throws ConfigError */
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
    finishTimeoutMs: read.duration('INCODE_FINISH_TIMEOUT', '35s', MAX_FINISH_TIMEOUT),
    settleTimeMs: read.duration('INCODE_SETTLE_TIME', '30s', MAX_SETTLE_TIME),
  };
}

const ALLOW_PLAIN_HTTP = 'INCODE_ALLOW_PLAIN_HTTP';

type IncodeConfig = Pick<Config, 'baseUrl' | 'allowPlainHttp' | 'apiKey' | 'executive' | 'timeoutMs' | 'proxy'>;

function incodeConfig(read: Reader): IncodeConfig {
  const baseUrl = read.url('INCODE_BASE_URL');
  const allowPlainHttp = read.oneOf(ALLOW_PLAIN_HTTP, ['true', 'false'], 'false') === 'true';
  if (!allowPlainHttp && URL.canParse(baseUrl) && isPlainHttp(baseUrl)) {
    read.problems.push(
      `INCODE_BASE_URL must be https: over http the API key and tokens cross the network unencrypted; ${ALLOW_PLAIN_HTTP}=true takes it`,
    );
  }
  return {
    baseUrl,
    allowPlainHttp,
    apiKey: apiKey(read),
    executive: executiveConfig(read),
    timeoutMs: read.duration('INCODE_TIMEOUT', '10s', MAX_TIMEOUT),
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
  // Without one there is a problem, and so no configuration.
  return key as (refused?: string) => string;
}

/** The files with secrets that our variables name, by the name of the variable. */
export function namedSecretFiles(env: Environment = process.env): [variable: string, path: string][] {
  return Object.entries(env).flatMap(([variable, path]): [string, string][] =>
    /^(INCODE|TEMPORAL_INCODE|WEBHOOK|CODEC_SERVER)_\w+_FILE$/.test(variable) && path?.trim()
      ? [[variable, path.trim()]]
      : [],
  );
}

/** Whether this machine is configured for Incode at all; where nothing but clients run, it is not. */
export function isIncodeConfigured(env: Environment = process.env): boolean {
  return Boolean(env.INCODE_BASE_URL || env.INCODE_API_KEY || env.INCODE_API_KEY_FILE);
}

// The reads and the finish of one attempt must end before the activity's start-to-close timeout (src/workflows/options.ts).
const MAX_TIMEOUT = '30s';
const MAX_FINISH_TIMEOUT = '45s';
// Above it a session with one lost answer would seem stuck to those who wait for it.
const MAX_SETTLE_TIME = '10m';
// Above it a person has looked at the session long before.
const MAX_CONFIRM_WITHIN = '7d';
// A webhook that is lost costs one poll interval.
const MAX_POLL = '7d';
const MAX_SHUTDOWN_GRACE = '10m';

/** Whoever prints the configuration, or logs it as JSON, must not print the key. */
function withoutSecrets(config: Config): Config {
  const hidden = { apiKey: HIDDEN, executive: HIDDEN, temporal: HIDDEN, proxy: HIDDEN, encryptionKeys: HIDDEN };
  return redactWhenPrinted(config, { ...config, ...hidden });
}
