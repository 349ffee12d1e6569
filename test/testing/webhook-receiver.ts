import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { serve } from '../support/http.js';

export interface Received {
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  [Symbol.asyncDispose](): Promise<void>;
}

export const accept = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}') as unknown;

/** @param answer gets the number of received webhooks, including this one */
export async function startReceiver(
  answer: (response: ServerResponse, count: number, received: Received) => unknown = accept,
): Promise<Receiver> {
  const received: Received[] = [];
  const server = await serve(async (request, response) => {
    const one = { path: request.url, headers: request.headers, body: await text(request) };
    received.push(one);
    answer(response, received.length, one);
  });
  return { ...server, received };
}
