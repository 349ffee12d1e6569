import type { IncomingMessage } from 'node:http';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { omitUndefined } from '../contract/omit-undefined.js';
import { withTimeLimit } from '../network/time-limit.js';
import { clientAuthentication, deliveryAuthentication } from './authentication.js';
import { deliveryReceiver } from './deliveries.js';
import type { Settings } from './options.js';
import { HTTP_STATUS, Refusal, type RequestResult, type Tally, type WebhookEvent } from './results.js';
import { tokenErrorBody, tokenGranter } from './token-requests.js';
import { createBearerTokens } from './tokens.js';

/** Both endpoints as a Fastify plugin. Fastify only routes requests and writes answers. */
export function webhookRoutes(settings: Settings, tally: Tally): FastifyPluginAsync {
  const { path, tokenPath, oauth } = settings;
  const tokens = createBearerTokens(oauth?.clients ?? [], oauth?.tokenTtlMs ?? 0, Date.now);
  const deliveries = deliveryReceiver(settings, deliveryAuthentication(settings, tokens));

  return async (app) => {
    // The receiver reads bodies itself, after authentication and with its own limits.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const route = (endpoint: Endpoint, url: string, work: Work) =>
      app.post(url, {
        handler: answering(endpoint, work, tally),
        errorHandler: (error, request, reply) => {
          void answering(endpoint, () => refuseAsFastify(error), tally)(request, reply);
        },
      });
    route('delivery', path, deliveries);
    if (oauth) route('token', tokenPath, tokenGranter(settings, clientAuthentication(oauth), tokens));
  };
}

/** Turns an error that Fastify throws before the handler, such as a malformed content type, into a refusal. */
async function refuseAsFastify(error: unknown): Promise<never> {
  const isType = (error as { statusCode?: number }).statusCode === HTTP_STATUS.wrongContentType;
  throw isType ? new Refusal('wrongContentType', 'Content-Type is malformed', 'Content-Type') : error;
}

/** Health endpoints for `listen`. A mounted receiver uses those of its host. */
export function healthRoutes({ ready }: Settings): FastifyPluginAsync {
  return async (app) => {
    app.get('/healthz', async () => ({ alive: true }));
    app.get('/readyz', async (_request, reply) => {
      const isReady = await withTimeLimit(READY_TIMEOUT_MS, async () => ready()).catch(() => false);
      return reply.code(isReady === true ? 200 : 503).send({ ready: isReady === true });
    });
  };
}

// Probes usually give up after a few seconds.
const READY_TIMEOUT_MS = 2_000;

/** A hook that answers requests without a route: 405 at the receiver's paths, 404 elsewhere. */
export function refuseStray(paths: { delivery: string; token: string | null }, tally: Tally) {
  const refuse = async () => {
    throw new Refusal('wrongMethod', 'Use POST', undefined, { allow: 'POST' });
  };
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    if (!request.is404) return undefined;
    const path = pathOf(request.url);
    if (path === paths.delivery) return answering('delivery', refuse, tally)(request, reply);
    if (path === paths.token) return answering('token', refuse, tally)(request, reply);
    return reply.code(404).send(NOT_FOUND);
  };
}

export const NOT_FOUND = { success: false, error: 'This path does not exist' };

export function pathOf(url: string): string {
  return url.replace(/\/?(\?.*)?$/s, '');
}

type Endpoint = WebhookEvent['endpoint'];
type Work = (request: IncomingMessage) => Promise<RequestResult>;

function answering(endpoint: Endpoint, work: Work, tally: Tally) {
  const errorBody = endpoint === 'token' ? tokenErrorBody : deliveryErrorBody;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const startedAt = performance.now();
    const outcome = await work(request.raw).catch((error) => refused(error, errorBody));
    tally.record(endpoint, outcome, startedAt);
    return (
      reply
        .code(HTTP_STATUS[outcome.result])
        .headers({ 'content-type': 'application/json', ...outcome.headers })
        // Sent as bytes, because Fastify would add a charset to JSON. Incode asks for exactly `application/json`.
        .send(Buffer.from(JSON.stringify(outcome.body)))
    );
  };
}

function refused(error: unknown, errorBody: (refusal: Refusal) => Record<string, unknown>): RequestResult {
  const refusal = error instanceof Refusal ? error : new Refusal('failed', 'Something unexpected happened');
  const facts = { reason: refusal.message, ...(refusal !== error && { error }), ...refusal.facts };
  return { result: refusal.result, body: errorBody(refusal), headers: refusal.headers, facts };
}

function deliveryErrorBody({ message, field }: Refusal): Record<string, unknown> {
  return { success: false, error: message, ...omitUndefined({ field }) };
}
