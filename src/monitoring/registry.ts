import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { wrongSecretFiles } from '../secrets/index.js';

/** Sums of other metrics. Their names end like those of counters, but they are gauges. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Creates a registry with the metrics of the process: memory, processor, event loop, garbage collection. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  new Gauge({
    name: 'incode_build_info',
    help: 'Always 1; the label says which version of temporal-incode runs.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  new Gauge({
    name: 'incode_secret_files_wrong',
    help: 'Secret files that are missing, empty or invalid now. The last valid value stays in use.',
    registers: [registry],
    collect() {
      this.set(wrongSecretFiles());
    },
  });
  return registry;
}
