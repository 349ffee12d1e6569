import type { Secrets } from '../secrets/matcher.js';
import type { StatusDelivery } from './parse-delivery.js';
import type { WebhookEvent } from './results.js';

/** `ended`: the session needs no news any more. `unknownSession`: it is not ours. Both are taken, so that Incode does not send them again. */
export type Notified = 'delivered' | 'ended' | 'unknownSession';

export interface OAuthClient {
  id: string;
  /** At least 16 characters: whoever has a token could try short ones out. */
  secret: string;
}

export interface WebhookReceiverOptions {
  /**
   * Hands a delivery on. A rejection means that it could not be taken now: Incode is told to send it again. It can be called
   * more than once with the same delivery, and in any order, but not again within a minute of having answered `delivered`.
   */
  notify: (delivery: StatusDelivery) => Promise<Notified>;
  /** What `/readyz` answers. @default always ready */
  ready?: () => Promise<boolean>;
  /**
   * Takes deliveries that carry one of these secrets in a header, as set on Incode's dashboard. More than one, for as long as
   * one replaces another. Each has at least 16 characters. A function is asked for each delivery: it lets secrets be exchanged
   * without a restart, and has to check them itself.
   */
  header?: { name: string; secrets: readonly string[] | (() => readonly string[]) };
  /**
   * Takes deliveries with a bearer token that the token endpoint gave to one of these clients. The same id can be there with
   * two secrets, for as long as one replaces the other. A function is asked for each request, as above.
   */
  oauth?: {
    clients: readonly OAuthClient[] | (() => readonly OAuthClient[]);
    /** Raise it if Incode asks for tokens too often. A withdrawn secret ends its tokens at once. @default 3600000: one hour */
    tokenTtlMs?: number;
  };
  /**
   * Takes deliveries from anybody who finds the address. For trials, and behind a proxy that authenticates; not together with
   * `header` or `oauth`.
   *
   * @default false
   */
  allowUnauthenticated?: boolean;
  /** Where both the status webhook and session webhooks are sent. @default "/incode/webhook" */
  path?: string;
  /** Where tokens are asked for, if `oauth` is given. @default "/incode/oauth/token" */
  tokenPath?: string;
  /** @default 65536: a delivery has a few hundred bytes, and what a stranger may make us keep in memory is bounded. */
  maxBodyBytes?: number;
  /** How long a request's headers may take; only where the receiver itself listens. @default 5000 */
  headersTimeoutMs?: number;
  /** How long a request's body may take. @default 5000: all of one fits into one packet or a few. */
  bodyTimeoutMs?: number;
  /**
   * How long `notify` may take; then Incode is told to send the delivery again, and `notify` may still take it.
   *
   * @default 8000: how long Incode waits is not documented, and 10 s is usual.
   */
  notifyTimeoutMs?: number;
  /** Gets an event for every request to one of the two paths. */
  log?: (event: WebhookEvent) => void;
}

/** The options, checked, with every default filled in. */
export interface Settings {
  notify: WebhookReceiverOptions['notify'];
  ready: () => Promise<boolean>;
  header: { name: string; secrets: Secrets } | null;
  oauth: { clients: Secrets<OAuthClient>; tokenTtlMs: number } | null;
  allowUnauthenticated: boolean;
  path: string;
  tokenPath: string;
  maxBodyBytes: number;
  headersTimeoutMs: number;
  bodyTimeoutMs: number;
  notifyTimeoutMs: number;
  log: ((event: WebhookEvent) => void) | undefined;
}

export const WEBHOOK_DEFAULTS = {
  path: '/incode/webhook',
  tokenPath: '/incode/oauth/token',
  tokenTtlMs: 3_600_000,
  maxBodyBytes: 65_536,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 5_000,
  notifyTimeoutMs: 8_000,
} as const;

/** Below it a secret could be found by trying, with a token in hand. */
export const MIN_SECRET_LENGTH = 16;

