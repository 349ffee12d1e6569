import { gatewayLists } from '../../src/cli/local/gateway-lists.js';
import { parseGatewayTokens } from '../../src/config/gateway-tokens.js';
import type { GatewayScope, GatewayToken } from '../../src/contract/gateway-settings.js';
import type { GatewayEvent } from '../../src/gateway/log.js';
import { newToken } from '../../src/gateway/new-token.js';
import type { GatewayOptions } from '../../src/gateway/options.js';
import { createGateway, type Gateway } from '../../src/gateway/server.js';

export interface TestGateway {
  gateway: Gateway;
  url: string;
  port: number;
  events: GatewayEvent[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestToken {
  token: string;
  entry: GatewayToken;
}

export function makeToken(name: string, ...scopes: GatewayScope[]): TestToken {
  const { token, line } = newToken(name, scopes);
  const [entry] = parseGatewayTokens(line);
  return { token, entry: entry as GatewayToken };
}

export async function startGateway(
  options: Omit<GatewayOptions, 'lists'> & Partial<GatewayOptions>,
): Promise<TestGateway> {
  const events: GatewayEvent[] = [];
  const gateway = createGateway({ lists: gatewayLists, log: (event) => events.push(event), ...options });
  const { url, port } = await gateway.listen();
  return { gateway, url, port, events, [Symbol.asyncDispose]: () => gateway.close() };
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the body that it expects
  body: any;
}

export interface Sent {
  token?: string;
  /** Sent as JSON; a string or bytes unchanged. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** Sends a request such as `POST /v1/sessions`. */
export async function ask({ url }: Pick<TestGateway, 'url'>, what: string, sent: Sent = {}): Promise<Answer> {
  const [method = 'GET', path = '/'] = what.split(' ');
  const { token, body, headers = {} } = sent;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /[/+]json$|json;/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** The name in the type of a problem. */
export function problemName({ body, headers }: Answer): string {
  if (headers.get('content-type') !== 'application/problem+json') return `no problem: ${JSON.stringify(body)}`;
  return body.type.replace('urn:temporal-incode:', '');
}
