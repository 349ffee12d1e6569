import { type Dispatcher, request } from 'undici';
import { createDispatcher, type Proxies } from '../network/dispatcher.js';
import { ImageError } from './errors.js';
import type { ImageSource, OpenedImage } from './source.js';

export interface HttpsImagesOptions {
  /** Allowed hosts, such as `images.example`, or `images.example:8443` for another port than 443. */
  hosts: readonly string[];
  /** Proxies, http or https. The source does not read the environment. @default none */
  proxy?: Proxies;
  /** An undici dispatcher, for example for a private certificate authority. It excludes `proxy`. @default connections of the source's own */
  dispatcher?: Dispatcher;
}

/** Image servers rarely redirect more than once. */
const MAX_REDIRECTS = 3;

/** As undici's default. */
const CONNECT_MS = 10_000;

/** Limits the wait for the headers and for each part of the body. `LimitOptions.timeoutMs` limits the whole read. */
const IDLE_MS = 15_000;

/**
 * Reads images from the listed hosts. Follows a redirect only to a listed host. Sends no credentials.
 *
 * @example
 * const image = await readImage([httpsImages({ hosts: ['images.example'] })], { uri: 'https://images.example/ann/front.jpg' });
 */
export function httpsImages({ hosts, proxy = {}, dispatcher }: HttpsImagesOptions): ImageSource {
  const connections = dispatcher ?? createDispatcher({ connections: 16, connectTimeoutMs: CONNECT_MS, proxy });
  const allowed = new Set(hosts.map((host) => new URL(`https://${host}`).host));
  return {
    schemes: ['https'],
    async open(uri, signal) {
      let url = allowedUrl(uri, uri, allowed);
      for (let redirects = 0; ; redirects += 1) {
        const answer = await send(uri, url, connections, signal);
        const location = locationOf(answer);
        if (location === undefined) return openedAnswer(uri, answer);
        discard(answer);
        if (redirects === MAX_REDIRECTS) throw new ImageError(uri, 'unavailable', 'is redirected too often');
        url = allowedUrl(
          uri,
          URL.canParse(location, url.href) ? new URL(location, url).href : '',
          allowed,
          'is redirected to',
        );
      }
    },
    // The caller's dispatcher may serve other requests.
    close: async () => (dispatcher ? undefined : connections.destroy()),
  };
}

/** @param verb how the error relates the image to the address */
function allowedUrl(uri: string, address: string, allowed: Set<string>, verb = 'is at'): URL {
  if (!URL.canParse(address)) throw new ImageError(uri, 'notAllowed', `${verb} an invalid address`);
  const url = new URL(address);
  if (url.protocol !== 'https:') throw new ImageError(uri, 'notAllowed', `${verb} an address without https`);
  if (url.username || url.password) throw new ImageError(uri, 'notAllowed', `${verb} an address with a login`);
  if (!allowed.has(url.host))
    throw new ImageError(
      uri,
      allowed.size > 0 ? 'notAllowed' : 'noPlace',
      `${verb} a host that is not on the list of image hosts`,
    );
  return url;
}

type Answer = Dispatcher.ResponseData;

async function send(uri: string, url: URL, dispatcher: Dispatcher, signal: AbortSignal): Promise<Answer> {
  try {
    return await request(url, { dispatcher, signal, headersTimeout: IDLE_MS, bodyTimeout: IDLE_MS });
  } catch (error) {
    throw networkError(uri, error);
  }
}

function locationOf({ statusCode, headers }: Answer): string | undefined {
  return [301, 302, 303, 307, 308].includes(statusCode) ? String(headers.location ?? '') : undefined;
}

function openedAnswer(uri: string, answer: Answer): OpenedImage {
  const { statusCode, headers, body } = answer;
  if (statusCode !== 200) {
    discard(answer);
    throw statusError(uri, statusCode);
  }
  // The request asks for no encoding, and the digest would be that of the encoded bytes.
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    discard(answer);
    throw new ImageError(uri, 'wrongType', 'is sent in a compressed form');
  }
  const length = Number(headers['content-length'] ?? Number.NaN);
  return {
    ...(Number.isSafeInteger(length) ? { bytes: length } : {}),
    read: () => bodyOf(uri, body),
    close: async () => discard(answer),
  };
}

/** Ends the connection instead of reading the rest of the body, which may be endless. */
function discard({ body }: Answer): void {
  body.on('error', () => undefined).destroy();
}

function statusError(uri: string, status: number): ImageError {
  if (status === 404 || status === 410) return new ImageError(uri, 'missing', `does not exist (HTTP ${status})`);
  if (status === 401 || status === 403)
    return new ImageError(uri, 'denied', `is refused by its server (HTTP ${status})`);
  return new ImageError(uri, 'unavailable', `is not available (HTTP ${status})`);
}

/** Also used for S3. */
export async function* bodyOf(uri: string, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    const code = codeOf(error);
    throw isTimeout(code) ? tooSlow(uri, code) : new ImageError(uri, 'truncated', `ended early${code}`);
  }
}

export function networkError(uri: string, error: unknown): ImageError {
  const code = codeOf(error);
  return isTimeout(code) ? tooSlow(uri, code) : new ImageError(uri, 'unavailable', `is not available${code}`);
}

/** Shows only the code of an error, because its message can quote the request. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : '';
}

function isTimeout(code: string): boolean {
  return code.includes('TIMEOUT') || code.includes('TIMEDOUT');
}

function tooSlow(uri: string, code: string): ImageError {
  return new ImageError(uri, 'slow', `was not read in time${code}`);
}
