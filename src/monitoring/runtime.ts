import { Agent, get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Logger, Runtime } from '@temporalio/worker';

/** Native log lines below WARN repeat what the SDK says already. */
const LOGGING = { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } as const;

export function installRuntime(logger: Logger): void {
  Runtime.install({ logger, telemetryOptions: { logging: LOGGING } });
}

/** Somebody else may take the port between our looking for one and the SDK's taking it. */
const ATTEMPTS = 5;

/**
 * The same with the SDK's metrics, by Prometheus' conventions: seconds, and `_total`. The SDK serves them itself, on a port that it must
 * be given and that only this machine reaches.
 *
 * @returns what reads them
 */
export async function installMeasuredRuntime(logger: Logger): Promise<() => Promise<string>> {
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
        // Which service it is, Prometheus says by `job`.
        telemetryOptions: { logging: LOGGING, metrics: { prometheus, attachServiceName: false } },
      });
      return () => read(`http://${address}/metrics`);
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

/** With an agent of its own: Node's may have been told to go through a proxy. */
function read(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: new Agent(), signal: AbortSignal.timeout(READ_WITHIN_MS) }, (response) => {
      text(response).then(resolve, reject);
    }).once('error', reject);
  });
}

/** Half of what Prometheus waits for. */
const READ_WITHIN_MS = 5_000;
