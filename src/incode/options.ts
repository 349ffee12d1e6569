import type { Proxies } from '../network/dispatcher.js';
import { isPlainHttp } from '../network/loopback.js';
import type { IncodeErrorKind, IncodeOperation } from './errors.js';

/** One completed HTTP call, for metrics. It contains nothing about the session. */
export interface IncodeCall {
  operation: IncodeOperation;
  /** `ok`, or the kind of the {@link IncodeError} that was thrown. */
  outcome: 'ok' | IncodeErrorKind;
  /** Absent if there was no answer. */
  httpStatus?: number;
  /** From the call to the last byte, including the wait for a free connection, in milliseconds. */
  durationMs: number;
}

export interface IncodeClientOptions {
  /** Incode's API, such as `https://demo-api.incodesmile.com`. It depends on your environment and contract. */
  baseUrl: string;
  /**
   * Accepts an `http:` base URL that is not on this machine. The API key, tokens and answers then cross the network unencrypted. Use it
   * only for a test system, or where something else encrypts the connection.
   *
   * @default false
   */
  allowPlainHttp?: boolean;
  /**
   * Incode's API key for this environment. A function is called for each request, so you can replace the key without a restart. If
   * Incode refuses the key, the function is called again with it as `refused`, so that a cached key can be read again.
   */
  apiKey: string | ((refused?: string) => string);
  /** Timeout of every call except finish-status, from the call to the last byte, in milliseconds. @default 10_000: reads take well under 1 s. */
  timeoutMs?: number;
  /**
   * Timeout of finish-status, in milliseconds.
   *
   * @default 35_000: Incode ends a request after 30 s on its side, and the answer needs time to arrive. With a shorter timeout you
   * would not learn the result of slow requests.
   */
  finishTimeoutMs?: number;
  /**
   * Timeout for opening a connection, TLS included, in milliseconds. Through a proxy it applies to each step.
   *
   * @default 5_000: a connection can be retried without risk.
   */
  connectTimeoutMs?: number;
  /** Maximum number of connections, and therefore of concurrent calls. @default 64 */
  connections?: number;
  /** Proxies of `baseUrl`. The client does not read the environment. @default none */
  proxy?: Proxies;
  /** Clock in milliseconds since the epoch, used to read a date in `Retry-After`. @default Date.now */
  now?: () => number;
  /** Called after each call to Incode completes. Its errors are ignored. @default no callback */
  onCall?: (call: IncodeCall) => void;
}

export const CLIENT_DEFAULTS = {
  allowPlainHttp: false,
  timeoutMs: 10_000,
  finishTimeoutMs: 35_000,
  connectTimeoutMs: 5_000,
  connections: 64,
  proxy: {},
  now: Date.now,
} as const satisfies Partial<IncodeClientOptions>;

export type CheckedOptions = Required<Omit<IncodeClientOptions, 'onCall'>> & Pick<IncodeClientOptions, 'onCall'>;

/** The options that every client of Incode has. */
export type ConnectionOptions = Omit<CheckedOptions, 'finishTimeoutMs'>;

/** @throws TypeError that names the option, and omits a value that may be a secret */
export function checkOptions<T extends ConnectionOptions>(options: T): T {
  const { baseUrl, allowPlainHttp, apiKey, connections, proxy } = options;
  if (!isBaseUrl(baseUrl)) throw new TypeError('baseUrl must be an http or https URL without credentials or query');
  if (!allowPlainHttp && isPlainHttp(baseUrl)) {
    throw new TypeError(
      'baseUrl must be https: over http the API key and tokens cross the network unencrypted. Set allowPlainHttp to accept that',
    );
  }
  if (typeof apiKey !== 'function' && !isSendable(apiKey)) {
    throw new TypeError('apiKey must be printable ASCII without spaces');
  }
  const timeouts = Object.entries(options).filter(([name]) => /timeoutMs$/i.test(name));
  for (const [name, value] of [...timeouts, ['connections', connections]]) {
    if (!Number.isSafeInteger(value) || Number(value) < 1 || Number(value) > MAX_TIMER_MS) {
      throw new TypeError(`${name} must be a whole number from 1 to ${MAX_TIMER_MS}`);
    }
  }
  // The error of `new URL` would repeat the URL with its credentials.
  for (const name of ['httpProxy', 'httpsProxy'] as const) {
    if (proxy[name] && !isHttpUrl(proxy[name])) {
      throw new TypeError(`proxy.${name} must be an http or https URL such as http://proxy.example:3128`);
    }
  }
  return options;
}

/** Whether a value can be an HTTP header. undici also refuses line breaks, but its message may repeat the value. */
export function isSendable(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

/** Node's timers fire at once for longer delays, so the call would time out as soon as it was sent. */
const MAX_TIMER_MS = 2_147_483_647;

export function isBaseUrl(value: unknown): boolean {
  if (!isHttpUrl(value)) return false;
  const { username, password, search, hash } = new URL(value);
  return username + password + search + hash === '';
}

export function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
