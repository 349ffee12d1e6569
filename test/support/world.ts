import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, type LogEntry, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import {
  type ActivityOptions,
  type BulkOptions,
  createBulkActivities,
  createIncodeActivities,
  type TokenSource,
} from '../../src/activities/index.js';
import { type BatchOptions, OnboardingClient } from '../../src/client/index.js';
import { type BatchSession, batchWorkflowId } from '../../src/contract/index.js';
import {
  createIncodeClient,
  type ExecutiveToken,
  type IncodeClient,
  type IncodeClientOptions,
} from '../../src/incode/index.js';
import {
  type IncodeSimulator,
  type SessionSpec,
  type SimulatorOptions,
  startIncodeSimulator,
} from '../../src/testing/simulator/index.js';

/** The bundle of `npm run build`, so that tests use the code that is shipped. */
export const WORKFLOW_BUNDLE = { codePath: fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url)) };

/** Long enough that a search for it finds no accidental match. */
export const API_KEY = 'api-key-that-must-not-be-seen';

/** The environment of a worker on the shared server, which takes batches from the task queue `…-bulk`. */
export function workerEnvironment(incodeUrl: string, taskQueue: string): Record<string, string> {
  return {
    INCODE_BASE_URL: incodeUrl,
    INCODE_API_KEY: API_KEY,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: inject('temporalNamespace'),
    WORKER_TASK_QUEUE: taskQueue,
    WORKER_BULK_TASK_QUEUE: `${taskQueue}-bulk`,
  };
}

export interface TestWorldOptions {
  simulator?: SimulatorOptions;
  incode?: Partial<IncodeClientOptions>;
  activities?: Partial<ActivityOptions>;
  /** Options for batches, in addition to `activities`. */
  bulk?: Partial<BulkOptions>;
  tokenSource?: (incode: IncodeClient) => TokenSource;
  executive?: (incode: IncodeClient) => ExecutiveToken;
  /** @default the shared server */
  address?: string;
  /** @default a new task queue */
  taskQueue?: string;
}

/** A simulator, a worker for sessions and batches on a new task queue, and a client. */
export interface TestWorld {
  simulator: IncodeSimulator;
  onboarding: OnboardingClient;
  temporal: Client;
  taskQueue: string;
  /** Options for a batch with a new id, in shards of five, on this world's task queue. */
  batch(options?: BatchOptions): BatchOptions & { batchId: string };
  sessions(count: number, spec?: Spec): Promise<OpenedSession[]>;
  /** How often Incode finished each of the sessions. */
  timesFinished(sessions: BatchSession[]): number[];
  shard(batchId: string, number: number): ReturnType<Client['workflow']['getHandle']>;
  /** The log of this process's workers since the world started, as JSON lines. */
  logs(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

export type OpenedSession = BatchSession & { sessionToken: string };

type Spec = SessionSpec | ((index: number) => SessionSpec);

const logged: string[] = [];

/** The log of all workers of this process, as JSON lines. */
export const logs = () => logged.join('\n');

let runtimeInstalled = false;

/** Collects the SDK's log lines for tests to search. `test/setup/runtime.ts` calls it once per process. */
export function installRuntime(): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  const logger = new DefaultLogger('DEBUG', (entry: LogEntry) => {
    logged.push(JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? String(value) : plain(value))));
  });
  Runtime.install({ logger, shutdownSignals: [] });
}

/** JSON omits an error's message and stack, but loggers print them. */
function plain(value: unknown): unknown {
  return value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: value.cause } : value;
}

/** For worlds in which Incode does not answer some calls. Elsewhere a busy machine must not end a call. */
export const IMPATIENT = { timeoutMs: 3_000, finishTimeoutMs: 3_000 };

/** Short times for every world, because its simulator ends requests after 300 ms. */
const TIMES = {
  settleTimeMs: 400,
  operatorRetryMs: 300,
  scorePollMs: 200,
  confirmFinishPollMs: 200,
  confirmFinishWithinMs: 2_000,
};

export async function startTestWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  const { address = inject('temporalAddress'), taskQueue = `test-${randomUUID()}` } = options;
  const namespace = inject('temporalNamespace');
  const logsFrom = logged.length;
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01, ...options.simulator });
  const incode = createIncodeClient({
    baseUrl: simulator.url,
    apiKey: API_KEY,
    timeoutMs: 30_000,
    finishTimeoutMs: 30_000,
    ...options.incode,
  });
  const tokenSource = options.tokenSource ? { tokenSource: options.tokenSource(incode) } : {};
  const executive = options.executive ? { executive: options.executive(incode) } : {};
  const activities = { incode, ...TIMES, ...tokenSource, ...executive, ...options.activities };
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowBundle: WORKFLOW_BUNDLE,
    // Workflow code runs in this thread. Another thread for each world would cost half a second of CPU.
    debugMode: true,
    activities: { ...createIncodeActivities(activities), ...createBulkActivities({ ...activities, ...options.bulk }) },
  });
  const running = worker.run();
  const connection = await Connection.connect({ address });
  const temporal = new Client({ connection, namespace });
  return {
    simulator,
    temporal,
    taskQueue,
    onboarding: new OnboardingClient({ client: temporal, taskQueue }),
    batch: (batchOptions = {}) => ({ batchId: `batch-${randomUUID()}`, taskQueue, shardSize: 5, ...batchOptions }),
    sessions: (count, spec) => openSessions(simulator, count, spec),
    timesFinished: (sessions) => timesFinished(simulator, sessions),
    shard: (batchId, number) => temporal.workflow.getHandle(batchWorkflowId(batchId, number)),
    logs: () => logged.slice(logsFrom).join('\n'),
    async [Symbol.asyncDispose]() {
      worker.shutdown();
      await running;
      await native.close();
      await connection.close();
      await simulator.close();
      await incode.close();
    },
  };
}

export function openSessions(simulator: IncodeSimulator, count: number, spec: Spec = {}): Promise<OpenedSession[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { interviewId, token } = await simulator.openSession(typeof spec === 'function' ? spec(index) : spec);
      return { interviewId, sessionToken: token };
    }),
  );
}

/** How often Incode finished each session. */
export function timesFinished(simulator: IncodeSimulator, sessions: BatchSession[]): number[] {
  return sessions.map(({ interviewId }) => simulator.effects(interviewId).finished);
}
