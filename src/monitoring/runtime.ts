import { Agent, get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Logger, Runtime } from '@temporalio/worker';

/** Native log lines below WARN repeat the SDK's own lines. */
const LOGGING = { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } as const;

export function installRuntime(logger: Logger): void {
  Runtime.install({ logger, telemetryOptions: { logging: LOGGING } });
}

/** Another process may take the free port before the SDK listens on it. */
const ATTEMPTS = 5;

/**
 * Installs the runtime with the SDK's metrics in Prometheus' conventions: seconds and `_total`. The SDK serves them itself, on a loopback
 * port that must be chosen beforehand.
 *
 * @returns a function that reads the metrics
 */
export async function installRuntimeWithMetrics(logger: Logger): Promise<() => Promise<string>> {
  for (let attempt = 1; ; attempt += 1) {
    const address = `127.0.0.1:${await freePort()}`;
    const prometheus = {
      bindAddress: address,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
    };
    try {
      Runtime.install({
        logger,
        // Prometheus' own label `job` names the service.
        telemetryOptions: { logging: LOGGING, metrics: { prometheus, attachServiceName: false } },
      });
      return () => fetchText(`http://${address}/metrics`);
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Uses a new agent, because Node's global agent may go through a proxy. */
function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: new Agent(), signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
      text(response).then(resolve, reject);
    }).once('error', reject);
  });
}

/** Half of Prometheus' own timeout. */
const TIMEOUT_MS = 5_000;
