import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  connect,
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { temporal } from '@temporalio/proto';
import { tlsFile } from './grpc-endpoint.js';

const { ResourceExhaustedFailure } = temporal.api.errordetails.v1;
const { RESOURCE_EXHAUSTED_CAUSE_APS_LIMIT } = temporal.api.enums.v1.ResourceExhaustedCause;

/** The name in the endpoint's certificate, by which this package recognizes Temporal Cloud behind another address. */
export const CLOUD_SERVER_NAME = 'acme.a1b2c.tmprl.cloud';

const OPERATOR_SERVICE = '/temporal.api.operatorservice.';
/** Temporal Cloud has its own API for namespaces. */
const OF_NAMESPACES = ['RegisterNamespace', 'UpdateNamespace', 'DeprecateNamespace', 'ListNamespaces'];
/** These name no namespace. */
const OF_NO_NAMESPACE = ['GetSystemInfo', 'GetClusterInfo'];
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

interface Refusal {
  code: number;
  message: string;
  details?: string;
}

export interface CloudEndpointOptions {
  namespace: string;
  apiKey: string;
  /** How it refuses the operator API. @default 7: PERMISSION_DENIED */
  operatorCode?: 7 | 12;
  /** Each n-th request of these methods exceeds the limit of actions per second. */
  rateLimited?: { methods: readonly string[]; every: number };
}

/** The way to a real server over TLS that refuses what Temporal Cloud refuses. */
export async function startCloudEndpoint(target: string, options: CloudEndpointOptions) {
  const upstream = connect(`http://${target}`);
  const sessions = new Set<Http2Session>();
  const counts = new Map<string, number>();
  const refused = new Map<string, number>();
  let largestMessage = 0;
  const server = createSecureServer({
    cert: readFileSync(tlsFile('cloud.pem')),
    key: readFileSync(tlsFile('cloud.key')),
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
  });
  server.on('stream', async (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of stream) chunks.push(chunk);
    } catch {
      // The caller has gone.
      return;
    }
    const body = Buffer.concat(chunks);
    const path = String(headers[':path']);
    const method = path.split('/').at(-1) ?? '';
    const count = (counts.get(method) ?? 0) + 1;
    counts.set(method, count);
    const refusal = refusalOf(path, method, { headers, body, count }, options);
    if (refusal) {
      refused.set(method, (refused.get(method) ?? 0) + 1);
      refuse(stream, refusal);
      return;
    }
    largestMessage = Math.max(largestMessage, body.length);
    forward(stream, upstream.request(headers), body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How many requests of each method it has refused. */
    refused,
    get largestMessage() {
      return largestMessage;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const session of sessions) session.destroy();
      upstream.destroy();
    },
  };
}

interface Request {
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** How many requests of this method have come. */
  count: number;
}

function refusalOf(
  path: string,
  method: string,
  { headers, body, count }: Request,
  { namespace, apiKey, operatorCode = 7, rateLimited }: CloudEndpointOptions,
): Refusal | undefined {
  const unauthorized = { code: 7, message: 'Request unauthorized.' };
  if (headers.authorization !== `Bearer ${apiKey}`) return unauthorized;
  if (path.startsWith(OPERATOR_SERVICE))
    return operatorCode === 7 ? unauthorized : { code: 12, message: `unknown service ${path}` };
  if (OF_NAMESPACES.includes(method)) return unauthorized;
  if (!OF_NO_NAMESPACE.includes(method) && headers['temporal-namespace'] !== namespace) return unauthorized;
  if (body.length > MAX_MESSAGE_BYTES) return { code: 8, message: 'grpc: received message larger than max' };
  if (body.includes('ORDER BY')) return { code: 3, message: 'operation is not supported: ORDER BY clause' };
  if (rateLimited?.methods.includes(method) && count % rateLimited.every === 0) return tooManyActions();
  return undefined;
}

function tooManyActions(): Refusal {
  const message = 'namespace rate limit exceeded';
  const value = ResourceExhaustedFailure.encode({ cause: RESOURCE_EXHAUSTED_CAUSE_APS_LIMIT }).finish();
  const type = 'type.googleapis.com/temporal.api.errordetails.v1.ResourceExhaustedFailure';
  // google.rpc.Status: code, message, details. The package of the protocol does not export it.
  const any = Buffer.concat([field(1, Buffer.from(type)), field(2, value)]);
  const status = Buffer.concat([Buffer.from([8, 8]), field(2, Buffer.from(message)), field(3, any)]);
  return { code: 8, message, details: status.toString('base64') };
}

/** A field of bytes, shorter than 128 of them, or with a length of two bytes. */
function field(number: number, value: Uint8Array): Buffer {
  const length = value.length < 128 ? [value.length] : [(value.length & 127) | 128, value.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), value]);
}

function refuse(stream: ServerHttp2Stream, { code, message, details }: Refusal): void {
  if (stream.destroyed) return;
  const status = { 'grpc-status': String(code), 'grpc-message': message };
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      ...status,
      ...(details ? { 'grpc-status-details-bin': details } : {}),
    },
    { endStream: true },
  );
}

function forward(stream: ServerHttp2Stream, call: ReturnType<Http2Client['request']>, body: Buffer): void {
  let trailers: IncomingHttpHeaders = {};
  call.on('error', () => stream.close());
  call.on('response', (answered) => {
    if (stream.destroyed) return;
    // A failure has no body, and its status is in the headers.
    const isAll = answered['grpc-status'] !== undefined;
    stream.respond(answered, isAll ? { endStream: true } : { waitForTrailers: true });
  });
  call.on('trailers', (last) => {
    trailers = last;
  });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  // A poll that its worker has given up must end at the server, too.
  stream.once('close', () => call.close());
  call.end(body);
  call.pipe(stream);
}

type Http2Client = ReturnType<typeof connect>;
