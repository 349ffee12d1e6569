import type { KeyRing } from '../codec/index.js';
import type { Proxies } from '../network/dispatcher.js';
import type { TemporalConfig } from '../temporal/environment.js';
import type { DeploymentVersion } from './deployment.js';
import type { ExecutiveConfig } from './executive.js';
import type { ListenAddress, LogLevel } from './reader.js';

/** The worker's configuration. `docs/worker.md` explains each variable. */
export interface Config {
  /** `INCODE_BASE_URL`, required. It depends on your environment and contract. */
  readonly baseUrl: string;
  /** `INCODE_ALLOW_PLAIN_HTTP`: accepts an `http:` base URL that is not on this machine. @default false */
  readonly allowPlainHttp: boolean;
  /**
   * `INCODE_API_KEY` or `INCODE_API_KEY_FILE`, one of them required: returns the current key. The file is read again at most every five
   * seconds, and at once if you pass a refused key.
   */
  readonly apiKey: (refused?: string) => string;
  /** `INCODE_CONFIGURATION_ID`: lets the worker renew refused session tokens through `POST /omni/start`. */
  readonly configurationId: string | null;
  /**
   * `INCODE_EXECUTIVE_TOKEN_FILE`, or `INCODE_EXECUTIVE_EMAIL` with `INCODE_EXECUTIVE_PASSWORD_FILE`: lets the worker confirm each finish
   * by id. @default none
   */
  readonly executive: ExecutiveConfig | null;
  /**
   * `INCODE_REFUSES_FOREIGN_IDS`: `verify-incode` has found that Incode refuses a session token that reads the id of another session. The
   * read before a finish then proves that the token belongs to the session. @default false
   */
  readonly refusesForeignIds: boolean;
  /** `INCODE_TIMEOUT`: timeout of a read from Incode. @default "10s" */
  readonly timeoutMs: number;
  /** `INCODE_FINISH_TIMEOUT`: timeout of a finish-status call. @default "35s": Incode ends a request after 30 s on its side. */
  readonly finishTimeoutMs: number;
  /** `INCODE_CONNECTIONS`: maximum number of connections to Incode, each with one call in flight. @default 64 */
  readonly connections: number;
  /** `INCODE_BULK_CONNECTIONS`: separate connections for batches, so that batches never delay single sessions. @default 64 */
  readonly bulkConnections: number;
  /** `INCODE_RATE_LIMIT`: requests per second, for all workers together. @default no limit */
  readonly rateLimit: number | null;
  /** `INCODE_BULK_SHARE`: the part of the rate limit that batches may use, from 0 to 1. @default 0.8 */
  readonly bulkShare: number;
  /** `INCODE_SETTLE_TIME`: how long the worker waits after a request with unknown result before it trusts the status. @default "30s" */
  readonly settleTimeMs: number;
  /** `INCODE_CONFIRM_WITHIN`: how long the worker waits for a status that confirms a finish. @default "15m" */
  readonly confirmFinishWithinMs: number;
  /** `INCODE_PROCESSED_POLL`: poll interval while a session waits for post-processing. @default "15m" */
  readonly processedPollMs: number;
  /** `INCODE_REVIEW_POLL`: poll interval while a session is in manual review. @default "6h" */
  readonly reviewPollMs: number;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in upper or lower case. */
  readonly proxy: Readonly<Proxies>;
  /** `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY` or `TEMPORAL_API_KEY_FILE`, `TEMPORAL_TLS…`, or the profile file. */
  readonly temporal: TemporalConfig;
  readonly namespace: string;
  /**
   * `TEMPORAL_INCODE_ENCRYPTION_KEYS` or `TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE`: encrypt payloads and failures. Required for a server
   * that is not on this machine, unless `TEMPORAL_INCODE_ALLOW_PLAINTEXT=true`.
   */
  readonly encryptionKeys: KeyRing | null;
  /** `TEMPORAL_INCODE_REQUIRE_ENCRYPTION`: refuses payloads that are not encrypted. @default false */
  readonly requireEncryption: boolean;
  /** `WORKER_TASK_QUEUE`. @default "incode-onboarding" */
  readonly taskQueue: string;
  /** `WORKER_BULK_TASK_QUEUE`. @default "incode-onboarding-bulk" */
  readonly bulkTaskQueue: string;
  /** `WORKER_NEXUS_TASK_QUEUE`: serves the Nexus service on this task queue. @default none: most deployments do not need it */
  readonly nexusTaskQueue: string | null;
  /** `WORKER_MAX_CACHED_WORKFLOWS`. @default 300: each takes about 0.3 MB, and replaying an evicted one takes milliseconds. */
  readonly maxCachedWorkflows: number;
  /** `WORKER_WORKFLOW_TASKS`: concurrent workflow tasks of sessions. @default 5: a task holds its history several times, and a hostile one has 50 MB. */
  readonly workflowTasks: number;
  /** `WORKER_BULK_ACTIVITIES`: concurrent activities of batches. @default 4: one runs while another ends and a third is fetched. */
  readonly bulkActivities: number;
  /** `WORKER_BULK_CACHED_WORKFLOWS`. @default 32: each holds 2,000 sessions with their tokens, a few MB. Others are replayed. */
  readonly bulkCachedWorkflows: number;
  /** `WORKER_DEPLOYMENT_NAME` and `WORKER_BUILD_ID`, both or none: see `docs/deploys.md`. @default none: the worker has no version */
  readonly deployment: DeploymentVersion | null;
  /** `WORKER_SHUTDOWN_GRACE`: how long calls in flight may take after SIGTERM. @default "20s": Kubernetes kills after 30 s. */
  readonly shutdownGraceMs: number;
  /** `WORKER_METRICS_ADDRESS`: where to serve metrics and health. @default not served */
  readonly metricsAddress: ListenAddress | null;
  /** `LOG_LEVEL`. @default "info" */
  readonly logLevel: LogLevel;
}
