import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isFinished } from '../../contract/index.js';
import { parseDelivery } from '../../webhook/parse-delivery.js';
import type { WebhookDelivery } from './observations.js';

/** Receives the webhooks of finished sessions of this run. */
export interface WebhookListener {
  readonly port: number;
  /** Counts deliveries about the session from now on and forgets earlier ones. */
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

/** Far above Incode's deliveries, which have less than 1 KB. */
const MAX_BODY_BYTES = 65_536;
const REACH_TIMEOUT_MS = 10_000;

/** Listens only on this machine. A tunnel or proxy must forward the public URL to it. */
export async function startWebhookListener(publicUrl: string, port: number): Promise<WebhookListener> {
  const expected = new Map<string, Expected>();
  const greeting = randomBytes(16).toString('hex');
  let isGreeted = false;

  /** @returns the HTTP status to answer with */
  function take(body: string): number {
    if (body.includes(greeting)) {
      isGreeted = true;
      return 200;
    }
    // Matches the id anywhere in the body, because the field name is one of the tested assumptions.
    const [, entry] = [...expected].find(([interviewId]) => body.includes(interviewId)) ?? [];
    // A session of someone else. Incode sends the delivery again, possibly to another URL by then.
    if (!entry) return 503;
    const delivery = { ms: performance.now() - entry.sinceMs, ...understood(body) };
    if (isOfFinish(delivery)) entry.deliveries.push(delivery);
    return 200;
  }

  const server = createServer(async (request, response) => {
    const status = take(await readBody(request));
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

/** @returns an empty string for a body that is too large or incomplete */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return '';
      chunks.push(chunk);
    }
  } catch {
    return '';
  }
  return Buffer.concat(chunks).toString('utf8');
}

function understood(body: string): Omit<WebhookDelivery, 'ms'> {
  try {
    const parsed = parseDelivery(JSON.parse(body));
    return {
      understood: true,
      onboardingStatus: parsed.kind === 'status' ? parsed.delivery.onboardingStatus : undefined,
    };
  } catch {
    return { understood: false, onboardingStatus: undefined };
  }
}

/** Excludes late deliveries of earlier milestones. */
function isOfFinish({ onboardingStatus }: WebhookDelivery): boolean {
  return onboardingStatus === undefined || isFinished(onboardingStatus);
}
