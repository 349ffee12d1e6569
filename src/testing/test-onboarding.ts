import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { OnboardingClient } from '../client/index.js';
import { type LocalTemporalServer, startLocalTemporalServer } from './server/index.js';
import { type IncodeSimulator, type SimulatorOptions, startIncodeSimulator } from './simulator/index.js';

export interface TestOnboardingOptions {
  /**
   * A server that other tests share. `stop` leaves it running.
   *
   * @default a new server, which `stop` ends
   */
  server?: Pick<LocalTemporalServer, 'address' | 'namespace'>;
  /** Options of the simulated Incode. @default `{ timeScale: 0.01 }`: its waits are a hundred times as short as Incode's */
  simulator?: SimulatorOptions;
  /**
   * Environment variables of the worker, such as `INCODE_REVIEW_POLL`. `docs/worker.md` lists them.
   *
   * @default a settle time and polls of one second, because the simulated Incode is also faster
   */
  worker?: Readonly<Record<string, string>>;
  /** Minimum level of the SDK's log lines. @default "ERROR" */
  logLevel?: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}

/** What `startTestOnboarding` started. */
export interface TestOnboarding {
  /** The client for your tests: starts sessions, people and batches, and reads their results. */
  readonly onboarding: OnboardingClient;
  /** The simulated Incode: opens sessions, simulates faults and logs every call. */
  readonly incode: IncodeSimulator;
  /** Stops the worker and the simulator, and the server if this call started it. */
  stop(): Promise<void>;
}

/**
 * Starts everything that a test of your code needs: a Temporal server, a simulated Incode, a worker and a client. Each call has its own
 * task queue, so test files can share a server.
 *
 * @example
 * const { onboarding, incode, stop } = await startTestOnboarding();
 * const { interviewId, token } = await incode.openSession();
 * const answer = await onboarding.finish({ interviewId, sessionToken: token });
 * await stop();
 * @throws Error if no server can be found or downloaded, or if the worker's packages are not installed
 */
export async function startTestOnboarding(options: TestOnboardingOptions = {}): Promise<TestOnboarding> {
  // Imported here, so that tests which need only the simulator or the server work without the worker's packages.
  const [{ createWorker, readCaptureConfig, readConfig }, { DefaultLogger, Runtime }] = await Promise.all([
    import('../worker.js'),
    import('@temporalio/worker'),
  ]);
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    // A process has one runtime. If the test has installed one, its logger stays.
    installOnce(() => Runtime.install({ logger: new DefaultLogger(options.logLevel ?? 'ERROR'), shutdownSignals: [] }));
    const server = options.server ?? (await ownServer(stops));
    const incode = await startIncodeSimulator({ timeScale: 0.01, ...options.simulator });
    stops.push(() => incode.close());
    const taskQueue = `test-${randomUUID()}`;
    const bulkTaskQueue = `${taskQueue}-bulk`;
    const env = {
      INCODE_BASE_URL: incode.url,
      INCODE_API_KEY: incode.apiKey,
      INCODE_SETTLE_TIME: '1s',
      INCODE_PROCESSED_POLL: '1s',
      INCODE_REVIEW_POLL: '1s',
      INCODE_PROCESS_POLL: '100ms',
      INCODE_CONFIGURATION_ID: 'test',
      INCODE_DOCUMENT_RATE_LIMIT: '100',
      INCODE_FACE_RATE_LIMIT: '100',
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: server.namespace,
      TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true',
      WORKER_TASK_QUEUE: taskQueue,
      WORKER_BULK_TASK_QUEUE: bulkTaskQueue,
      ...options.worker,
    };
    const worker = await createWorker(readConfig(env), { capture: readCaptureConfig(env) });
    const running = worker.run();
    stops.push(async () => {
      worker.shutdown();
      await running;
    });
    const connection = await Connection.connect({ address: server.address });
    stops.push(() => connection.close());
    const client = new Client({ connection, namespace: server.namespace });
    return { onboarding: new OnboardingClient({ client, taskQueue, bulkTaskQueue }), incode, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ownServer(stops: (() => unknown)[]): Promise<LocalTemporalServer> {
  const server = await startLocalTemporalServer({ onProgress: (message) => process.stderr.write(`${message}\n`) });
  stops.push(() => server.stop());
  return server;
}

function installOnce(install: () => void): void {
  try {
    install();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'IllegalStateError')) throw error;
  }
}
