import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ConfigError,
  isExecutiveConfigured,
  isIncodeConfigured,
  namedSecretFiles,
  rateLimitEnvironment,
  readConfig,
  readIncodeConfig,
  readVerifyConfig,
  withoutTemporalAddress,
} from '../../src/config/index.js';

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
  it('has a default for everything except the URL and the key', () => {
    expect(readConfig(REQUIRED)).toMatchObject({
      baseUrl: 'https://demo-api.incodesmile.com',
      configurationId: null,
      timeoutMs: 10_000,
      finishTimeoutMs: 35_000,
      connections: 64,
      settleTimeMs: 30_000,
      confirmFinishWithinMs: 900_000,
      namespace: 'default',
      taskQueue: 'incode-onboarding',
      nexusTaskQueue: null,
      maxCachedWorkflows: 300,
      workflowTasks: 5,
      bulkActivities: 4,
      bulkCachedWorkflows: 32,
      shutdownGraceMs: 20_000,
      metricsAddress: null,
      logLevel: 'info',
    });
    expect(readConfig(REQUIRED).apiKey()).toBe('secret-key');
  });

  it('names all invalid variables at once', () => {
    const wrong = {
      INCODE_BASE_URL: 'ftp://incode.example',
      INCODE_TIMEOUT: '31s',
      INCODE_FINISH_TIMEOUT: 'soon',
      INCODE_CONNECTIONS: '0',
      INCODE_SETTLE_TIME: '-1s',
      WORKER_MAX_CACHED_WORKFLOWS: '1.5',
      WORKER_WORKFLOW_TASKS: '1',
      WORKER_SHUTDOWN_GRACE: '1h',
      WORKER_METRICS_ADDRESS: '9464',
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

  describe('executive user', () => {
    it('no executive user is configured by default', () => {
      expect(readConfig(REQUIRED).executive).toBeNull();
    });

    it('reads an e-mail address and a password, and hides the password when printed', () => {
      const login = { INCODE_EXECUTIVE_EMAIL: 'kyc@example.com', INCODE_EXECUTIVE_PASSWORD: 'hush hush, please' };
      const config = readConfig({ ...REQUIRED, ...login });
      expect(config.executive).toMatchObject({ email: 'kyc@example.com', password: expect.any(Function) });
      expect((config.executive as { password: () => string }).password()).toBe('hush hush, please');
      expect(JSON.stringify(config) + inspect(config)).not.toContain('hush');
    });

    it('reads a token instead', () => {
      const { executive } = readConfig({ ...REQUIRED, INCODE_EXECUTIVE_TOKEN: 'executive-token' });
      expect((executive as { token: () => string }).token()).toBe('executive-token');
    });

    it.each([
      [{ INCODE_EXECUTIVE_EMAIL: 'kyc@example.com' }, /belong together/],
      [{ INCODE_EXECUTIVE_PASSWORD: 'hush-hush' }, /belong together/],
      [{ INCODE_EXECUTIVE_TOKEN: 'executive', INCODE_EXECUTIVE_EMAIL: 'kyc@example.com' }, /exclude each other/],
      [{ INCODE_EXECUTIVE_PASSWORD_FILE: '/nowhere', INCODE_EXECUTIVE_EMAIL: 'kyc@example.com' }, /cannot be read/],
    ])('refuses an incomplete or contradictory configuration: %j', (env, problem) => {
      expect(problems({ ...REQUIRED, ...env })).toEqual([expect.stringMatching(problem)]);
    });
  });

  it('accepts http only for this machine, or with INCODE_ALLOW_PLAIN_HTTP', () => {
    const http = { ...REQUIRED, INCODE_BASE_URL: 'http://incode.example' };
    expect(problems(http)).toEqual([
      expect.stringMatching(/^INCODE_BASE_URL must be https: .*INCODE_ALLOW_PLAIN_HTTP=true/),
    ]);
    expect(() => readIncodeConfig(http)).toThrow('INCODE_ALLOW_PLAIN_HTTP');
    expect(readConfig({ ...http, INCODE_ALLOW_PLAIN_HTTP: 'true' })).toMatchObject({ allowPlainHttp: true });
    expect(readConfig({ ...http, INCODE_BASE_URL: 'http://127.0.0.1:4010' })).toMatchObject({ allowPlainHttp: false });
  });

  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9_464 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:9464', { host: '::1', port: 9_464 }],
    [':9464', undefined],
    ['::1:9464', undefined],
    ['127.0.0.1:65536', undefined],
    ['http://127.0.0.1:9464', undefined],
  ])('reads WORKER_METRICS_ADDRESS %s as %j', (value, address) => {
    const env = { ...REQUIRED, WORKER_METRICS_ADDRESS: value };
    if (address) expect(readConfig(env).metricsAddress).toEqual(address);
    else
      expect(problems(env)).toEqual([
        `WORKER_METRICS_ADDRESS must be a host and port such as 127.0.0.1:9464, not "${value}"`,
      ]);
  });

  it('treats an empty variable as not set', () => {
    expect(readConfig({ ...REQUIRED, INCODE_CONFIGURATION_ID: ' ', LOG_LEVEL: '' })).toMatchObject({
      configurationId: null,
      logLevel: 'info',
    });
  });

  it.each(['https://user:pass-word@incode.example', 'https://incode.example?key=pass-word'])(
    'refuses a base URL with credentials without repeating them: %s',
    (url) => {
      expect(problems({ ...REQUIRED, INCODE_BASE_URL: url }).join()).toMatch(/^INCODE_BASE_URL(?!.*pass-word)/);
    },
  );

  it('refuses an API key with a line break without repeating it', () => {
    expect(problems({ ...REQUIRED, INCODE_API_KEY: 'two\nlines' })).toEqual([
      'INCODE_API_KEY must be printable ASCII without spaces',
    ]);
  });

  it("reads Temporal's own variables", () => {
    const temporal = { TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'kyc' };
    const config = readConfig({ ...REQUIRED, ...temporal, TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true' });
    expect(config.namespace).toBe('kyc');
    expect(config.temporal.connectionOptions.address).toBe('temporal.example:7233');
  });

  it('requires encryption keys where encryption is required, and refuses a contradiction', () => {
    const required = { ...REQUIRED, TEMPORAL_INCODE_REQUIRE_ENCRYPTION: 'true' };
    expect(problems(required)).toEqual([expect.stringContaining('there are no encryption keys')]);
    expect(problems({ ...required, TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true' })).toHaveLength(1);
    expect(problems({ ...REQUIRED, TEMPORAL_INCODE_REQUIRE_ENCRYPTION: 'yes' })).toHaveLength(1);
    const TEMPORAL_INCODE_ENCRYPTION_KEYS = `one:${Buffer.alloc(32, 1).toString('base64')}`;
    expect(readConfig({ ...required, TEMPORAL_INCODE_ENCRYPTION_KEYS }).requireEncryption).toBe(true);
    expect(readConfig(REQUIRED).requireEncryption).toBe(false);
  });

  it.each(['temporal.example:7233', '10.0.0.7:7233', '[2001:db8::1]:7233'])(
    'refuses the Temporal address %s without encryption keys',
    (address) => {
      const elsewhere = { ...REQUIRED, TEMPORAL_ADDRESS: address };
      expect(problems(elsewhere)).toEqual([expect.stringContaining(`Temporal server at ${address} in clear text`)]);
      expect(problems({ ...elsewhere, TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'no' })).toHaveLength(1);
      const TEMPORAL_INCODE_ENCRYPTION_KEYS = `one:${Buffer.alloc(32).toString('base64')}`;
      expect(readConfig({ ...elsewhere, TEMPORAL_INCODE_ENCRYPTION_KEYS }).encryptionKeys?.writing().id).toBe('one');
    },
  );

  it('does not treat 127.evil.example as this machine', () => {
    expect(problems({ ...REQUIRED, TEMPORAL_ADDRESS: '127.evil.example:7233' })).toHaveLength(1);
  });

  it.each(['localhost:7233', '127.0.0.1:7233', '[::1]:7233'])('needs no encryption keys for %s', (address) => {
    expect(readConfig({ ...REQUIRED, TEMPORAL_ADDRESS: address }).encryptionKeys).toBeNull();
  });

  it.each([
    ['TEMPORAL_ADDRESS', 'https://user:hush-hush@temporal.example:7233', 'without credentials'],
    ['TEMPORAL_API_KEY', 'hush-hush\nhush-hush', 'cannot be sent'],
    ['TEMPORAL_GRPC_META_X_TEAM', 'hush-hush\nhush-hush', 'x-team contains a character that cannot be sent'],
    ['HTTPS_PROXY', 'http://user:hush-hush%@proxy.example:3128', 'as "%25"'],
    ['HTTP_PROXY', 'http://hush-hush%zz:word@proxy.example:3128', 'as "%25"'],
  ])('refuses an invalid %s without repeating its value', (name, value, problem) => {
    const found = problems({ ...REQUIRED, [name]: value });
    expect(found).toEqual([expect.stringContaining(problem)]);
    expect(found.join()).not.toContain('hush-hush');
  });

  it('refuses invalid encryption keys without repeating them', () => {
    const TEMPORAL_INCODE_ENCRYPTION_KEYS = 'c2VjcmV0LWtleS1ieXRlcw==';
    const [problem] = problems({ ...REQUIRED, TEMPORAL_INCODE_ENCRYPTION_KEYS });
    expect(problem).toContain('key 1 of 1 must be written as id:base64');
    expect(problem).not.toContain(TEMPORAL_INCODE_ENCRYPTION_KEYS);
    const both = { TEMPORAL_INCODE_ENCRYPTION_KEYS, TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE: '/nowhere' };
    expect(problems({ ...REQUIRED, ...both })).toEqual([expect.stringContaining('exclude each other')]);
  });

  it('reads proxy variables in upper and lower case', () => {
    expect(readConfig({ ...REQUIRED, https_proxy: 'http://proxy.example:3128', NO_PROXY: 'localhost' }).proxy).toEqual({
      httpsProxy: 'http://proxy.example:3128',
      noProxy: 'localhost',
    });
  });

  it('returns a frozen object', () => {
    expect(Object.isFrozen(readConfig(REQUIRED))).toBe(true);
  });
});

describe('default environment', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is the environment of the process for all readers of configuration', () => {
    vi.stubEnv('INCODE_BASE_URL', 'https://of-the-process.example');
    vi.stubEnv('INCODE_API_KEY', 'secret-key');
    expect(readConfig().baseUrl).toBe('https://of-the-process.example');
    expect(readIncodeConfig().baseUrl).toBe('https://of-the-process.example');
    expect(readVerifyConfig().baseUrl).toBe('https://of-the-process.example');
    expect(isIncodeConfigured()).toBe(true);
    expect(isExecutiveConfigured()).toBe(false);
    vi.stubEnv('INCODE_EXECUTIVE_TOKEN', 'token');
    expect(isExecutiveConfigured()).toBe(true);
    vi.stubEnv('INCODE_API_KEY_FILE', '/run/key');
    expect(namedSecretFiles()).toContainEqual(['INCODE_API_KEY_FILE', '/run/key']);
  });
});

describe('withoutTemporalAddress', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('keeps every other variable, by default of the environment of the process', () => {
    expect(withoutTemporalAddress({ ...REQUIRED, TEMPORAL_ADDRESS: 'temporal.example:7233' })).toEqual(REQUIRED);
    vi.stubEnv('TEMPORAL_ADDRESS', 'temporal.example:7233');
    expect(withoutTemporalAddress()).not.toHaveProperty('TEMPORAL_ADDRESS');
    expect(withoutTemporalAddress().PATH).toBe(process.env.PATH);
  });
});

