import cors from '@fastify/cors';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { type FastifyInstance, fastify } from 'fastify';
import { type Secrets, secretMatcher } from '../secrets/matcher.js';
import { EncryptionKeyError } from './keys.js';

interface CodecServerOptions {
  codec: PayloadCodec;
  /** A client that sends one of these as `Authorization: Bearer …` may read everything. Several tokens allow rotation. */
  tokens: Secrets;
  /** Origins of the Web UIs that may call it, such as `https://temporal.example`. Browsers refuse other origins. */
  origins: readonly string[];
}

/** Temporal's messages have at most 4 MB, about 6 MB as JSON with base64. */
const MAX_BODY_BYTES = 8 * 1_048_576;

/** A page of a history has a few hundred payloads. Even a small payload costs a decryption. */
const MAX_PAYLOADS = 2_000;

/** Slower requests would only occupy connections. */
const REQUEST_TIMEOUT_MS = 30_000;

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/**
 * Serves Temporal's remote codec protocol: `POST /encode` and `POST /decode` with payloads as JSON. With it the Web UI and the `temporal`
 * CLI can show encrypted payloads.
 */
export function createCodecServer({ codec, tokens, origins }: CodecServerOptions): FastifyInstance {
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, requestTimeout: REQUEST_TIMEOUT_MS, forceCloseConnections: 'idle' });
  app.register(cors, {
    origin: [...origins],
    methods: ['POST'],
    allowedHeaders: ['authorization', 'content-type', 'x-namespace'],
    credentials: true,
    // Lets browsers cache the preflight answer.
    maxAge: 600,
  });
  app.setErrorHandler<Error & { statusCode?: number }>((error, _, reply) => {
    const isKeys = error instanceof EncryptionKeyError;
    const status = isKeys ? 422 : (error.statusCode ?? 500);
    // Messages of other errors may contain a payload.
    reply
      .code(status)
      .send({ message: isKeys || status === 401 ? error.message : 'The body must be a list of payloads' });
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.register(async (guarded) => {
    const match = secretMatcher(tokens);
    guarded.addHook('onRequest', async ({ headers }, reply) => {
      if (match(/^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '') >= 0) return;
      reply.header('www-authenticate', 'Bearer');
      throw Object.assign(new Error('A request needs the header Authorization: Bearer with a token of this server'), {
        statusCode: 401,
      });
    });
    for (const operation of ['encode', 'decode'] as const) {
      guarded.post(`/${operation}`, async ({ body }) => {
        const payloads = await codec[operation](payloadsOf(body));
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
 * Protobuf's JSON writes bytes as base64. protobufjs would also accept lists and objects with a `length`, and allocate memory for them,
 * so each part is checked before it is converted.
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

/** Protobuf's JSON allows both alphabets, with or without padding. */
const BASE64 = /^[\w+/-]*={0,2}$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badRequest(): Error {
  return Object.assign(new Error('no payloads'), { statusCode: 400 });
}
