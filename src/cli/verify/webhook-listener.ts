import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseDelivery } from '../../webhook/parse-delivery.js';
import type { WebhookDelivery } from './observations.js';

/** Takes the webhooks of this run's sessions. */
export interface WebhookListener {
  readonly port: number;
  /** From now on, deliveries about the session count; what came before is forgotten. */
  expect(interviewId: string): void;
  deliveriesOf(interviewId: string): WebhookDelivery[];
  /** Whether a request to the public URL arrives here. */
  isReachable(): Promise<boolean>;
  close(): Promise<void>;
}

interface Expected {
  sinceMs: number;
  deliveries: WebhookDelivery[];
}

/** Incode's deliveries have less than 1 KB. */
const MAX_BODY_BYTES = 65_536;
const REACH_TIMEOUT_MS = 10_000;

/** Listens on this machine only: a tunnel or proxy leads the public URL to it. */
export async function startWebhookListener(publicUrl: string, port: number): Promise<WebhookListener> {
  const expected = new Map<string, Expected>();
  const greeting = randomBytes(16).toString('hex');
  let isGreeted = false;

  /** @returns the HTTP status to answer with */
  function take(body: unknown): number {
    if (isGreeting(body, greeting)) {
      isGreeted = true;
      return 200;
    }
    const interviewId = idOf(body);
    const entry = interviewId === undefined ? undefined : expected.get(interviewId);
    // Somebody else's session: Incode sends it again, maybe to another URL by then.
    if (!entry) return 503;
    entry.deliveries.push({ ms: performance.now() - entry.sinceMs, ...understood(body) });
    return 200;
  }

  const server = createServer(async (request, response) => {
    const body = await readJson(request).catch(() => undefined);
    const status = take(body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ success: status === 200 }));
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    expect: (interviewId) => void expected.set(interviewId, { sinceMs: performance.now(), deliveries: [] }),
    deliveriesOf: (interviewId) => expected.get(interviewId)?.deliveries ?? [],
    async isReachable() {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ greeting });
      const signal = AbortSignal.timeout(REACH_TIMEOUT_MS);
      await fetch(publicUrl, { method: 'POST', headers, body, signal }).catch(() => undefined);
      return isGreeted;
    },
    async close() {
      const ended = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await ended;
    },
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function isGreeting(body: unknown, greeting: string): boolean {
  return typeof body === 'object' && body !== null && (body as { greeting?: unknown }).greeting === greeting;
}

function idOf(body: unknown): string | undefined {
  const id = typeof body === 'object' && body !== null ? (body as { interviewId?: unknown }).interviewId : undefined;
  return typeof id === 'string' ? id : undefined;
}

function understood(body: unknown): Omit<WebhookDelivery, 'ms'> {
  try {
    const parsed = parseDelivery(body);
    return { understood: true, onboardingStatus: parsed.kind === 'status' ? parsed.delivery.onboardingStatus : undefined };
  } catch {
    return { understood: false, onboardingStatus: undefined };
  }
}
