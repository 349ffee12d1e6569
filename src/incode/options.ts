import { isPlainHttp } from '../network/loopback.js';
import type { IncodeErrorKind, IncodeOperation } from './errors.js';

/** One call over HTTP and what came of it, for metrics. Nothing in it belongs to a session. */
export interface IncodeCall {
  operation: IncodeOperation;
  /** `ok`, or the {@link IncodeErrorKind} of the error that was thrown. */
  outcome: 'ok' | IncodeErrorKind;
  /** Absent if no answer came. */
  httpStatus?: number;
  /** From the call to the last byte, waiting for a free connection included, in milliseconds. */
  durationMs: number;
}

export interface IncodeClientOptions {
  /** Where Incode is, such as `https://demo-api.incodesmile.com`; differs by environment and contract. */
  baseUrl: string;
  /**
   * Takes a `baseUrl` with `http:` that is not on this machine. The API key, session tokens and answers then cross the network
   * unencrypted: only for a test system, or where something else encrypts the way.
   *
   * @default false
   */
  allowPlainHttp?: boolean;
  /**
   * Incode's API key; differs by environment. A function is asked for each call, so that a key is exchanged without a restart; and
   * once more with the key that Incode has just refused, so that one that remembers what it has read can look again.
   */
  apiKey: string | ((refused?: string) => string);
  /** Deadline of every call but finish-status, from the call to the last byte, in milliseconds. @default 10_000: reads take well under 1 s. */
  timeoutMs?: number;
  /**
   * Deadline of finish-status, in milliseconds.
   *
   * @default 35_000: Incode ends a request after 30 s on its side, and its answer needs time to arrive. A shorter one would
   * leave requests behind whose fate is unknown.
   */
  finishTimeoutMs?: number;
  /**
   * Deadline for making a connection, TLS included, in milliseconds; through a proxy, for each step of it.
   *
   * @default 5_000: it is repeated at no risk.
   */
  connectTimeoutMs?: number;
  /** Connections kept open, and so calls at a time. @default 64 */
  connections?: number;
  /**
   * Proxies, http or https, by the scheme of `baseUrl`; `httpProxy` serves https too where there is no `httpsProxy`.
   * `noProxy` lists hosts to reach without one. Nothing is read from the environment.
   */
  proxy?: { httpProxy?: string; httpsProxy?: string; noProxy?: string };
  /** The clock, in milliseconds since the epoch, against which a `Retry-After` date is read. @default Date.now */
  now?: () => number;
  /** Told of every call when it has ended. What it throws is passed over. @default nobody */
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

/** @throws TypeError naming the option, without its value where that may be a secret */
export function checkOptions(options: CheckedOptions): CheckedOptions {
  const { baseUrl, allowPlainHttp, apiKey, timeoutMs, finishTimeoutMs, connectTimeoutMs, connections, proxy } = options;
  if (!isBaseUrl(baseUrl)) throw new TypeError('baseUrl must be an http or https URL without credentials or query');
  if (!allowPlainHttp && isPlainHttp(baseUrl)) {
    throw new TypeError(
      'baseUrl must be https: over http the API key and tokens cross the network unencrypted; allowPlainHttp takes it',
    );
  }
  if (typeof apiKey !== 'function' && !isSendable(apiKey)) {
    throw new TypeError('apiKey must be printable ASCII without spaces');
  }
  for (const [name, value] of Object.entries({ timeoutMs, finishTimeoutMs, connectTimeoutMs, connections })) {
    if (!Number.isSafeInteger(value) || value < 1 || value > MAX_TIMER_MS) {
      throw new TypeError(`${name} must be a whole number from 1 to ${MAX_TIMER_MS}`);
    }
  }
  // Checked here, because the error of `new URL` repeats the URL with its credentials.
  for (const name of ['httpProxy', 'httpsProxy'] as const) {
    if (proxy[name] && !isHttpUrl(proxy[name])) {
      throw new TypeError(`proxy.${name} must be an http or https URL such as http://proxy.example:3128`);
    }
  }
  return options;
}

/** A line break in a header value would inject a header; undici refuses it too, with a message that may repeat the value. */
export function isSendable(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

/** Above it Node's timers fire at once: a call meant to have no deadline would be given up as soon as it was sent. */
const MAX_TIMER_MS = 2_147_483_647;

function isBaseUrl(value: unknown): boolean {
  if (!isHttpUrl(value)) return false;
  const { username, password, search, hash } = new URL(value);
  return username + password + search + hash === '';
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
