import cors from '@fastify/cors';
import type { Payload, PayloadCodec } from '@temporalio/common';
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

/** A history page has a few hundred. Each payload costs a decryption, however small it is. */
const MAX_PAYLOADS = 2_000;

/** A request that is not over by then holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 30_000;

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

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
        const payloads = await codec[way](payloadsOf(body));
        return {
          payloads: payloads.map((payload) =>
            PayloadMessage.toObject(PayloadMessage.create(payload), { bytes: String }),
          ),
        };
      });
    }
  });
  return app;
}

/**
 * Protobuf's JSON writes bytes as base64. Protobufjs also takes lists and objects with a `length`, for which it allocates memory, so
 * each part is checked before it is converted.
 */
function payloadsOf(body: unknown): Payload[] {
  const payloads = isObject(body) ? body.payloads : undefined;
  if (!Array.isArray(payloads) || payloads.length > MAX_PAYLOADS) throw badRequest();
  return payloads.map((payload: unknown) => {
    if (!isObject(payload)) throw badRequest();
    const metadata = payload.metadata ?? {};
    if (!isObject(metadata)) throw badRequest();
    return {
      metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, bytesOf(value)])),
      data: bytesOf(payload.data ?? ''),
    };
  });
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !BASE64.test(value)) throw badRequest();
  return Buffer.from(value, 'base64');
}

/** Protobuf's JSON allows both alphabets, and leaves padding out or not. */
const BASE64 = /^[\w+/-]*={0,2}$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badRequest(): Error {
  return Object.assign(new Error('no payloads'), { statusCode: 400 });
}
