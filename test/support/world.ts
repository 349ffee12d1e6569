import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, type LogEntry, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { type ActivityOptions, createIncodeActivities, type TokenSource } from '../../src/activities/index.js';
import { OnboardingClient } from '../../src/client/index.js';
import { createIncodeClient, type IncodeClient, type IncodeClientOptions } from '../../src/incode/index.js';
import {
  type IncodeSimulator,
  type SimulatorOptions,
  startIncodeSimulator,
} from '../../src/testing/simulator/index.js';

/** As built by `npm run build`, which runs before the tests: what is tested is what is shipped. */
export const WORKFLOW_BUNDLE = { codePath: fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url)) };

/** Long enough that a key or token is never found by accident, and known, so that it can be searched for. */
export const API_KEY = 'api-key-that-must-not-be-seen';

export interface WorldOptions {
  simulator?: SimulatorOptions;
  incode?: Partial<IncodeClientOptions>;
  activities?: Partial<ActivityOptions>;
  tokenSource?: (incode: IncodeClient) => TokenSource;
  /** @default the shared server */
  address?: string;
  /** @default one of its own */
  taskQueue?: string;
}

/** A simulator, a worker with a task queue of its own, and a client: everything that one test needs, for it alone. */
export interface World {
  simulator: IncodeSimulator;
  onboarding: OnboardingClient;
  temporal: Client;
  taskQueue: string;
  /** What workers of this process have logged since the start, as JSON lines. */
  logs(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

const logged: string[] = [];

/** What the workers of this process have logged, as JSON lines. */
export const logs = () => logged.join('\n');

let runtimeInstalled = false;

/** Keeps the SDK's log lines, to be searched, instead of printing them. Once per process: `test/setup/runtime.ts` calls it. */
export function installRuntime(): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  const logger = new DefaultLogger('DEBUG', (entry: LogEntry) => {
    logged.push(JSON.stringify(entry, (_, value) => (typeof value === 'bigint' ? String(value) : plain(value))));
  });
  Runtime.install({ logger, shutdownSignals: [] });
}

/** An error's own fields do not show in JSON, but loggers print them. */
function plain(value: unknown): unknown {
  return value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: value.cause } : value;
}

export async function startWorld({
  simulator: simulated,
  incode,
  activities,
  tokenSource,
  address,
  taskQueue: givenQueue,
}: WorldOptions = {}): Promise<World> {
  const logsFrom = logged.length;
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01, ...simulated });
  const incodeClient = createIncodeClient({
    baseUrl: simulator.url,
    apiKey: API_KEY,
    timeoutMs: 1_000,
    finishTimeoutMs: 1_000,
    ...incode,
  });
  const taskQueue = givenQueue ?? `test-${randomUUID()}`;
  const server = address ?? inject('temporalAddress');
  const native = await NativeConnection.connect({ address: server });
  const worker = await Worker.create({
    connection: native,
    namespace: inject('temporalNamespace'),
    taskQueue,
    workflowBundle: WORKFLOW_BUNDLE,
    // The simulator ends its requests after 300 ms, so the settle time shrinks with it.
    activities: createIncodeActivities({
      incode: incodeClient,
      settleTimeMs: 400,
      operatorRetryMs: 300,
      scorePollMs: 200,
      confirmFinishPollMs: 200,
      confirmFinishWithinMs: 2_000,
      ...activities,
      ...(tokenSource ? { tokenSource: tokenSource(incodeClient) } : {}),
    }),
  });
  const running = worker.run();
  const connection = await Connection.connect({ address: server });
  const temporal = new Client({ connection, namespace: inject('temporalNamespace') });
  return {
    simulator,
    temporal,
    taskQueue,
    onboarding: new OnboardingClient({ client: temporal, taskQueue }),
    logs: () => logged.slice(logsFrom).join('\n'),
    async [Symbol.asyncDispose]() {
      worker.shutdown();
      await running;
      await native.close();
      await connection.close();
      await simulator.close();
      await incodeClient.close();
    },
  };
}
