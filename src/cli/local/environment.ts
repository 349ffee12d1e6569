import { encryptionEnvironment } from '../../codec/index.js';
import { withoutTemporalAddress } from '../../config/index.js';
import {
  type IncodeSimulator,
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startLocalTemporalServer,
} from '../../testing/index.js';

/**
 * The environment of a worker that uses a simulated Incode. From the user's environment it takes only the encryption settings, which
 * the worker shares with other commands. A real INCODE_API_KEY or proxy must not reach a simulated worker.
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

/**
 * Starts a server, and never uses the one of TEMPORAL_ADDRESS: on a server with real sessions, the worker of a simulated Incode would
 * decide them.
 */
export function startServer(options: Omit<LocalTemporalServerOptions, 'env'>): Promise<LocalTemporalServer> {
  return startLocalTemporalServer({ ...options, env: withoutTemporalAddress() });
}
