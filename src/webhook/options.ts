import { omitUndefined } from '../contract/omit-undefined.js';
import { HEADER_NAME, MIN_SECRET_LENGTH, URL_PATH, WEBHOOK_DEFAULTS } from '../contract/webhook-settings.js';
import type { Secrets } from '../secrets/matcher.js';
import type { StartedDelivery, StatusDelivery } from './parse-delivery.js';
import type { WebhookEvent } from './results.js';

/**
 * What `notify` did with a delivery. The receiver answers 200 to all three, so Incode does not send the delivery again.
 * - `delivered`: the session received it;
 * - `ended`: the session has ended and ignores it;
 * - `unknownSession`: the session does not belong to this system.
 */
export type Notified = 'delivered' | 'ended' | 'unknownSession';

export interface OAuthClient {
  id: string;
  /** At least 16 characters. With a bearer token, an attacker could find a shorter secret by trying. */
  secret: string;
}

export interface WebhookReceiverOptions {
  /**
   * Delivers a status to its session. If it rejects, the receiver asks Incode to send the delivery again. It may be called more than
   * once with the same delivery and in any order, but not within a minute after it answered `delivered`.
   */
  notify: (delivery: StatusDelivery) => Promise<Notified>;
  /**
   * Passes a session to the person for whom it was opened, as `sessionStarted` of `temporal-incode/client` does. Called like `notify`.
   *
   * @default such a delivery is ignored
   */
  notifyStarted?: (delivery: StartedDelivery) => Promise<Notified>;
  /** Decides the answer of `/readyz`. @default always ready */
  ready?: () => Promise<boolean>;
  /**
   * Accepts deliveries that carry one of these secrets in a header, as set on Incode's dashboard. Give two secrets while one replaces
   * the other. Each has at least 16 characters. A function is called for each delivery, so secrets can change without a restart. It has
   * to check them itself.
   */
  header?: { name: string; secrets: readonly string[] | (() => readonly string[]) };
  /**
   * Accepts deliveries with a bearer token that the token endpoint gave to one of these clients. List an id twice while one secret
   * replaces the other. A function is called for each request.
   */
  oauth?: {
    clients: readonly OAuthClient[] | (() => readonly OAuthClient[]);
    /**
     * How long a token is valid, in ms. Raise it if Incode requests tokens too often. Removing a secret invalidates its tokens at once.
     *
     * @default 3600000: one hour
     */
    tokenTtlMs?: number;
  };
  /**
   * Accepts deliveries from anyone who can reach the receiver. Use it for trials or behind a proxy that authenticates. It excludes
   * `header` and `oauth`.
   *
   * @default false
   */
  allowUnauthenticated?: boolean;
  /** Path of the status webhook and of session webhooks. @default "/incode/webhook" */
  path?: string;
  /** Path of the token endpoint, which exists if `oauth` is set. @default "/incode/oauth/token" */
  tokenPath?: string;
  /** Maximum size of a body. @default 65536: a delivery has a few hundred bytes, and the limit bounds the memory for unknown senders. */
  maxBodyBytes?: number;
  /** Timeout for the headers of a request, in ms. It applies only to `listen`. @default 5000 */
  headersTimeoutMs?: number;
  /** Timeout for the body of a request, in ms. @default 5000: a body fits into a few packets. */
  bodyTimeoutMs?: number;
  /**
   * Timeout for `notify`, in ms. After it, the receiver asks Incode to send the delivery again, even if `notify` still succeeds.
   *
   * @default 8000: Incode does not document how long it waits. 10 s is usual.
   */
  notifyTimeoutMs?: number;
  /** Called after every request to one of the two paths. */
  log?: (event: WebhookEvent) => void;
}

/** The checked options with every default filled in. */
export interface Settings {
  notify: WebhookReceiverOptions['notify'];
  notifyStarted: WebhookReceiverOptions['notifyStarted'];
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

/** @throws TypeError naming the option, without secrets */
export function resolveOptions(options: WebhookReceiverOptions): Settings {
  const { header, oauth, allowUnauthenticated = false } = options;
  const settings: Settings = {
    ...WEBHOOK_DEFAULTS,
    ...omitUndefined(options),
    notifyStarted: options.notifyStarted,
    ready: options.ready ?? (async () => true),
    header: header ? { name: header.name.toLowerCase(), secrets: snapshot(header.secrets) } : null,
    oauth: oauth
      ? { clients: snapshot(oauth.clients), tokenTtlMs: oauth.tokenTtlMs ?? WEBHOOK_DEFAULTS.tokenTtlMs }
      : null,
    allowUnauthenticated,
    log: options.log,
  };
  if (typeof settings.notify !== 'function') throw new TypeError('notify must be a function');
  checkAuthentication(settings);
  for (const name of ['path', 'tokenPath'] as const) {
    if (!URL_PATH.test(settings[name])) {
      throw new TypeError(`${name} must be a path such as "${WEBHOOK_DEFAULTS[name]}"`);
    }
  }
  if (settings.path === settings.tokenPath) throw new TypeError('tokenPath must differ from path');
  for (const name of ['maxBodyBytes', 'headersTimeoutMs', 'bodyTimeoutMs', 'notifyTimeoutMs'] as const) {
    checkPositive(name, settings[name]);
  }
  return settings;
}

/** Copies a list, because the caller may change the array. */
function snapshot<T>(secrets: Secrets<T>): Secrets<T> {
  return typeof secrets === 'function' ? secrets : [...secrets];
}

function currentOf<T>(secrets: Secrets<T>): readonly T[] {
  return typeof secrets === 'function' ? secrets() : secrets;
}

function checkAuthentication({ header, oauth, allowUnauthenticated }: Settings): void {
  if (!header && !oauth && !allowUnauthenticated) {
    throw new TypeError(
      'header or oauth is required, or allowUnauthenticated: true, which lets anyone report a status',
    );
  }
  if (allowUnauthenticated && (header || oauth)) {
    throw new TypeError('allowUnauthenticated excludes header and oauth, which would not be checked');
  }
  if (header) {
    if (!HEADER_NAME.test(header.name)) throw new TypeError('header.name must be the name of an HTTP header');
    const secrets = currentOf(header.secrets);
    if (secrets.length === 0) throw new TypeError('header.secrets must not be empty');
    for (const [i, secret] of secrets.entries()) {
      checkSecret(`header.secrets[${i}]`, secret);
      // HTTP drops spaces around a header value, so a secret with such spaces would never match.
      if (!/^[\x21-\x7e][\x20-\x7e]*[\x21-\x7e]$/.test(secret)) {
        throw new TypeError(`header.secrets[${i}] must be printable ASCII without spaces around it`);
      }
    }
  }
  if (oauth) {
    const clients = currentOf(oauth.clients);
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