/** @throws TypeError naming the option, and repeating no secret */
export function resolveOptions(options: WebhookReceiverOptions): Settings {
  const { header, oauth, allowUnauthenticated = false } = options;
  const settings: Settings = {
    ...WEBHOOK_DEFAULTS,
    ...withoutUndefined(options),
    ready: options.ready ?? (async () => true),
    header: header ? { name: header.name.toLowerCase(), secrets: kept(header.secrets) } : null,
    oauth: oauth
      ? { tokenTtlMs: WEBHOOK_DEFAULTS.tokenTtlMs, ...withoutUndefined(oauth), clients: kept(oauth.clients) }
      : null,
    allowUnauthenticated,
    log: options.log,
  };
  if (typeof settings.notify !== 'function') throw new TypeError('notify must be a function');
  checkAuthentication(settings);
  for (const name of ['path', 'tokenPath'] as const) {
    if (!/^\/[\w./~-]*[\w~-]$/.test(settings[name])) {
      throw new TypeError(`${name} must be a path such as "${WEBHOOK_DEFAULTS[name]}"`);
    }
  }
  if (settings.path === settings.tokenPath) throw new TypeError('tokenPath must differ from path');
  for (const name of ['maxBodyBytes', 'headersTimeoutMs', 'bodyTimeoutMs', 'notifyTimeoutMs'] as const) {
    checkPositive(name, settings[name]);
  }
  return settings;
}

/** A list as it is now: the caller's array may change. */
function kept<T>(secrets: Secrets<T>): Secrets<T> {
  return typeof secrets === 'function' ? secrets : [...secrets];
}

function current<T>(secrets: Secrets<T>): readonly T[] {
  return typeof secrets === 'function' ? secrets() : secrets;
}

function checkAuthentication({ header, oauth, allowUnauthenticated }: Settings): void {
  if (!header && !oauth && !allowUnauthenticated) {
    throw new TypeError(
      'header or oauth must be given, or allowUnauthenticated: true: else anybody could report a status',
    );
  }
  if (allowUnauthenticated && (header || oauth)) {
    throw new TypeError('allowUnauthenticated contradicts header and oauth: with it nobody would be asked for them');
  }
  if (header) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header.name))
      throw new TypeError('header.name must be the name of an HTTP header');
    const secrets = current(header.secrets);
    if (secrets.length === 0) throw new TypeError('header.secrets must not be empty');
    for (const [i, secret] of secrets.entries()) {
      checkSecret(`header.secrets[${i}]`, secret);
      // HTTP drops spaces around a value, so such a secret would never match.
      if (!/^[\x21-\x7e][\x20-\x7e]*[\x21-\x7e]$/.test(secret)) {
        throw new TypeError(`header.secrets[${i}] must be printable ASCII without spaces around it`);
      }
    }
  }
  if (oauth) {
    const clients = current(oauth.clients);
    if (clients.length === 0) throw new TypeError('oauth.clients must not be empty');
    for (const [i, { id, secret }] of clients.entries()) {
      if (typeof id !== 'string' || !/^[\x21-\x39\x3b-\x7e]+$/.test(id)) {
        throw new TypeError(`oauth.clients[${i}].id must be printable ASCII without spaces and colons`);
      }
      checkSecret(`oauth.clients[${i}].secret`, secret);
    }
    checkPositive('oauth.tokenTtlMs', oauth.tokenTtlMs);
  }
}

function checkSecret(option: string, secret: unknown): void {
  if (typeof secret !== 'string' || secret.length < MIN_SECRET_LENGTH) {
    throw new TypeError(`${option} must have at least ${MIN_SECRET_LENGTH} characters`);
  }
}

function checkPositive(option: string, value: unknown): void {
  if (!Number.isInteger(value) || Number(value) < 1) throw new TypeError(`${option} must be a positive whole number`);
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}
