import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface MonitoringOptions {
  host: string;
  /** With 0 the system chooses a free port. */
  port: number;
  /** The variable that configures the address, for errors. */
  variable: string;
  metrics: Page;
  /** Answers `/healthz` and `/readyz`. @default both are 404 */
  health?: () => Promise<Health>;
}

/** `alive`: a restart would not help. `ready`: the process takes work. */
export interface Health {
  alive: boolean;
  ready: boolean;
  /** Why it is not ready, for people. */
  reason?: string;
}

interface Page {
  contentType: string;
  text: () => Promise<string>;
}

interface MonitoringServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz` without authentication. They contain no secrets.
 *
 * @throws Error that names the variable if it cannot listen on the address
 */
export async function startMonitoringServer(options: MonitoringOptions): Promise<MonitoringServer> {
  const { host, port, variable } = options;
  const server = createServer((request, response) => void answer(request, response, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const what = error.code === 'EADDRINUSE' ? 'is used by another process' : `is not available (${error.code})`;
      reject(new Error(`${variable}: ${addressOf(host, port)} ${what}. Choose another address.`));
    });
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${addressOf(host, (server.address() as AddressInfo).port)}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
  { metrics, health }: MonitoringOptions,
): Promise<void> {
  const end = (status: number, text: string, contentType = 'application/json') => {
    response.writeHead(status, { 'content-type': contentType }).end(method === 'HEAD' ? undefined : text);
  };
  const path = url.replace(/\?.*$/s, '');
  try {
    if (method !== 'GET' && method !== 'HEAD') end(405, JSON.stringify({ error: 'Use GET' }));
    else if (path === '/metrics') end(200, await metrics.text(), metrics.contentType);
    else if (path === '/healthz' && health) {
      const { alive, reason } = await health();
      end(alive ? 200 : 503, JSON.stringify({ alive, ...(alive ? {} : { reason }) }));
    } else if (path === '/readyz' && health) {
      const { ready, reason } = await health();
      end(ready ? 200 : 503, JSON.stringify({ ready, reason }));
    } else end(404, JSON.stringify({ error: 'There is nothing at this path' }));
  } catch (error) {
    // A failed scrape is better than a scrape with half of the metrics.
    end(503, JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}

function addressOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
