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

/** Its deadlines are far above what any test takes, so that only a test of deadlines ever meets one. */
export function clientOf(baseUrl: string, options: Partial<IncodeClientOptions> = {}): IncodeClient {
  return createIncodeClient({ baseUrl, apiKey: API_KEY, timeoutMs: 30_000, finishTimeoutMs: 30_000, ...options });
}

/** What a call fails with. Fails itself if the call does not, or if the error shows a secret anywhere. */
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
  /** Text received, one entry a connection. */
  received: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A TCP server, for what no HTTP server can be brought to do. `onData` is called with all that a connection sent so far. */
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
