import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { authentication } from './access.js';
import { batchRoutes } from './batches.js';
import { acceptJson, hasMoreBody, ownError } from './body.js';
import { Closing } from './closing.js';
import { consoleRoutes } from './console.js';
import { eventRoutes } from './events.js';
import { guardOperations } from './guard.js';
import { healthRoutes } from './health.js';
import { openApiRoute } from './openapi.js';
import { OPERATIONS } from './operations.js';
import { type GatewayOptions, type GatewaySettings, resolveGatewayOptions } from './options.js';
import { overviewRoutes } from './overview.js';
import { peopleRoutes } from './people.js';
import { GatewayProblem, problemOf } from './problems.js';
import { sessionRoutes } from './sessions.js';
import { uploadRoutes } from './upload.js';
import { stoppingProblem, Waits } from './waits.js';

/** Sessions over HTTP, for callers without a Temporal SDK. It keeps nothing: everything is at the Temporal server. */
export interface Gateway {
  /** @param at port, by default a free one; host, by default 127.0.0.1 */
  listen(at?: { port?: number; host?: string }): Promise<{ url: string; port: number }>;
  /** Answers the requests in flight, those that wait for a session with 202, and accepts no new ones. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A cut-off list does not arrive for minutes. JSON bodies have a shorter limit. */
const REQUEST_TIMEOUT_MS = 600_000;

/** Long enough for any id that a caller means, so that a longer one gets a clear answer too. */
const MAX_PARAM_LENGTH = 4_096;

export function createGateway(options: GatewayOptions): Gateway {
  const settings = resolveGatewayOptions(options);
  const closing = new Closing();
  const waits = new Waits(closing, authentication(settings.tokens));
  const app = createApp(settings);
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    // A keep-alive connection would keep the server open for more than a minute.
    if (closing.isClosing) reply.header('connection', 'close');
  });
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, error, settings));
  // Refuses requests without a route before their bodies are read.
  app.addHook('onRequest', async (request) => {
    // A connection that was open may bring another request.
    if (closing.isClosing) throw stoppingProblem();
    if (request.is404) throw strayProblem(request.method, request.url);
  });
  app.register(healthRoutes(settings));
  consoleRoutes(app);
  openApiRoute(app);
  app.register(async (guarded) => {
    await guardOperations(guarded, settings);
    guarded.register(async (json) => {
      acceptJson(json, settings);
      overviewRoutes(json, settings);
      sessionRoutes(json, settings, waits);
      peopleRoutes(json, settings, waits);
      eventRoutes(json, settings, closing);
      batchRoutes(json, settings.client, settings.lists);
    });
    guarded.register(async (lists) => uploadRoutes(lists, settings, closing));
  });
  const renewal = followCertificate(app, settings);

  const close = async () => {
    closing.close();
    clearInterval(renewal);
    const limit = settings.headersTimeoutMs + settings.bodyTimeoutMs;
    const timer = setTimeout(() => app.server.closeAllConnections(), limit);
    await app.close();
    clearTimeout(timer);
  };
  return {
    async listen({ port = 0, host = '127.0.0.1' } = {}) {
      const url = await app.listen({ port, host });
      app.server.maxConnections = settings.maxConnections;
      return { url, port: (app.server.address() as AddressInfo).port };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createApp(settings: GatewaySettings): FastifyInstance {
  const { headersTimeoutMs, tls } = settings;
  const timeouts = { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs) };
  return fastify({
    ...(tls ? { https: { ...tls(), ...timeouts } } : { http: timeouts }),
    exposeHeadRoutes: false,
    // Its answer would be no problem.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply as unknown as FastifyReply, error, settings);
    },
    clientErrorHandler(error, socket) {
      if (!socket.writable || socket.bytesWritten > 0) socket.destroy();
      else socket.end(rawProblem((error as NodeJS.ErrnoException).code));
    },
  }) as unknown as FastifyInstance;
}

function sendProblem(reply: FastifyReply, error: unknown, settings: GatewaySettings): FastifyReply {
  const { problem, headers, isLogged } = problemOf(ownError(error, settings));
  const context = reply.request.gateway;
  if (context) Object.assign(context, { problem, ...(isLogged ? { error } : {}) });
  return (
    reply
      .code(problem.status)
      .headers({
        'cache-control': 'no-store',
        ...headers,
        ...(hasMoreBody(reply.request) ? { connection: 'close' } : {}),
      })
      .header('content-type', 'application/problem+json')
      // Sent as bytes, because Fastify would add a charset, which this type does not have.
      .send(Buffer.from(JSON.stringify(problem)))
  );
}

function strayProblem(method: string, url: string): GatewayProblem {
  const path = url.replace(/\/?(\?.*)?$/s, '');
  const allowed = Object.values(OPERATIONS).flatMap((operation) => {
    const pattern = new RegExp(`^${operation.path.replace(/\{\w+\}/g, '[^/]+')}$`);
    return pattern.test(path) && operation.method !== method ? [operation.method] : [];
  });
  if (allowed.length === 0) return new GatewayProblem('NotFound', 'There is nothing at this path');
  const allow = [...new Set(allowed)].join(', ');
  return new GatewayProblem('MethodNotAllowed', `Use ${allow}`, { headers: { allow } });
}

/** The answer to a request that is not valid HTTP, or whose headers took too long. */
function rawProblem(code: string | undefined): string {
  const name = code === 'HPE_HEADER_OVERFLOW' ? 'HeadersTooLarge' : 'RequestTimeout';
  const isKnown = name === 'HeadersTooLarge' || code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const { problem } = problemOf(
    isKnown
      ? new GatewayProblem(name, 'The request is too large or too slow')
      : new GatewayProblem('BadRequest', 'The request is not valid HTTP'),
  );
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'x-content-type-options: nosniff',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

const RENEW_EVERY_MS = 10_000;

/** Certificates are replaced while the process runs, often every few weeks. */
function followCertificate(app: FastifyInstance, { tls, onWarning }: GatewaySettings): NodeJS.Timeout | undefined {
  if (!tls) return undefined;
  let used = JSON.stringify(tls());
  const renew = () => {
    const current = tls();
    if (JSON.stringify(current) === used) return;
    used = JSON.stringify(current);
    try {
      (app.server as unknown as TlsServer).setSecureContext(current);
    } catch {
      onWarning('The new certificate does not belong to the key, or cannot be read. The last one stays in use.');
    }
  };
  return setInterval(renew, RENEW_EVERY_MS).unref();
}
