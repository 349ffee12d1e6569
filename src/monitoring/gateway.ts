import type { ListenAddress } from '../config/index.js';
import type { GatewayEvent } from '../gateway/log.js';
import { loadPromClient } from './optional-peer.js';
import { startMonitoringServer } from './server.js';

/** Metrics of a gateway. Its health is served at the gateway's own address. */
interface GatewayMonitoring {
  readonly url: string;
  /** For the gateway's `log` option. */
  observe(event: GatewayEvent): void;
  close(): Promise<void>;
}

const VARIABLE = 'GATEWAY_METRICS_ADDRESS';

/** @throws Error that names the variable if the address is in use or `prom-client` is not installed */
export async function startGatewayMonitoring(address: ListenAddress): Promise<GatewayMonitoring> {
  const [{ createRegistry }, { createGatewayMetrics }] = await loadPromClient(VARIABLE, () =>
    Promise.all([import('./registry.js'), import('./gateway-metrics.js')]),
  );
  const registry = createRegistry();
  const observe = createGatewayMetrics(registry);
  const { url, close } = await startMonitoringServer({
    ...address,
    variable: VARIABLE,
    metrics: { contentType: registry.contentType, text: () => registry.metrics() },
  });
  return { url, observe, close };
}
