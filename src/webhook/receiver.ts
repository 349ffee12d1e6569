import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify';
import { resolveOptions, type Settings, type WebhookReceiverOptions } from './options.js';
import { Tally, type WebhookCounts } from './results.js';
import { healthRoutes, NOT_FOUND, pathOf, refuseStray, webhookRoutes } from './routes.js';

/** Receives Incode's webhooks: by its own server (`listen`), or in yours (`handler`, `plugin`). */
export interface WebhookReceiver {
  /** Paths of the endpoints. `token` is `null` without `oauth`. */
  readonly paths: { readonly delivery: string; readonly token: string | null };
  /** Number of requests by result, since the receiver was created. */
  readonly counts: WebhookCounts;
  /**
   * Handles requests of your own server: `createServer(receiver.handler)` or, in Express, `app.use(receiver.handler)` before any body
   * parser. It passes requests for other paths to `next`, or answers 404 without `next`. In a mounted router, `path` may be the path
   * below the mount point or the full path.
   */
  readonly handler: (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;
  /** The same for a Fastify server: `app.register(receiver.plugin)`, optionally with a `prefix`. */
  readonly plugin: FastifyPluginAsync;
  /**
   * Starts a server with the endpoints, `/healthz` and `/readyz`.
   *
   * @param at port, by default a free one; host, by default 127.0.0.1
   */
  listen(at?: { port?: number; host?: string }): Promise<{ url: string; port: number }>;
  /** Answers the requests in flight and accepts no new ones. It does not close a server of yours. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Receives Incode's webhooks, authenticates the sender and passes each status to `notify`.
 *
 * @throws TypeError naming the invalid option
 * @example
 * ```ts
 * const receiver = createWebhookReceiver({
 *   notify: (delivery) => onboarding.statusChanged(delivery),
 *   header: { name: 'x-webhook-secret', secrets: [secret] },
 * });
 * const { url } = await receiver.listen({ port: 8088 });
 * ```
 */
export function createWebhookReceiver(options: WebhookReceiverOptions): WebhookReceiver {
  const settings = resolveOptions(options);
  const paths = { delivery: settings.path, token: settings.oauth ? settings.tokenPath : null };
  const tally = new Tally(settings.log);
  const plugin = webhookRoutes(settings, tally);
  const app = createApp(settings);
  let isClosing = false;
  app.addHook('onSend', async (_request, reply) => {
    // A keep-alive connection would keep the server open for more than a minute.
    if (isClosing) reply.header('connection', 'close');
  });
  // Refuses requests without a route before their bodies are read.
  app.addHook('onRequest', refuseStray(paths, tally));
  app.register(plugin).register(healthRoutes(settings));

  const inFlight = new Set<Promise<void>>();
  const close = async () => {
    isClosing = true;
    // After this time every request is answered. The remaining connections never sent a full request, and Node does not close slow
    // senders once the server is closing.
    const limit = settings.headersTimeoutMs + settings.bodyTimeoutMs + settings.notifyTimeoutMs;
    const timer = setTimeout(() => app.server.closeAllConnections(), limit);
    await app.close();
    clearTimeout(timer);
    await Promise.all(inFlight);
  };

  return {
    paths,
    plugin,

    get counts() {
      return tally.counts;
    },

    handler(request, response, next) {
      const isOurs = (url: string) => Object.values(paths).includes(pathOf(url));
      const url = urlsOf(request).find(isOurs);
      if (url === undefined) {
        if (next) next();
        else response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(NOT_FOUND));
        return;
      }
      request.url = url;
      const ended = new Promise<void>((resolve) => response.once('close', resolve));
      inFlight.add(ended);
      void ended.then(() => inFlight.delete(ended));
      void route(app, request, response);
    },

    async listen({ port = 0, host = '127.0.0.1' } = {}) {
      const url = await app.listen({ port, host });
      return { url, port: (app.server.address() as AddressInfo).port };
    },

    close,
    [Symbol.asyncDispose]: close,
  };
}

function createApp({ headersTimeoutMs, bodyTimeoutMs }: Settings): FastifyInstance {
  return fastify({
    routerOptions: { ignoreTrailingSlash: true },
    // Limits how long a slow sender can hold a connection. Node checks for such connections at intervals.
    requestTimeout: headersTimeoutMs + bodyTimeoutMs,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs) },
  });
}

async function route(app: FastifyInstance, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await app.ready();
    app.routing(request, response);
  } catch {
    // Without an answer, Incode sends the delivery again.
    response.destroy();
  }
}

/** In Express, `url` is the path below the mount point and `originalUrl` the full path. */
function urlsOf(request: IncomingMessage): string[] {
  const { url, originalUrl } = request as IncomingMessage & { originalUrl?: unknown };
  return [url, originalUrl].filter((candidate) => typeof candidate === 'string');
}
