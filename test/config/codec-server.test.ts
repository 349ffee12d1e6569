import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, readCodecServerConfig } from '../../src/config/index.js';

const TEMPORAL_INCODE_ENCRYPTION_KEYS = `one:${Buffer.alloc(32, 5).toString('base64')}`;
const REQUIRED = { TEMPORAL_INCODE_ENCRYPTION_KEYS, CODEC_SERVER_TOKENS: 'sixteen-and-more-1' };

function problems(env: Record<string, string>): readonly string[] {
  try {
    readCodecServerConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const NO_TOKENS = /^CODEC_SERVER_TOKENS or CODEC_SERVER_TOKENS_FILE is required.*read every payload$/;

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('readCodecServerConfig', () => {
  it('has a default for everything except keys and tokens', () => {
    for (const [name, value] of Object.entries(REQUIRED)) vi.stubEnv(name, value);
    const config = readCodecServerConfig();
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8_089, origins: [] });
    expect(config.keys.writing().id).toBe('one');
    expect(config.tokens()).toEqual(['sixteen-and-more-1']);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('reads every variable', () => {
    const config = readCodecServerConfig({
      ...REQUIRED,
      CODEC_SERVER_HOST: '0.0.0.0',
      CODEC_SERVER_PORT: '9000',
      CODEC_SERVER_TOKENS: 'sixteen-and-more-1, sixteen-and-more-2',
      CODEC_SERVER_ORIGINS: 'https://temporal.example, http://localhost:8233,',
    });
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 9_000,
      origins: ['https://temporal.example', 'http://localhost:8233'],
    });
    expect(config.tokens()).toEqual(['sixteen-and-more-1', 'sixteen-and-more-2']);
  });

  it.each([
    ['temporal.example', 'it is not a URL'],
    ['https://temporal.example/', 'it has a path'],
    ['ftp://temporal.example', 'it is not a web page'],
    ['*', 'it allows every page'],
  ])('refuses the origin %s, because %s', (origin) => {
    expect(problems({ ...REQUIRED, CODEC_SERVER_ORIGINS: `https://good.example,${origin}` })).toEqual([
      `CODEC_SERVER_ORIGINS must be origins such as https://temporal.example, not "${origin}"`,
    ]);
  });

  it.each<[string, Record<string, string>, RegExp[]]>([
    ['an empty environment', {}, [/^TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE or .* is required$/, NO_TOKENS]],
    ['missing tokens', { TEMPORAL_INCODE_ENCRYPTION_KEYS }, [NO_TOKENS]],
    ['a token that is too short', { ...REQUIRED, CODEC_SERVER_TOKENS: 'short' }, [/^CODEC_SERVER_TOKENS must each/]],
    ['invalid keys', { ...REQUIRED, TEMPORAL_INCODE_ENCRYPTION_KEYS: 'x' }, [/^Encryption key 1 of 1/]],
  ])('reports each problem once for %s', (_, env, expected) => {
    expect(problems(env)).toEqual(expected.map((problem) => expect.stringMatching(problem)));
  });
});
