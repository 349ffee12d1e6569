import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { loadTemporalConfig, rememberAddress, rememberedAddress } from '../../src/temporal/environment.js';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-profile-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

function profile(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const good = profile('good.toml', '[profile.default]\naddress = "temporal.example:7233"\nnamespace = "kyc"\n');

describe('loadTemporalConfig', () => {
  it('reads the profile file, and prefers variables over it', () => {
    const { connectionOptions, namespace } = loadTemporalConfig({
      TEMPORAL_CONFIG_FILE: good,
      TEMPORAL_NAMESPACE: 'other',
      TEMPORAL_GRPC_META_TENANT: 'kyc',
    });
    expect([connectionOptions.address, namespace]).toEqual(['temporal.example:7233', 'other']);
  });

  it('reads the environment of the process by default', () => {
    vi.stubEnv('TEMPORAL_CONFIG_FILE', good);
    expect(loadTemporalConfig().namespace).toBe('kyc');
  });

  it('names the line of a mistake in the profile file and does not quote it', () => {
    const path = profile('broken.toml', '[profile.default]\napi_key = "secret-of-the-cloud\naddress = "x:1"\n');
    const load = () => loadTemporalConfig({ TEMPORAL_CONFIG_FILE: path });
    expect(load).toThrow(/\(line 2, column \d+\)$/);
    expect(load).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret-of') }));
  });

  it.each([
    ['TEMPORAL_API_KEY', 'secret-of-the-cloud\n', 'the API key'],
    ['TEMPORAL_GRPC_META_TENANT', 'secret-of-the-cloud\n', 'metadata tenant'],
    ['TEMPORAL_ADDRESS', 'user:secret-of-the-cloud@example:1', 'the address'],
  ])('refuses an invalid %s without repeating its value', (name, value, what) => {
    const load = () => loadTemporalConfig({ [name]: value });
    expect(load).toThrow(what);
    expect(load).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret-of') }));
  });

  it('reads the API key from TEMPORAL_API_KEY_FILE, and again when the file changes', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const file = profile('api-key', 'first-key-of-the-cloud\n');
    const { apiKey, tls } = loadTemporalConfig({ TEMPORAL_API_KEY_FILE: file }).connectionOptions;
    const current = apiKey as () => string;
    expect([current(), tls]).toEqual(['first-key-of-the-cloud', true]);
    writeFileSync(file, 'second-key-of-the-cloud');
    vi.setSystemTime(Date.now() + 5_000);
    expect(current()).toBe('second-key-of-the-cloud');
    vi.useRealTimers();
  });

  it.each([
    ['both an API key and its file', { TEMPORAL_API_KEY: 'key', TEMPORAL_API_KEY_FILE: good }, 'exclude each other'],
    ['a missing file', { TEMPORAL_API_KEY_FILE: join(directory, 'none') }, 'cannot be read (ENOENT)'],
    ['an empty file', { TEMPORAL_API_KEY_FILE: profile('empty-key', '\n') }, 'names an empty file'],
    ['a line break within', { TEMPORAL_API_KEY_FILE: profile('two', 'secret-of-a\nb') }, 'cannot be sent'],
  ])('refuses %s without repeating the key', (_, env, message) => {
    expect(() => loadTemporalConfig(env)).toThrow(message);
    expect(() => loadTemporalConfig(env)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret-of') }),
    );
  });

  it('names a profile that does not exist', () => {
    const load = () => loadTemporalConfig({ TEMPORAL_CONFIG_FILE: good, TEMPORAL_PROFILE: 'nowhere' });
    expect(load).toThrow(/nowhere/);
    expect(load).toThrow(expect.not.objectContaining({ message: expect.stringContaining('line undefined') }));
  });
});

it('rememberedAddress returns the address that was remembered for a connection', () => {
  const [known, unknown] = [{}, {}];
  rememberAddress(known, '192.0.2.1:7233');
  expect([rememberedAddress(known), rememberedAddress(unknown)]).toEqual(['192.0.2.1:7233', undefined]);
});
