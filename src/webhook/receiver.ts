import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastifyPlugin, type WebhookPlugin } from './fastify-plugin.js';
import { resolveOptions, type WebhookReceiverOptions } from './options.js';
import { Tally, type WebhookCounts } from './results.js';
import { closing, healthRoutes, notFound, pathOf, type Route, webhookRoutes } from './routes.js';

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
  readonly plugin: WebhookPlugin;
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
  const webhooks = webhookRoutes(settings, tally);
  const all = new Map([...healthRoutes(settings), ...webhooks]);
  const { headersTimeoutMs, bodyTimeoutMs, notifyTimeoutMs } = settings;
  let isClosing = false;
  const underWay = new Set<Promise<void>>();

  const respond = (route: Route, request: IncomingMessage, response: ServerResponse) => {
    const ended = new Promise<void>((resolve) => response.once('close', resolve));
    underWay.add(ended);
    void ended.then(() => underWay.delete(ended));
    void write(isClosing ? closing : route, request, response);
  };
  const write = async (route: Route, request: IncomingMessage, response: ServerResponse) => {
    const { status, headers, body } = await route(request);
    // A host may have lost its patience.
    if (response.headersSent) return;
    // A connection that is kept alive would keep the server, for more than a minute.
    response.writeHead(status, isClosing ? { ...headers, connection: 'close' } : headers).end(body);
  };

  const server = createServer(
    {
      // Whoever sends slowly holds a connection only for so long. Node looks for such connections every now and then.
      headersTimeout: headersTimeoutMs,
      requestTimeout: headersTimeoutMs + bodyTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => respond(all.get(pathOf(request.url ?? '')) ?? notFound, request, response),
  );

  const close = async () => {
    isClosing = true;
    // By then everything is answered; what is left has never become a request, and a server that closes does not look for
    // slow senders any more.
    const timer = setTimeout(() => server.closeAllConnections(), headersTimeoutMs + bodyTimeoutMs + notifyTimeoutMs);
    // Also if it never listened.
    await new Promise<void>((resolve) => server.close(() => resolve()));
    clearTimeout(timer);
    await Promise.all(underWay);
  };

  return {
    paths,
    plugin: fastifyPlugin(webhooks),

    get counts() {
      return tally.counts;
    },

    handler(request, response, next) {
      const [route] = urlsOf(request).flatMap((url) => webhooks.get(pathOf(url)) ?? []);
      if (route) respond(route, request, response);
      else if (next) next();
      else respond(notFound, request, response);
    },

    async listen({ port = 0, host = '127.0.0.1' } = {}) {
      server.listen(port, host);
      await once(server, 'listening');
      const at = server.address() as AddressInfo;
      return { url: urlOf(at), port: at.port };
    },

    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Longer than load balancers keep a connection that nobody uses, mostly 60 s: they must not find one closed that they send on. */
const KEEP_ALIVE_MS = 72_000;

/** One that can be opened here: who listens on every address listens on this machine's own too. */
function urlOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Express leaves in `url` what is below the mount point, and keeps the whole in `originalUrl`. */
function urlsOf(request: IncomingMessage): string[] {
  const { url, originalUrl } = request as IncomingMessage & { originalUrl?: unknown };
  return [url, originalUrl].filter((candidate) => typeof candidate === 'string');
}
