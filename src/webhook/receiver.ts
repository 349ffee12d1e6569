import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify';
import { resolveOptions, type Settings, type WebhookReceiverOptions } from './options.js';
import { Tally, type WebhookCounts } from './results.js';
import { healthRoutes, NOT_FOUND, pathOf, refuseStray, webhookRoutes } from './routes.js';

export interface WebhookReceiver {
  /** Where requests are taken; `token` is `null` without `oauth`. */
  readonly paths: { readonly delivery: string; readonly token: string | null };
  /** How many requests came to what, since the receiver was made. */
  readonly counts: WebhookCounts;
  /**
   * Takes requests of a server that you have: `createServer(receiver.handler)`, or in Express `app.use(receiver.handler)`,
   * before any body parser. Requests for other paths go to `next`; without one they are answered 404. The path may be the one
   * below a mount point or the whole one.
   */
  readonly handler: (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;
  /** The same for a Fastify server: `app.register(receiver.plugin)`, with a `prefix` if you like. */
  readonly plugin: FastifyPluginAsync;
  /**
   * Listens by itself, with `/healthz` and `/readyz` too.
   *
   * @param at port, by default a free one; host, by default 127.0.0.1
   */
  listen(at?: { port?: number; host?: string }): Promise<{ url: string; port: number }>;
  /** Takes nothing new, and answers what is under way. A server that it was mounted in is yours to close. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Receives Incode's webhooks, checks who sends them, and hands each status on to `notify`.
 *
 * @throws TypeError naming the option that is wrong
 */
export function createWebhookReceiver(options: WebhookReceiverOptions): WebhookReceiver {
  const settings = resolveOptions(options);
  const paths = { delivery: settings.path, token: settings.oauth ? settings.tokenPath : null };
  const tally = new Tally(settings.log);
  const plugin = webhookRoutes(settings, tally);
  const app = createApp(settings);
  let isClosing = false;
  app.addHook('onSend', async (_request, reply) => {
    // A connection that is kept alive would keep the server, for more than a minute.
    if (isClosing) reply.header('connection', 'close');
  });
  // Before the routes: these refuse what goes to none of them without looking at its body.
  app.addHook('onRequest', refuseStray(paths, tally));
  app.register(plugin).register(healthRoutes(settings));

  const underWay = new Set<Promise<void>>();
  const close = async () => {
    isClosing = true;
    // By then everything is answered; what is left has never become a request, and a server that closes does not look for
    // slow senders any more.
    const limit = settings.headersTimeoutMs + settings.bodyTimeoutMs + settings.notifyTimeoutMs;
    const timer = setTimeout(() => app.server.closeAllConnections(), limit);
    await app.close();
    clearTimeout(timer);
    await Promise.all(underWay);
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
      underWay.add(ended);
      void ended.then(() => underWay.delete(ended));
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
    // Whoever sends slowly holds a connection only for so long. Node looks for such connections every now and then.
    requestTimeout: headersTimeoutMs + bodyTimeoutMs,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs) },
  });
}

async function route(app: FastifyInstance, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await app.ready();
    app.routing(request, response);
  } catch {
    // No answer is one too: the delivery is sent again.
    response.destroy();
  }
}

/** Express leaves in `url` what is below the mount point, and keeps the whole in `originalUrl`. */
function urlsOf(request: IncomingMessage): string[] {
  const { url, originalUrl } = request as IncomingMessage & { originalUrl?: unknown };
  return [url, originalUrl].filter((candidate) => typeof candidate === 'string');
}
