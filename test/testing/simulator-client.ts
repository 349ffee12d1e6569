import type { IncodeSimulator } from '../../src/testing/simulator/index.js';

export interface Answered {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: Incode's JSON has no type here
  body: any;
}

export interface Sent {
  method?: string;
  token?: string;
  /** Replaces the simulator's key. `null` sends none. */
  apiKey?: string | null;
  /** Added to the headers that Incode requires. `null` omits one. */
  headers?: Record<string, string | null>;
  body?: unknown;
  signal?: AbortSignal;
}

/** Calls the simulator like Incode's documentation, without code of this package. */
export async function call(
  { url, apiKey: ownKey }: Pick<IncodeSimulator, 'url' | 'apiKey'>,
  path: string,
  { method, token, apiKey = ownKey, headers, body, signal }: Sent = {},
): Promise<Answered> {
  const all: Record<string, string | null> = {
    'content-type': 'application/json',
    'api-version': '1.0',
    'x-api-key': apiKey,
    'x-incode-hardware-id': token ?? null,
    ...headers,
  };
  const response = await fetch(url + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: Object.entries(all).filter((header): header is [string, string] => header[1] !== null),
    redirect: 'manual',
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
