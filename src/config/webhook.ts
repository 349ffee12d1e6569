import { excerpt } from '../contract/excerpt.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { HEADER_NAME, MIN_SECRET_LENGTH, URL_PATH, WEBHOOK_DEFAULTS } from '../contract/webhook-settings.js';
import { HIDDEN, redactWhenPrinted } from '../secrets/index.js';
import { ConfigError, type ListenAddress, LOG_LEVELS, type LogLevel, type Reader, reader } from './reader.js';
import type { Environment, OnWarning } from './types.js';

/** The webhook receiver's configuration. `docs/webhooks.md` explains each variable. */
export interface WebhookConfig {
  /** `WEBHOOK_HOST`. @default "127.0.0.1": the operator decides who may reach it. */
  readonly host: string;
  /** `WEBHOOK_PORT`. @default 8088 */
  readonly port: number;
  /** `WEBHOOK_METRICS_ADDRESS`: where to serve metrics, separate from the address that Incode reaches. @default not served */
  readonly metricsAddress: ListenAddress | null;
  /** `LOG_LEVEL`. @default "info" */
  readonly logLevel: LogLevel;
  /** Options for `createWebhookReceiver`, which has the defaults for variables that are not set. */
  readonly receiver: {
    /** `WEBHOOK_PATH` */
    readonly path?: string;
    /** `WEBHOOK_TOKEN_PATH` */
    readonly tokenPath?: string;
    /** `WEBHOOK_HEADER_NAME`, by default `x-webhook-secret`; `WEBHOOK_HEADER_SECRETS` or `WEBHOOK_HEADER_SECRETS_FILE` */
    readonly header?: { readonly name: string; readonly secrets: () => readonly string[] };
    /** `WEBHOOK_OAUTH_CLIENTS` or `WEBHOOK_OAUTH_CLIENTS_FILE`; `WEBHOOK_TOKEN_TTL` */
    readonly oauth?: {
      readonly clients: () => readonly { readonly id: string; readonly secret: string }[];
      readonly tokenTtlMs?: number;
    };
    /** `WEBHOOK_ALLOW_UNAUTHENTICATED` */
    readonly allowUnauthenticated?: boolean;
    /** `WEBHOOK_MAX_BODY`, in bytes */
    readonly maxBodyBytes?: number;
    /** `WEBHOOK_HEADERS_TIMEOUT` */
    readonly headersTimeoutMs?: number;
    /** `WEBHOOK_BODY_TIMEOUT` */
    readonly bodyTimeoutMs?: number;
    /** `WEBHOOK_NOTIFY_TIMEOUT` */
    readonly notifyTimeoutMs?: number;
  };
}

/**
 * @param onWarning called when a secret file becomes invalid while the process runs. @default a process warning, `SecretFileWarning`
 * @throws ConfigError that names every invalid variable and repeats no secret
 */
export function readWebhookConfig(env: Environment = process.env, onWarning?: OnWarning): WebhookConfig {
  const read = reader(env, onWarning);
  const config: WebhookConfig = {
    host: read.text('WEBHOOK_HOST') ?? '127.0.0.1',
    port: read.integer('WEBHOOK_PORT', 8_088, 65_535),
    metricsAddress: read.listenAddress('WEBHOOK_METRICS_ADDRESS') ?? null,
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    receiver: omitUndefined({
      ...paths(read),
      ...authentication(read),
      maxBodyBytes: ifSet(read, 'WEBHOOK_MAX_BODY', (name) =>
        read.integer(name, defaults.maxBodyBytes, MAX_BODY_BYTES),
      ),
      headersTimeoutMs: ifSet(read, 'WEBHOOK_HEADERS_TIMEOUT', (name) =>
        read.duration(name, defaults.headersTimeoutMs, '1m'),
      ),
      bodyTimeoutMs: ifSet(read, 'WEBHOOK_BODY_TIMEOUT', (name) => read.duration(name, defaults.bodyTimeoutMs, '1m')),
      // After 30 s Incode has stopped waiting.
      notifyTimeoutMs: ifSet(read, 'WEBHOOK_NOTIFY_TIMEOUT', (name) =>
        read.duration(name, defaults.notifyTimeoutMs, '30s'),
      ),
    }),
  };
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return Object.freeze(config);
}