describe('rateLimitEnvironment', () => {
  it('has the rate limits that are set, and no secret', () => {
    const limits = { INCODE_RATE_LIMIT: '5', INCODE_FACE_RATE_LIMIT: '2', INCODE_RATE_LIMIT_PER_ENDPOINT: 'true' };
    expect(rateLimitEnvironment({ ...REQUIRED, ...limits, INCODE_DOCUMENT_RATE_LIMIT: '' })).toEqual(limits);
  });
});

describe('readIncodeConfig', () => {
  it('needs only what reaches Incode, and ignores invalid variables otherwise', () => {
    expect(readIncodeConfig({ ...REQUIRED, LOG_LEVEL: 'loud' })).toMatchObject({ timeoutMs: 10_000, proxy: {} });
  });

  it('names the invalid variables that it needs', () => {
    const read = () => readIncodeConfig({ INCODE_TIMEOUT: '1h' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/INCODE_BASE_URL is required(.|\n)*INCODE_API_KEY is required(.|\n)*INCODE_TIMEOUT must be/);
  });
});

describe('readVerifyConfig', () => {
  it('needs only what reaches Incode, and also reads the finish timeout and the settle time', () => {
    expect(readVerifyConfig({ ...REQUIRED, LOG_LEVEL: 'loud' })).toMatchObject({
      configurationId: null,
      finishTimeoutMs: 35_000,
      settleTimeMs: 30_000,
    });
    expect(readVerifyConfig({ ...REQUIRED, INCODE_CONFIGURATION_ID: 'flow-1' }).configurationId).toBe('flow-1');
  });

  it('names the invalid variables that it needs', () => {
    const read = () => readVerifyConfig({ ...REQUIRED, INCODE_SETTLE_TIME: '1h' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow('INCODE_SETTLE_TIME must be');
  });
});

it('namedSecretFiles lists the files that our variables name', () => {
  const env = {
    INCODE_API_KEY_FILE: ' /run/key ',
    WEBHOOK_HEADER_SECRETS_FILE: '/run/secrets',
    INCODE_EXECUTIVE_PASSWORD_FILE: ' ',
    CODEC_SERVER_TOKENS_FILE: undefined,
    INCODE_API_KEY: 'key',
    OTHER_FILE: '/run/other',
  };
  expect(namedSecretFiles(env)).toEqual([
    ['INCODE_API_KEY_FILE', '/run/key'],
    ['WEBHOOK_HEADER_SECRETS_FILE', '/run/secrets'],
  ]);
});

it.each([
  [{}, false],
  [{ INCODE_BASE_URL: '', LOG_LEVEL: 'info' }, false],
  [{ INCODE_BASE_URL: 'https://incode.example' }, true],
  [{ INCODE_API_KEY: 'key' }, true],
  [{ INCODE_API_KEY_FILE: '/run/key' }, true],
])('isIncodeConfigured for %j is %s', (env, expected) => {
  expect(isIncodeConfigured(env)).toBe(expected);
});

it.each([
  [{}, false],
  [{ INCODE_EXECUTIVE_TOKEN_FILE: '', INCODE_API_KEY: 'key' }, false],
  [{ INCODE_EXECUTIVE_TOKEN_FILE: '/run/token' }, true],
  [{ INCODE_EXECUTIVE_TOKEN: 'token' }, true],
  [{ INCODE_EXECUTIVE_EMAIL: 'kyc@example.com' }, true],
])('isExecutiveConfigured for %j is %s', (env, expected) => {
  expect(isExecutiveConfigured(env)).toBe(expected);
});
