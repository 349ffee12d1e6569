import type { IncomingMessage } from 'node:http';
import type { Answer, Routes } from './routes.js';

/**
 * A plugin for Fastify's `app.register`, which takes a `prefix` too. Its types tell what is used of Fastify instead of importing
 * it: it comes with 70 packages, and whoever does not have it needs none of them.
 */
export type WebhookPlugin = (app: FastifyApp) => Promise<void>;

export interface FastifyApp {
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: Error | null) => void) => void,
  ): unknown;
  post(path: string, options: { handler: FastifyHandler; errorHandler: FastifyErrorHandler }): unknown;
}

export type FastifyHandler = (request: { raw: IncomingMessage }, reply: FastifyReply) => Promise<unknown>;
export type FastifyErrorHandler = (error: unknown, request: { raw: IncomingMessage }, reply: FastifyReply) => unknown;

export interface FastifyReply {
  code(status: number): FastifyReply;
  headers(headers: Record<string, string>): FastifyReply;
  send(body: Buffer): unknown;
}

export function fastifyPlugin(routes: Routes): WebhookPlugin {
  return async (app) => {
    // Bodies are read after authentication, with limits of our own; Fastify must leave them alone.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const [path, route] of routes) {
      const handler: FastifyHandler = async ({ raw }, reply) => send(await route(raw), reply);
      // What Fastify refuses before it asks us, a content type that is not even one, we refuse in our own words.
      app.post(path, { handler, errorHandler: (_error, request, reply) => handler(request, reply) });
    }
  };
}

function send({ status, headers, body }: Answer, reply: FastifyReply): unknown {
  return reply.code(status).headers(headers).send(body);
}
