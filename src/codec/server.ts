import cors from '@fastify/cors';
import type { PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { type FastifyInstance, fastify } from 'fastify';
import { type Secrets, secretMatcher } from '../secrets/matcher.js';
import { EncryptionKeyError } from './keys.js';

export interface CodecServerOptions {
  codec: PayloadCodec;
  /** Whoever sends one of these as `Authorization: Bearer …` may read everything. Several, so that they can be rotated. */
  tokens: Secrets;
  /** Web UIs whose pages may ask, such as `https://temporal.example`. Others' browsers are told to refuse. */
  origins: readonly string[];
}

/** Temporal's messages have 4 MB at most, which base64 and JSON make 6. More is no page of a history. */
const MAX_BODY_BYTES = 8 * 1_048_576;

/** A request that is not over by then holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 30_000;

const { Payloads } = proto.temporal.api.common.v1;

/**
 * Temporal's remote codec protocol: `POST /encode` and `POST /decode` with payloads as JSON. The Web UI and the `temporal` CLI
 * show what is encrypted with it.
 */
export function createCodecServer({ codec, tokens, origins }: CodecServerOptions): FastifyInstance {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, requestTimeout: REQUEST_TIMEOUT_MS, forceCloseConnections: 'idle' });
  app.register(cors, {
    origin: [...origins],
    methods: ['POST'],
    allowedHeaders: ['authorization', 'content-type', 'x-namespace'],
    credentials: true,
    // A browser asks before each page otherwise.
    maxAge: 600,
  });
  app.setErrorHandler<Error & { statusCode?: number }>((error, _, reply) => {
    const isKeys = error instanceof EncryptionKeyError;
    const status = isKeys ? 422 : (error.statusCode ?? 500);
    // What a payload holds may stand in other errors' messages.
    reply.code(status).send({ message: isKeys || status === 401 ? error.message : 'This is no list of payloads' });
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.register(async (guarded) => {
    const match = secretMatcher(tokens);
    guarded.addHook('onRequest', async ({ headers }, reply) => {
      if (match(/^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '') >= 0) return;
      reply.header('www-authenticate', 'Bearer');
      throw Object.assign(new Error('A request must carry Authorization: Bearer and a token of this server'), {
        statusCode: 401,
      });
    });
    for (const way of ['encode', 'decode'] as const) {
      guarded.post(`/${way}`, async ({ body }) => {
        const { payloads } = Payloads.fromObject(checked(body));
        return Payloads.toObject(Payloads.create({ payloads: await codec[way](payloads) }), { bytes: String });
      });
    }
  });
  return app;
}

function checked(body: unknown): { payloads: unknown[] } {
  const { payloads } = (body ?? {}) as { payloads?: unknown };
  if (!Array.isArray(payloads)) throw Object.assign(new Error('no payloads'), { statusCode: 400 });
  return { payloads };
}
