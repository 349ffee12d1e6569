import type { ListenAddress } from '../config/index.js';
import type { WebhookEvent } from '../webhook/index.js';
import { promClientLoaded } from './optional-peer.js';
import { startMonitoringServer } from './server.js';

/** What can be seen of a webhook receiver from outside. Its health is at its own address. */
export interface ReceiverMonitoring {
  readonly url: string;
  /** For its `log` option. */
  observe(event: WebhookEvent): void;
  close(): Promise<void>;
}

const VARIABLE = 'WEBHOOK_METRICS_ADDRESS';

/** @throws Error that names the variable, if the address is taken or `prom-client` is not installed */
export async function startReceiverMonitoring(address: ListenAddress): Promise<ReceiverMonitoring> {
  const [{ createRegistry }, { createReceiverMetrics }] = await promClientLoaded(VARIABLE, () =>
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
