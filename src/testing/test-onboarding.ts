import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { OnboardingClient } from '../client/index.js';
import { type LocalTemporalServer, startLocalTemporalServer } from './server/index.js';
import { type IncodeSimulator, type SimulatorOptions, startIncodeSimulator } from './simulator/index.js';

export interface TestOnboardingOptions {
  /**
   * A server that other tests share; it is left running.
   *
   * @default a server for this call, which `stop` ends
   */
  server?: Pick<LocalTemporalServer, 'address' | 'namespace'>;
  /** Options of the simulated Incode. @default its waits a hundred times as fast as Incode's */
  simulator?: SimulatorOptions;
  /**
   * Variables of the worker, such as `INCODE_REVIEW_POLL`, as `docs/worker.md` lists them.
   *
   * @default a settle time and polls of one second, because the simulated Incode is faster too
   */
  worker?: Readonly<Record<string, string>>;
  /** Print the SDK's log lines from this level on. @default "ERROR": only what is wrong */
  logLevel?: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}

export interface TestOnboarding {
  /** Starts sessions and batches (`completeBatch`), and reads their results, as in production. */
  readonly onboarding: OnboardingClient;
  /** The simulated Incode: opens sessions, plays faults, and tells what was called. */
  readonly incode: IncodeSimulator;
  /** Stops the worker, the simulator and, if it was started here, the server. */
  stop(): Promise<void>;
}

/**
 * Starts everything that a test of your code needs: a Temporal server, a simulated Incode, a worker, and a client. Each call has its own
 * task queue, so test files can share a server.
 *
 * @example
 * const { onboarding, incode, stop } = await startTestOnboarding();
 * const { interviewId, token } = await incode.openSession();
 * const answer = await onboarding.finish({ interviewId, sessionToken: token });
 * await stop();
 * @throws Error if there is no server and no way to get one, or if the worker's packages are not installed
 */
export async function startTestOnboarding(options: TestOnboardingOptions = {}): Promise<TestOnboarding> {
  // Not at the top: tests that need only the simulator or the server do without the worker's packages.
  const [{ createWorker, readConfig }, { DefaultLogger, Runtime }] = await Promise.all([
    import('../worker.js'),
    import('@temporalio/worker'),
  ]);
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    // A process has one runtime. If the test has installed its own, its logger stays.
    installOnce(() => Runtime.install({ logger: new DefaultLogger(options.logLevel ?? 'ERROR'), shutdownSignals: [] }));
    const server = options.server ?? (await ownServer(stops));
    const incode = await startIncodeSimulator({ timeScale: 0.01, ...options.simulator });
    stops.push(() => incode.close());
    const taskQueue = `test-${randomUUID()}`;
    const bulkTaskQueue = `${taskQueue}-bulk`;
    const worker = await createWorker(
      readConfig({
        INCODE_BASE_URL: incode.url,
        INCODE_API_KEY: incode.apiKey,
        INCODE_SETTLE_TIME: '1s',
        INCODE_PROCESSED_POLL: '1s',
        INCODE_REVIEW_POLL: '1s',
        TEMPORAL_ADDRESS: server.address,
        TEMPORAL_NAMESPACE: server.namespace,
        TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true',
        WORKER_TASK_QUEUE: taskQueue,
        WORKER_BULK_TASK_QUEUE: bulkTaskQueue,
        ...options.worker,
      }),
    );
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
