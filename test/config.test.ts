import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.js';

const REQUIRED = { INCODE_BASE_URL: 'https://demo-api.incodesmile.com', INCODE_API_KEY: 'secret-key' };

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('has a default for everything but the URL and the key', () => {
    expect(readConfig(REQUIRED)).toMatchObject({
      baseUrl: 'https://demo-api.incodesmile.com',
      apiKey: 'secret-key',
      configurationId: null,
      timeoutMs: 10_000,
      finishTimeoutMs: 35_000,
      connections: 64,
      settleTimeMs: 30_000,
      namespace: 'default',
      taskQueue: 'incode-onboarding',
      nexusTaskQueue: null,
      maxCachedWorkflows: 300,
      shutdownGraceMs: 20_000,
      logLevel: 'info',
    });
  });

  it('names every wrong variable at once', () => {
    const wrong = {
      INCODE_BASE_URL: 'ftp://incode.example',
      INCODE_TIMEOUT: '31s',
      INCODE_FINISH_TIMEOUT: 'soon',
      INCODE_CONNECTIONS: '0',
      INCODE_SETTLE_TIME: '-1s',
      WORKER_MAX_CACHED_WORKFLOWS: '1.5',
      WORKER_SHUTDOWN_GRACE: '1h',
      LOG_LEVEL: 'loud',
      HTTPS_PROXY: 'proxy.example:3128',
      HTTP_PROXY: 'socks5://proxy.example',
    };
    const expected = ['INCODE_API_KEY', ...Object.keys(wrong)].sort();
    expect(
      problems(wrong)
        .map((problem) => problem.split(' ')[0])
        .sort(),
    ).toEqual(expected);
  });

  it('takes an empty variable as not set', () => {
    expect(readConfig({ ...REQUIRED, INCODE_CONFIGURATION_ID: ' ', LOG_LEVEL: '' })).toMatchObject({
      configurationId: null,
      logLevel: 'info',
    });
  });

  it.each(['https://user:pass-word@incode.example', 'https://incode.example?key=pass-word'])(
    'never repeats what may be a credential: %s',
    (url) => {
      expect(problems({ ...REQUIRED, INCODE_BASE_URL: url }).join()).toMatch(/^INCODE_BASE_URL(?!.*pass-word)/);
    },
  );

  it('refuses a key with a line break without repeating it', () => {
    expect(problems({ ...REQUIRED, INCODE_API_KEY: 'two\nlines' })).toEqual([
      'INCODE_API_KEY must be printable ASCII without spaces',
    ]);
  });

  it("takes Temporal's own variables", () => {
    const config = readConfig({ ...REQUIRED, TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'kyc' });
    expect(config.namespace).toBe('kyc');
    expect(config.temporal.connectionOptions.address).toBe('temporal.example:7233');
  });

  it('takes proxy variables in either case', () => {
    expect(readConfig({ ...REQUIRED, https_proxy: 'http://proxy.example:3128', NO_PROXY: 'localhost' }).proxy).toEqual({
      httpsProxy: 'http://proxy.example:3128',
      noProxy: 'localhost',
    });
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readConfig(REQUIRED))).toBe(true);
  });
});
