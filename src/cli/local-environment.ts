import type { IncodeSimulator, LocalTemporalServer } from '../testing/index.js';

/**
 * The environment of a worker that talks to nothing but this machine. Nothing of the
 * user's environment is passed on: a real INCODE_API_KEY or a proxy must not reach a worker that plays.
 */
export function localWorkerEnvironment(
  server: Pick<LocalTemporalServer, 'address' | 'namespace'>,
  simulator: Pick<IncodeSimulator, 'url' | 'apiKey'>,
): Record<string, string> {
  return {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY: simulator.apiKey,
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: server.namespace,
  };
}
