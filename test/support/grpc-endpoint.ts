import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createSecureServer,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Path of a file in `test/support/tls`. */
export function tlsFile(name: string): string {
  return new URL(`./tls/${name}`, import.meta.url).pathname;
}

export interface GrpcEndpointOptions {
  /** The server's certificate. With `clientCertificate` it requires one from the client. @default no TLS */
  certificate?: 'server' | 'named';
  clientCertificate?: boolean;
  /** The gRPC status for a method, such as `StartWorkflowExecution`. @default 0, with an empty message */
  status?: (method: string) => number | undefined;
}

interface GrpcRequest {
  method: string;
  headers: IncomingHttpHeaders;
  /** The common name of the client's certificate. */
  client: string | undefined;
}

/** A server with just enough gRPC to accept connections. It records requests. */
export async function startGrpcEndpoint({ certificate, clientCertificate, status }: GrpcEndpointOptions = {}) {
  const requests: GrpcRequest[] = [];
  const sessions = new Set<Http2Session>();
  const server = certificate
    ? createSecureServer({
        cert: readFileSync(tlsFile(`${certificate}.pem`)),
        key: readFileSync(tlsFile(`${certificate}.key`)),
        ca: readFileSync(tlsFile('ca.pem')),
        requestCert: clientCertificate === true,
        rejectUnauthorized: clientCertificate === true,
      })
    : createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    const socket = stream.session?.socket as TLSSocket | undefined;
    const { CN } = socket?.getPeerCertificate?.()?.subject ?? {};
    requests.push({ method, headers, client: CN?.toString() });
    stream.on('error', () => undefined).resume();
    answer(stream, status?.(method) ?? 0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

function answer(stream: ServerHttp2Stream, status: number): void {
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  if (status !== 0) {
    stream.respond({ ...head, 'grpc-status': String(status), 'grpc-message': 'as told' }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  // An empty message, in which every field has its default.
  stream.end(Buffer.alloc(5));
}
