import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isFinished } from '../../contract/index.js';
import { parseDelivery } from '../../webhook/parse-delivery.js';
import type { WebhookDelivery } from './observations.js';

/** Takes the webhooks that follow a finish of this run's sessions. */
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
  function take(body: string): number {
    if (body.includes(greeting)) {
      isGreeted = true;
      return 200;
    }
    // Wherever the id stands: that it stands in a field that we know is one of the assumptions.
    const [, entry] = [...expected].find(([interviewId]) => body.includes(interviewId)) ?? [];
    // Somebody else's session: Incode sends it again, maybe to another URL by then.
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

/** @returns nothing of a body that is too large, or ends in the middle */
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

/** Not one of an earlier milestone that was late. */
function isOfFinish({ onboardingStatus }: WebhookDelivery): boolean {
  return onboardingStatus === undefined || isFinished(onboardingStatus);
}
