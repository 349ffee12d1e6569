import type { IncomingMessage } from 'node:http';
import { clientAuthentication, deliveryAuthentication } from './authentication.js';
import { deliveryReceiver } from './deliveries.js';
import type { Settings } from './options.js';
import { HTTP_STATUS, type Outcome, Refusal, type Tally, type WebhookEvent } from './results.js';
import { within } from './time-limit.js';
import { tokenErrorBody, tokenGranter } from './token-requests.js';
import { createTokens } from './tokens.js';

/** What is written back: JSON, as bytes. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Answers whatever comes to one path, with any method. Never rejects. */
export type Route = (request: IncomingMessage) => Promise<Answer>;

/** By path, without a slash at its end. */
export type Routes = ReadonlyMap<string, Route>;

/** Both paths of the receiver. */
export function webhookRoutes(settings: Settings, tally: Tally): Routes {
  const { path, tokenPath, oauth } = settings;
  const tokens = createTokens(oauth?.clients ?? [], oauth?.tokenTtlMs ?? 0, Date.now);
  const deliveries = deliveryReceiver(settings, deliveryAuthentication(settings, tokens));
  const tokenRequests = tokenGranter(settings, clientAuthentication(settings), tokens);
  const routes = new Map([[pathOf(path), answering('delivery', deliveries, tally)]]);
  if (oauth) routes.set(pathOf(tokenPath), answering('token', tokenRequests, tally));
  return routes;
}

/** For whoever keeps the process running. Only where the receiver itself listens: a host has its own. */
export function healthRoutes({ ready }: Settings): Routes {
  const onRead =
    (route: () => Promise<Answer>): Route =>
    ({ method }) =>
      method === 'GET' || method === 'HEAD' ? route() : notFound();
  return new Map([
    ['/healthz', onRead(async () => answer(200, { alive: true }))],
    [
      '/readyz',
      onRead(async () => {
        const isReady = (await within(READY_TIMEOUT_MS, async () => ready()).catch(() => false)) === true;
        return answer(isReady ? 200 : 503, { ready: isReady });
      }),
    ],
  ]);
}

// Probes give up after a second or a few.
const READY_TIMEOUT_MS = 2_000;

export async function notFound(): Promise<Answer> {
  return answer(404, { success: false, error: 'There is nothing at this path' });
}

/** While it is being closed. What is not answered 200 comes again, to whoever is there by then. */
export async function closing(): Promise<Answer> {
  return answer(503, { success: false, error: 'The receiver is being closed: send it again' });
}

export function pathOf(url: string): string {
  return url.replace(/\/?(\?.*)?$/s, '');
}

type Endpoint = WebhookEvent['endpoint'];
type Work = (request: IncomingMessage) => Promise<Outcome>;

function answering(endpoint: Endpoint, work: Work, tally: Tally): Route {
  const errorBody = endpoint === 'token' ? tokenErrorBody : deliveryErrorBody;
  const post: Work = async (request) => {
    if (request.method !== 'POST') throw new Refusal('wrongMethod', 'Use POST', undefined, { allow: 'POST' });
    return work(request);
  };
  return async (request) => {
    const startedAt = performance.now();
    const outcome = await post(request).catch((error) => refused(error, errorBody));
    tally.record(endpoint, outcome, startedAt);
    return answer(HTTP_STATUS[outcome.result], outcome.body, outcome.headers);
  };
}

function answer(status: number, json: Record<string, unknown>, headers: Record<string, string> = {}): Answer {
  const body = Buffer.from(JSON.stringify(json));
  // Without a charset: Incode asks for `application/json` and may mean just that.
  return {
    status,
    headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
    body,
  };
}

function refused(error: unknown, errorBody: (refusal: Refusal) => Record<string, unknown>): Outcome {
  const refusal = error instanceof Refusal ? error : new Refusal('failed', 'Something unexpected happened');
  const facts = { reason: refusal.message, ...(refusal === error ? {} : { error }), ...refusal.facts };
  return { result: refusal.result, body: errorBody(refusal), headers: refusal.headers, facts };
}

function deliveryErrorBody({ message, field }: Refusal): Record<string, unknown> {
  return { success: false, error: message, ...(field === undefined ? {} : { field }) };
}
