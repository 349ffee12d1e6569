import {
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startLocalTemporalServer,
} from '../../src/testing/index.js';

/** Starts a server even if `TEMPORAL_ADDRESS` names the server of this test run. For tests that stop or configure their server. */
export function startNewServer(options: LocalTemporalServerOptions = {}): Promise<LocalTemporalServer> {
  const { TEMPORAL_ADDRESS: _, ...env } = process.env;
  return startLocalTemporalServer({ env, ...options });
}
