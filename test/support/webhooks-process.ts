import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WebhookCounts, WebhookEvent } from '../../src/webhook/index.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** `temporal-incode webhooks` in a separate process. */
export interface WebhooksProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly url: string;
  readonly delivery: string;
  readonly token: string | null;
  /** Its output on stdout and stderr. */
  output(): string;
  /** Its log lines about requests, oldest first. */
  events(): WebhookEvent[];
  /** Sends SIGTERM. @returns its exit code, and the counts in its last log line */
  stop(): Promise<{ code: number | null; counts: WebhookCounts }>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The complete environment of a receiver. */
type WebhooksEnvironment = Record<string, string>;

export function spawnWebhooks(args: string[], env: WebhooksEnvironment, main = MAIN): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [main, 'webhooks', ...args], { env });
}

/**
 * @param main the program of another installation
 * @returns once the receiver accepts deliveries
 */
export async function startWebhooks(args: string[], env: WebhooksEnvironment, main?: string): Promise<WebhooksProcess> {
  const child = spawnWebhooks([...args, '--json'], env, main);
  const closed = once(child, 'close');
  const end = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return closed;
  };
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const addresses = await new Promise<{ delivery: string; token: string | null }>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (stdout.endsWith('}\n')) resolve(JSON.parse(stdout));
    });
    child.once('close', (code) => reject(new Error(`webhooks ended with ${code}:\n${stderr}`)));
  });
  const lines = () => stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return {
    child,
    ...addresses,
    url: new URL(addresses.delivery).origin,
    output: () => stdout + stderr,
    events: () => lines().filter(({ msg }) => msg === 'Webhook'),
    async stop() {
      const [code] = await end('SIGTERM');
      return { code, counts: lines().at(-1) };
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
    },
  };
}

/** Sends a delivery as Incode does. A string is sent unchanged. */
export async function deliver(
  { delivery }: Pick<WebhooksProcess, 'delivery'>,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; contentType: string | null; body: unknown }> {
  const response = await fetch(delivery, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const contentType = response.headers.get('content-type');
  return { status: response.status, contentType, body: await response.json() };
}
