import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import {
  createIncodeClient,
  type IncodeClient,
  type IncodeClientOptions,
  IncodeError,
} from '../../src/incode/index.js';

export const API_KEY = 'the-api-key';
export const TOKEN = 'the.session.token';
export const session = { interviewId: 'interview/1', sessionToken: TOKEN };

/** A client whose timeouts are far above what a test takes, so that only tests of timeouts reach them. */
export function clientOf(baseUrl: string, options: Partial<IncodeClientOptions> = {}): IncodeClient {
  return createIncodeClient({ baseUrl, apiKey: API_KEY, timeoutMs: 30_000, finishTimeoutMs: 30_000, ...options });
}

/** Returns the error of a call. Fails if the call succeeds, or if the error contains a secret. */
export async function failureOf(call: Promise<unknown>): Promise<IncodeError> {
  const error = await call.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(IncodeError);
  const everything = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}${(error as Error).stack}`;
  for (const secret of [API_KEY, TOKEN, 'interview%2F1', 'id=']) expect(everything).not.toContain(secret);
  return error as IncodeError;
}

export interface RawServer {
  url: string;
  sockets: Socket[];
  /** Received text, one entry for each connection. */
  received: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A TCP server, for answers that no HTTP server sends. `onData` gets everything that a connection has sent so far. */
export async function serveRaw(onData: (socket: Socket, text: string) => void): Promise<RawServer> {
  const sockets: Socket[] = [];
  const received: string[] = [];
  const server = createServer((socket) => {
    const index = sockets.push(socket) - 1;
    received[index] = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received[index] += chunk.toString('latin1');
      onData(socket, received[index] ?? '');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
