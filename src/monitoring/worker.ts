import type { Logger, NativeConnection } from '@temporalio/worker';
import type { ActivityEvent } from '../activities/index.js';
import type { Config } from '../config/index.js';
import type { IncodeCall } from '../incode/index.js';
import { loadPromClient } from './optional-peer.js';
import { installRuntime, installRuntimeWithMetrics } from './runtime.js';
import { type Health, startMonitoringServer } from './server.js';
import { countPeople, countSessions } from './session-counts.js';

/** Metrics and health of a worker process. */
export interface WorkerMonitoring {
  /** Callbacks for `createWorker`; empty without metrics. */
  readonly observers: { onCall?: (call: IncodeCall) => void; observe?: (event: ActivityEvent) => void };
  /** Serves the worker's own health from now on, and counts open sessions. */
  watch(worker: { health(): Promise<Health>; connection: NativeConnection }): void;
  close(): Promise<void>;
}

const VARIABLE = 'WORKER_METRICS_ADDRESS';

/** Each worker makes seven queries. The stages that matter last for hours. */
const COUNT_EVERY_MS = 60_000;

/**
 * Installs the SDK's runtime, once per process, and serves metrics and health if an address is configured.
 *
 * @throws Error that names the variable if the address is in use or `prom-client` is not installed
 */
export async function startWorkerMonitoring(
  { metricsAddress, namespace }: Pick<Config, 'metricsAddress' | 'namespace'>,
  logger: Logger,
): Promise<WorkerMonitoring> {
  if (!metricsAddress) {
    installRuntime(logger);
    return { observers: {}, watch: () => undefined, close: async () => undefined };
  }
  const [{ createRegistry }, { createWorkerMetrics }] = await loadPromClient(VARIABLE, () =>
    Promise.all([import('./registry.js'), import('./worker-metrics.js')]),
  );
  const registry = createRegistry();
  const metrics = createWorkerMetrics(registry);
  let sdkMetrics = async () => '';
  let health = async (): Promise<Health> => ({ alive: true, ready: false, reason: 'The worker is starting' });
  let counting: NodeJS.Timeout | undefined;
  const server = await startMonitoringServer({
    ...metricsAddress,
    variable: VARIABLE,
    metrics: {
      contentType: registry.contentType,
      text: async () => `${await registry.metrics()}${await sdkMetrics()}`,
    },
    health: () => health(),
  });
  // Installed only once the server listens. If listening failed, a runtime without a worker would keep the process alive.
  sdkMetrics = await installRuntimeWithMetrics(logger).catch(async (error) => {
    await server.close();
    throw error;
  });
  logger.info('Serving metrics and health', { url: server.url });

  return {
    observers: metrics,

    watch(worker) {
      health = () => worker.health();
      const count = () => {
        countSessions(worker.connection, namespace).then(metrics.sessions, (error) => {
          metrics.sessions(undefined);
          logger.debug('Open sessions cannot be counted now', { error });
        });
        countPeople(worker.connection, namespace).then(metrics.people, (error) => {
          metrics.people(undefined);
          logger.debug('Open people from images cannot be counted now', { error });
        });
      };
      counting = setInterval(count, COUNT_EVERY_MS);
      count();
    },

    async close() {
      clearInterval(counting);
      await server.close();
    },
  };
}
