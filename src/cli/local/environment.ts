import { encryptionEnvironment } from '../../codec/index.js';
import type { IncodeSimulator, LocalTemporalServer } from '../../testing/index.js';

/**
 * The environment of a worker that talks to nothing but a simulated Incode. Of the user's environment only what concerns
 * encryption is passed on, or this worker could not read what the commands beside it write: a real INCODE_API_KEY or a proxy must
 * not reach a worker that plays.
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
    ...encryptionEnvironment(),
  };
}
