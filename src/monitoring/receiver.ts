import type { ListenAddress } from '../config/index.js';
import type { WebhookEvent } from '../webhook/index.js';
import { loadPromClient } from './optional-peer.js';
import { startMonitoringServer } from './server.js';

/** Metrics of a webhook receiver. Its health is served at the receiver's own address. */
interface ReceiverMonitoring {
  readonly url: string;
  /** For the receiver's `log` option. */
  observe(event: WebhookEvent): void;
  close(): Promise<void>;
}

const VARIABLE = 'WEBHOOK_METRICS_ADDRESS';

/** @throws Error that names the variable if the address is in use or `prom-client` is not installed */
export async function startReceiverMonitoring(address: ListenAddress): Promise<ReceiverMonitoring> {
  const [{ createRegistry }, { createReceiverMetrics }] = await loadPromClient(VARIABLE, () =>
    Promise.all([import('./registry.js'), import('./receiver-metrics.js')]),
  );
  const registry = createRegistry();
  const observe = createReceiverMetrics(registry);
  const { url, close } = await startMonitoringServer({
    ...address,
    variable: VARIABLE,
    metrics: { contentType: registry.contentType, text: () => registry.metrics() },
  });
  return { url, observe, close };
}
