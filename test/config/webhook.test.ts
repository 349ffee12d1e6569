import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, readWebhookConfig, type WebhookConfig } from '../../src/config/index.js';
import { WEBHOOK_DEFAULTS } from '../../src/contract/webhook-settings.js';
import { createWebhookReceiver } from '../../src/webhook/index.js';

const SECRET = 'known-to-both-sides';
const OTHER = 'the-secret-of-last-year';
const notify = async () => 'delivered' as const;

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

/** The current secrets of a configuration. */
function secretsOf({ receiver: { header, oauth } }: WebhookConfig) {
  return { secrets: header?.secrets(), clients: oauth?.clients() };
}

function problems(env: Record<string, string>): readonly string[] {
  try {
    readWebhookConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readWebhookConfig', () => {
  it('leaves unset variables to the defaults of the receiver', () => {
    const config = readWebhookConfig({ WEBHOOK_HEADER_SECRETS: SECRET });
    expect(config).toEqual({
      host: '127.0.0.1',
      port: 8_088,
      metricsAddress: null,
      logLevel: 'info',
      receiver: { header: { name: 'x-webhook-secret', secrets: expect.any(Function) } },
    });
    expect(secretsOf(config)).toEqual({ secrets: [SECRET] });
  });

  it('reads every variable', () => {
    const config = readWebhookConfig({
      WEBHOOK_HOST: '0.0.0.0',
      WEBHOOK_PORT: '9000',
      WEBHOOK_PATH: '/hooks',
      WEBHOOK_TOKEN_PATH: '/token',
      WEBHOOK_HEADER_NAME: 'X-Key',
      WEBHOOK_HEADER_SECRETS: `${SECRET}, ${OTHER},`,
      WEBHOOK_OAUTH_CLIENTS: `incode:with:a:colon:and-more,incode:${OTHER}`,
      WEBHOOK_TOKEN_TTL: '10m',
      WEBHOOK_ALLOW_UNAUTHENTICATED: 'false',
      WEBHOOK_MAX_BODY: '1000',
      WEBHOOK_HEADERS_TIMEOUT: '1s',
      WEBHOOK_BODY_TIMEOUT: '2s',
      WEBHOOK_NOTIFY_TIMEOUT: '3s',
      LOG_LEVEL: 'debug',
      WEBHOOK_METRICS_ADDRESS: '0.0.0.0:9465',
    });
    expect(config).toEqual({
      host: '0.0.0.0',
      port: 9_000,
      metricsAddress: { host: '0.0.0.0', port: 9_465 },
      logLevel: 'debug',
      receiver: {
        path: '/hooks',
        tokenPath: '/token',
        header: { name: 'X-Key', secrets: expect.any(Function) },
        oauth: {
          clients: expect.any(Function),
          tokenTtlMs: 600_000,
        },
        maxBodyBytes: 1_000,
        headersTimeoutMs: 1_000,
        bodyTimeoutMs: 2_000,
        notifyTimeoutMs: 3_000,
      },
    });
    expect(secretsOf(config)).toEqual({
      secrets: [SECRET, OTHER],
      clients: [
        { id: 'incode', secret: 'with:a:colon:and-more' },
        { id: 'incode', secret: OTHER },
      ],
    });
    createWebhookReceiver({ ...config.receiver, notify });
  });

  it('reads one secret a line from files', () => {
    const config = readWebhookConfig({
      WEBHOOK_HEADER_SECRETS_FILE: fileOf('secrets', `${SECRET}, with a comma\r\n\n${OTHER}\n`),
      WEBHOOK_OAUTH_CLIENTS_FILE: fileOf('clients', `incode:${SECRET},too`),
    });
    expect(secretsOf(config)).toEqual({
      secrets: [`${SECRET}, with a comma`, OTHER],
      clients: [{ id: 'incode', secret: `${SECRET},too` }],
    });
    createWebhookReceiver({ ...config.receiver, notify });
  });

  it('requires authentication unless WEBHOOK_ALLOW_UNAUTHENTICATED is true', () => {
    expect(problems({})).toEqual([
      expect.stringMatching(/^WEBHOOK_HEADER_SECRETS or WEBHOOK_OAUTH_CLIENTS.* is required/),
    ]);
    const { receiver } = readWebhookConfig({ WEBHOOK_ALLOW_UNAUTHENTICATED: 'true' });
    expect(receiver).toEqual({ allowUnauthenticated: true });
    createWebhookReceiver({ ...receiver, notify });
  });

  it('names all invalid variables at once', () => {
    const wrong = {
      WEBHOOK_PORT: '70000',
      WEBHOOK_PATH: 'incode',
      WEBHOOK_TOKEN_PATH: '/a b',
      WEBHOOK_HEADER_NAME: 'a b',
      WEBHOOK_HEADER_SECRETS: 'hidden',
      WEBHOOK_OAUTH_CLIENTS: `incode:${SECRET},hidden-and-without-colon`,
      WEBHOOK_TOKEN_TTL: '2d',
      WEBHOOK_ALLOW_UNAUTHENTICATED: 'yes',
      WEBHOOK_MAX_BODY: '2000000',
      WEBHOOK_HEADERS_TIMEOUT: '2m',
      WEBHOOK_BODY_TIMEOUT: '5',
      WEBHOOK_NOTIFY_TIMEOUT: '31s',
      LOG_LEVEL: 'loud',
    };
    const named = problems(wrong);
    expect(named.map((problem) => problem.split(' ')[0]).sort()).toEqual(Object.keys(wrong).sort());
    expect(named.join()).not.toMatch(new RegExp(`hidden|${SECRET}`));
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['an empty list', { WEBHOOK_HEADER_SECRETS: ',' }, /^WEBHOOK_HEADER_SECRETS is empty$/],
    [
      'a client without a secret',
      { WEBHOOK_OAUTH_CLIENTS: 'incode:' },
      /^WEBHOOK_OAUTH_CLIENTS must each be id:secret/,
    ],
    [
      'a client without an id',
      { WEBHOOK_OAUTH_CLIENTS: `:${SECRET}` },
      /^WEBHOOK_OAUTH_CLIENTS must each be id:secret/,
    ],
    [
      'a missing file',
      { WEBHOOK_HEADER_SECRETS_FILE: join(directory, 'none') },
      /^WEBHOOK_HEADER_SECRETS_FILE .*\(ENOENT\)$/,
    ],
    ['an empty file', { WEBHOOK_OAUTH_CLIENTS_FILE: fileOf('empty', '\n') }, /^WEBHOOK_OAUTH_CLIENTS_FILE is empty$/],
    [
      'both forms',
      { WEBHOOK_HEADER_SECRETS: SECRET, WEBHOOK_HEADER_SECRETS_FILE: fileOf('one', SECRET) },
      /exclude each other$/,
    ],
    [
      'the same path for deliveries and tokens',
      { WEBHOOK_HEADER_SECRETS: SECRET, WEBHOOK_PATH: '/a', WEBHOOK_TOKEN_PATH: '/a' },
      /^WEBHOOK_TOKEN_PATH must differ/,
    ],
    [
      'secrets together with WEBHOOK_ALLOW_UNAUTHENTICATED',
      { WEBHOOK_HEADER_SECRETS: SECRET, WEBHOOK_ALLOW_UNAUTHENTICATED: 'true' },
      /^WEBHOOK_ALLOW_UNAUTHENTICATED and secrets exclude each other/,
    ],
  ])('refuses %s', (_, env, problem) => {
    expect(problems(env)).toEqual([expect.stringMatching(problem)]);
  });

  it('returns a frozen object', () => {
    expect(Object.isFrozen(readWebhookConfig({ WEBHOOK_HEADER_SECRETS: SECRET }))).toBe(true);
  });

  it('has the defaults that docs/webhooks.md names', () => {
    const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');
    const defaultOf = (name: string) => new RegExp(`^\\| \`${name}\` +\\| \`(.+?)\``, 'm').exec(page)?.[1];
    const { host, port } = readWebhookConfig({ WEBHOOK_HEADER_SECRETS: SECRET });
    expect(defaultOf('WEBHOOK_HOST')).toBe(host);
    expect(defaultOf('WEBHOOK_PORT')).toBe(String(port));
    expect(defaultOf('WEBHOOK_PATH')).toBe(WEBHOOK_DEFAULTS.path);
    expect(defaultOf('WEBHOOK_TOKEN_PATH')).toBe(WEBHOOK_DEFAULTS.tokenPath);
    const { receiver } = readWebhookConfig({
      WEBHOOK_OAUTH_CLIENTS: `incode:${SECRET}`,
      WEBHOOK_TOKEN_TTL: String(defaultOf('WEBHOOK_TOKEN_TTL')),
      WEBHOOK_MAX_BODY: String(defaultOf('WEBHOOK_MAX_BODY')),
      WEBHOOK_HEADERS_TIMEOUT: String(defaultOf('WEBHOOK_HEADERS_TIMEOUT')),
      WEBHOOK_BODY_TIMEOUT: String(defaultOf('WEBHOOK_BODY_TIMEOUT')),
      WEBHOOK_NOTIFY_TIMEOUT: String(defaultOf('WEBHOOK_NOTIFY_TIMEOUT')),
    });
    const { path: _path, tokenPath: _tokenPath, tokenTtlMs, ...limits } = WEBHOOK_DEFAULTS;
    expect(receiver).toMatchObject({ ...limits, oauth: { tokenTtlMs } });
  });
});
