import type { ClientConnectConfig } from '@temporalio/envconfig';
import { ConfigError, type Environment, LOG_LEVELS, type LogLevel, reader } from './config/reader.js';
import { TASK_QUEUE } from './contract/index.js';

export { ConfigError, LOG_LEVELS, type LogLevel } from './config/reader.js';
export { readWebhookConfig, type WebhookConfig } from './config/webhook.js';

/** What the worker process is told by its environment. `docs/worker.md` has a line for each variable. */
export interface Config {
  /** `INCODE_BASE_URL`, required: differs by environment and contract. */
  readonly baseUrl: string;
  /** `INCODE_API_KEY`, required: differs by environment. */
  readonly apiKey: string;
  /** `INCODE_CONFIGURATION_ID`: with it the worker renews refused session tokens through `POST /omni/start`. */
  readonly configurationId: string | null;
  /** `INCODE_TIMEOUT`: one read from Incode. @default "10s" */
  readonly timeoutMs: number;
  /** `INCODE_FINISH_TIMEOUT`: one finish-status call. @default "35s": Incode ends a request after 30 s on its side. */
  readonly finishTimeoutMs: number;
  /** `INCODE_CONNECTIONS`: connections to Incode, and calls at a time. @default 64 */
  readonly connections: number;
  /** `INCODE_SETTLE_TIME`: how long a session is left alone after a call whose fate is unknown. @default "30s" */
  readonly settleTimeMs: number;
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in either case. */
  readonly proxy: Readonly<{ httpsProxy?: string; httpProxy?: string; noProxy?: string }>;
  /** `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`, or the profile file. */
  readonly temporal: ClientConnectConfig;
  readonly namespace: string;
  /** `WORKER_TASK_QUEUE`. @default "incode-onboarding" */
  readonly taskQueue: string;
  /** `WORKER_MAX_CACHED_WORKFLOWS`. @default 1000: about 20 KB each, and a replay costs less than a second. */
  readonly maxCachedWorkflows: number;
  /** `WORKER_SHUTDOWN_GRACE`: how long calls under way may go on. @default "20s": Kubernetes kills after 30. */
  readonly shutdownGraceMs: number;
  /** `LOG_LEVEL`. @default "info" */
  readonly logLevel: LogLevel;
}

/** @throws ConfigError */
export function readConfig(env: Environment = process.env): Config {
  const read = reader(env);
  const temporal = read.temporal();
  const config: Config = {
    baseUrl: read.url('INCODE_BASE_URL'),
    apiKey: read.secret('INCODE_API_KEY'),
    configurationId: read.text('INCODE_CONFIGURATION_ID') ?? null,
    timeoutMs: read.duration('INCODE_TIMEOUT', '10s', MAX_TIMEOUT),
    finishTimeoutMs: read.duration('INCODE_FINISH_TIMEOUT', '35s', MAX_FINISH_TIMEOUT),
    connections: read.integer('INCODE_CONNECTIONS', 64, 1_024),
    settleTimeMs: read.duration('INCODE_SETTLE_TIME', '30s', MAX_SETTLE_TIME),
    proxy: read.proxy(),
    temporal,
    namespace: temporal.namespace ?? 'default',
    taskQueue: read.text('WORKER_TASK_QUEUE') ?? TASK_QUEUE,
    maxCachedWorkflows: read.integer('WORKER_MAX_CACHED_WORKFLOWS', 1_000, 100_000),
    shutdownGraceMs: read.duration('WORKER_SHUTDOWN_GRACE', '20s', MAX_SHUTDOWN_GRACE),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return Object.freeze(config);
}

// A read and a finish in one attempt must end before the activity's start-to-close timeout of 90 s.
const MAX_TIMEOUT = '30s';
const MAX_FINISH_TIMEOUT = '45s';
// Above it a session with one lost answer would seem stuck to those who wait for it.
const MAX_SETTLE_TIME = '10m';
const MAX_SHUTDOWN_GRACE = '10m';
