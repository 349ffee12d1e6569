import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { parseGatewayTokens } from '../../src/config/gateway-tokens.js';
import { ConfigError, readGatewayConfig } from '../../src/config/index.js';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-gateway-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.useRealTimers());

function fileOf(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

const HASH = 'a'.repeat(64);
const OTHER_HASH = 'b'.repeat(64);
const TOKENS = fileOf('tokens', `support read sha256:${HASH}\n`);
const CERT = fileOf('cert.pem', '-----BEGIN CERTIFICATE-----\n');
const KEY = fileOf('key.pem', '-----BEGIN PRIVATE KEY-----\n');

function problems(env: Record<string, string>): readonly string[] {
  try {
    readGatewayConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readGatewayConfig', () => {
  it('listens on this machine only, without tokens, if nothing is set', () => {
    expect(readGatewayConfig({})).toEqual({
      host: '127.0.0.1',
      port: 8_090,
      tokens: null,
      tls: null,
      requestsPerSecond: 200,
      maxConnections: 1_000,
      metricsAddress: null,
      logLevel: 'info',
    });
  });

  it('reads every variable', () => {
    const config = readGatewayConfig({
      GATEWAY_HOST: '0.0.0.0',
      GATEWAY_PORT: '9000',
      GATEWAY_TOKENS_FILE: TOKENS,
      GATEWAY_TLS_CERT_FILE: CERT,
      GATEWAY_TLS_KEY_FILE: KEY,
      GATEWAY_REQUESTS_PER_SECOND: '5',
      GATEWAY_MAX_CONNECTIONS: '10',
      GATEWAY_METRICS_ADDRESS: '127.0.0.1:9466',
      LOG_LEVEL: 'debug',
    });
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 9_000,
      requestsPerSecond: 5,
      maxConnections: 10,
      metricsAddress: { host: '127.0.0.1', port: 9_466 },
      logLevel: 'debug',
    });
    expect(config.tokens?.()).toEqual([{ name: 'support', scopes: ['read'], sha256: HASH }]);
    expect(config.tls?.()).toEqual({
      cert: '-----BEGIN CERTIFICATE-----\n',
      key: '-----BEGIN PRIVATE KEY-----\n',
    });
  });

  it('requires tokens and TLS if other machines reach it', () => {
    expect(problems({ GATEWAY_HOST: '0.0.0.0' })).toEqual([
      'GATEWAY_TOKENS_FILE is required: GATEWAY_HOST=0.0.0.0 is reachable from other machines',
      'GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE are required: GATEWAY_HOST=0.0.0.0 is reachable from other machines. ' +
        'If a proxy before it ends TLS, set GATEWAY_ALLOW_PLAINTEXT=true',
    ]);
  });

  it.each(['localhost', '::1', '127.0.0.2'])('requires neither on %s', (GATEWAY_HOST) => {
    expect(problems({ GATEWAY_HOST })).toEqual([]);
  });

  it('accepts plain HTTP on request, but never without tokens', () => {
    const env = { GATEWAY_HOST: '::', GATEWAY_ALLOW_PLAINTEXT: 'true' };
    expect(problems({ ...env, GATEWAY_TOKENS_FILE: TOKENS })).toEqual([]);
    expect(problems(env)).toEqual([expect.stringContaining('GATEWAY_TOKENS_FILE is required')]);
  });

  it('names every wrong variable at once', () => {
    const found = problems({
      GATEWAY_PORT: 'many',
      GATEWAY_TOKENS_FILE: join(directory, 'none'),
      GATEWAY_TLS_CERT_FILE: join(directory, 'none'),
      GATEWAY_TLS_KEY_FILE: TOKENS,
      GATEWAY_REQUESTS_PER_SECOND: '0',
      GATEWAY_MAX_CONNECTIONS: '-1',
      GATEWAY_METRICS_ADDRESS: 'here',
      GATEWAY_ALLOW_PLAINTEXT: 'perhaps',
      LOG_LEVEL: 'loud',
    });
    expect(found.map((problem) => /^\w+/.exec(problem)?.[0])).toEqual([
      'GATEWAY_PORT',
      'GATEWAY_TOKENS_FILE',
      'GATEWAY_TLS_CERT_FILE',
      'GATEWAY_TLS_KEY_FILE',
      'GATEWAY_REQUESTS_PER_SECOND',
      'GATEWAY_MAX_CONNECTIONS',
      'GATEWAY_METRICS_ADDRESS',
      'LOG_LEVEL',
      'GATEWAY_ALLOW_PLAINTEXT',
    ]);
  });

  it.each([{ GATEWAY_TLS_CERT_FILE: CERT }, { GATEWAY_TLS_KEY_FILE: KEY }])('refuses one TLS file alone: %j', (env) => {
    expect(problems(env as Record<string, string>)).toEqual([
      'GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE belong together',
    ]);
  });

  it('follows a certificate that is replaced', () => {
    vi.useFakeTimers();
    const cert = fileOf('renewed.pem', '-----BEGIN one');
    const { tls } = readGatewayConfig({ GATEWAY_TLS_CERT_FILE: cert, GATEWAY_TLS_KEY_FILE: KEY });
    writeFileSync(cert, '-----BEGIN two');
    vi.advanceTimersByTime(5_000);
    expect(tls?.().cert).toBe('-----BEGIN two');
  });

  it('gives nobody access after the last token was removed from the file', () => {
    vi.useFakeTimers();
    const file = fileOf('revoked', `support read sha256:${HASH}\n`);
    const { tokens } = readGatewayConfig({ GATEWAY_TOKENS_FILE: file });
    writeFileSync(file, '# nobody\n');
    vi.advanceTimersByTime(5_000);
    expect(tokens?.()).toEqual([]);
  });
});

describe('parseGatewayTokens', () => {
  it('reads one token a line, and ignores comments and empty lines', () => {
    const text = `# callers\n\nsupport read sha256:${HASH}\r\n  billing\tstart,operate  sha256:${OTHER_HASH}\n`;
    expect(parseGatewayTokens(text)).toEqual([
      { name: 'support', scopes: ['read'], sha256: HASH },
      { name: 'billing', scopes: ['start', 'operate'], sha256: OTHER_HASH },
    ]);
  });

  it.each([
    ['a token in place of its hash', 'support read tig_the-token-itself'],
    ['a missing scope', `support sha256:${HASH}`],
    ['a name with a colon', `a:b read sha256:${HASH}`],
    ['a hash that is too short', `support read sha256:${HASH.slice(1)}`],
    ['more on the line', `support read sha256:${HASH} tig_the-token-itself`],
  ])('refuses %s, and does not repeat the line', (_, line) => {
    expect(() => parseGatewayTokens(`# first\n${line}`)).toThrow(
      'GATEWAY_TOKENS_FILE, line 2: must be a name, scopes and sha256:…, as gateway --new-token prints it',
    );
  });

  it('refuses an unknown scope', () => {
    expect(() => parseGatewayTokens(`support read,admin sha256:${HASH}`)).toThrow(
      'GATEWAY_TOKENS_FILE, line 1: the scopes must be among read, start, operate',
    );
  });

  it.each(['', '# nobody\n'])('refuses a file without a token: %j', (text) => {
    expect(() => parseGatewayTokens(text)).toThrow('GATEWAY_TOKENS_FILE has no token');
  });
});
