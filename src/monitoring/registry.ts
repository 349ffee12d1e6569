import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { wrongSecretFiles } from '../secrets/index.js';

/** Sums of others, named like counters, which they are not. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** With the metrics of the process: memory, processor, event loop, garbage collection. */
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
    help: 'Files with secrets that are missing, empty or wrong now; what was read before stays in use.',
    registers: [registry],
    collect() {
      this.set(wrongSecretFiles());
    },
  });
  return registry;
}
