export interface IncodeClientOptions {
  /** Where Incode is, such as `https://demo-api.incodesmile.com`; differs by environment and contract. */
  baseUrl: string;
  /** Incode's API key; differs by environment. */
  apiKey: string;
  /** Deadline of every call but finish-status, from the call to the last byte, in milliseconds. @default 10_000: reads take well under 1 s. */
  timeoutMs?: number;
  /**
   * Deadline of finish-status, in milliseconds.
   *
   * @default 35_000: Incode ends a request after 30 s on its side, and its answer needs time to arrive. A shorter one would
   * leave requests behind whose fate is unknown.
   */
  finishTimeoutMs?: number;
  /** Deadline for making a connection, TLS included, in milliseconds. @default 5_000: it is repeated at no risk. */
  connectTimeoutMs?: number;
  /** Connections kept open, and so calls at a time. @default 64 */
  connections?: number;
  /** Proxies by the target's scheme; `noProxy` lists hosts to reach without one. Nothing is read from the environment. */
  proxy?: { httpProxy?: string; httpsProxy?: string; noProxy?: string };
  /** The clock, in milliseconds since the epoch, against which a `Retry-After` date is read. @default Date.now */
  now?: () => number;
}

export const CLIENT_DEFAULTS = {
  timeoutMs: 10_000,
  finishTimeoutMs: 35_000,
  connectTimeoutMs: 5_000,
  connections: 64,
  proxy: {},
  now: Date.now,
} as const satisfies Partial<IncodeClientOptions>;

type CheckedOptions = Required<IncodeClientOptions>;

/** @throws TypeError naming the option, without its value where that may be a secret */
export function checkOptions(options: CheckedOptions): CheckedOptions {
  const { baseUrl, apiKey, timeoutMs, finishTimeoutMs, connectTimeoutMs, connections } = options;
  if (!isBaseUrl(baseUrl)) throw new TypeError('baseUrl must be an http or https URL without credentials or query');
  if (typeof apiKey !== 'string' || !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError('apiKey must be printable ASCII without spaces');
  }
  for (const [name, value] of Object.entries({ timeoutMs, finishTimeoutMs, connectTimeoutMs, connections })) {
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`${name} must be a whole number above 0`);
  }
  return options;
}

function isBaseUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username + password + search + hash === '';
}