const defaults = WEBHOOK_DEFAULTS;

// Incode's deliveries have a few hundred bytes, so a larger limit would be a mistake.
const MAX_BODY_BYTES = 1_048_576;

// Tokens exist to be short-lived.
const MAX_TOKEN_TTL = '1d';

function paths(read: Reader): Pick<WebhookConfig['receiver'], 'path' | 'tokenPath'> {
  const [path, tokenPath] = ['WEBHOOK_PATH', 'WEBHOOK_TOKEN_PATH'].map((name) => {
    const value = read.text(name);
    const isPath = value === undefined || URL_PATH.test(value);
    if (!isPath) read.problems.push(`${name} must be a path such as "${defaults.path}", not "${excerpt(value)}"`);
    return value;
  });
  if (path !== undefined && path === tokenPath) read.problems.push('WEBHOOK_TOKEN_PATH must differ from WEBHOOK_PATH');
  return omitUndefined({ path, tokenPath });
}

function authentication(read: Reader): Pick<WebhookConfig['receiver'], 'header' | 'oauth' | 'allowUnauthenticated'> {
  const { problems } = read;
  const name = read.text('WEBHOOK_HEADER_NAME') ?? 'x-webhook-secret';
  if (!HEADER_NAME.test(name)) problems.push('WEBHOOK_HEADER_NAME must be the name of an HTTP header');
  const before = problems.length;
  const secrets = read.secret('WEBHOOK_HEADER_SECRETS', {
    separator: ',',
    valid: SECRET,
    rule: `must each have ${SECRET_RULE}`,
    as: (values): readonly string[] => values,
  });
  const clients = read.secret('WEBHOOK_OAUTH_CLIENTS', {
    separator: ',',
    valid: CLIENT,
    rule: `must each be id:secret, the secret with ${SECRET_RULE}`,
    as: (pairs) => pairs.map(clientOf),
  });
  const areInvalid = problems.length > before;
  const tokenTtlMs = ifSet(read, 'WEBHOOK_TOKEN_TTL', (ttl) => read.duration(ttl, defaults.tokenTtlMs, MAX_TOKEN_TTL));

  const allowed = read.oneOf('WEBHOOK_ALLOW_UNAUTHENTICATED', ['true', 'false'], 'false') === 'true';
  if (allowed && (secrets || clients || areInvalid)) {
    problems.push(
      'WEBHOOK_ALLOW_UNAUTHENTICATED and secrets exclude each other: with it the secrets would not be checked',
    );
  }
  if (!allowed && !secrets && !clients && !areInvalid) {
    problems.push(
      'WEBHOOK_HEADER_SECRETS or WEBHOOK_OAUTH_CLIENTS, each also as …_FILE, is required, or WEBHOOK_ALLOW_UNAUTHENTICATED=true',
    );
  }
  return omitUndefined({
    header: secrets && { name, secrets },
    oauth: clients && omitUndefined({ clients, tokenTtlMs }),
    allowUnauthenticated: allowed || undefined,
  });
}

const SECRET = new RegExp(`^[\\x20-\\x7e]{${MIN_SECRET_LENGTH},}$`);
const CLIENT = new RegExp(`^[\\x21-\\x39\\x3b-\\x7e]+:[\\x20-\\x7e]{${MIN_SECRET_LENGTH},}$`);
const SECRET_RULE = `at least ${MIN_SECRET_LENGTH} characters of printable ASCII`;

function clientOf(pair: string): { id: string; secret: string } {
  // A secret may contain colons, an id may not.
  const at = pair.indexOf(':');
  const [id, secret] = [pair.slice(0, at), pair.slice(at + 1)];
  return redactWhenPrinted({ id, secret }, { id, secret: HIDDEN });
}

function ifSet<T>(read: Reader, name: string, value: (name: string) => T): T | undefined {
  return read.text(name) === undefined ? undefined : value(name);
}
