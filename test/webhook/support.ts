import { once } from 'node:events';
import { connect } from 'node:net';
import {
  createWebhookReceiver,
  type StatusDelivery,
  type WebhookEvent,
  type WebhookReceiver,
  type WebhookReceiverOptions,
} from '../../src/webhook/index.js';

export const SECRET = 'known-to-both-sides';
export const CLIENT = { id: 'incode', secret: 's:cret/with+16%chars' };
export const STATUS = { interviewId: '5f3a0000c0ffee', onboardingStatus: 'ONBOARDING_FINISHED' };

interface StartedReceiver {
  receiver: WebhookReceiver;
  url: string;
  port: number;
  /** The arguments of `notify`. */
  deliveries: StatusDelivery[];
  events: WebhookEvent[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a receiver on a free port. By default it accepts deliveries with the secret in `x-secret`. */
export async function startReceiver(options: Partial<WebhookReceiverOptions> = {}): Promise<StartedReceiver> {
  const deliveries: StatusDelivery[] = [];
  const events: WebhookEvent[] = [];
  const { header, oauth, allowUnauthenticated, notify = async () => 'delivered' as const } = options;
  const receiver = createWebhookReceiver({
    ...options,
    ...(header || oauth || allowUnauthenticated ? {} : { header: { name: 'X-Secret', secrets: [SECRET] } }),
    notify: (delivery) => {
      deliveries.push(delivery);
      return notify(delivery);
    },
    log: (event) => events.push(event),
  });
  const { url, port } = await receiver.listen();
  return { receiver, url, port, deliveries, events, [Symbol.asyncDispose]: () => receiver.close() };
}

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** Sends a delivery like Incode, with the secret. `headers` are added and replace headers of the same name. */
export async function deliver(
  url: string,
  { headers = {}, body = STATUS }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  return send(url, {
    method: 'POST',
    headers: named({ 'content-type': 'application/json', 'x-secret': SECRET }, headers),
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
  });
}

/** Later layers replace headers of the same name. `Headers` would join them. */
function named(...layers: Record<string, string>[]): Headers {
  const headers = new Headers();
  for (const [name, value] of layers.flatMap((layer) => Object.entries(layer))) headers.set(name, value);
  return headers;
}

export async function send(url: string, init: RequestInit): Promise<Answer> {
  const target = new URL(url).pathname === '/' ? `${url}/incode/webhook` : url;
  const response = await fetch(target, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

export function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

export function requestToken(
  url: string,
  authorization = basic(CLIENT.id, CLIENT.secret),
  { contentType = 'application/x-www-form-urlencoded', body = 'grant_type=client_credentials' } = {},
): Promise<Answer> {
  return send(`${url}/incode/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': contentType, authorization },
    body,
  });
}

/** Writes raw bytes piece by piece. @returns the bytes received until the other side closed or until `untilMs` */
export async function raw(port: number, pieces: string[], { pauseMs = 0, untilMs = 5_000 } = {}): Promise<string> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk;
  });
  // Some tests expect a reset during a write.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const late = new Promise((resolve) => setTimeout(resolve, untilMs).unref());
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  await Promise.race([closed, late]);
  socket.destroy();
  return received;
}

/** @returns the status codes of the answers in order */
export function statusesOf(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}
