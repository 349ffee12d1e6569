import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, readCodecServerConfig, readConfig, readWebhookConfig } from '../../src/config/index.js';
import { createRegistry } from '../../src/monitoring/registry.js';
import { wrongSecretFiles } from '../../src/secrets/index.js';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-files-'));
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

let files = 0;
function fileOf(text: string): string {
  files += 1;
  const path = join(directory, String(files));
  writeFileSync(path, text);
  return path;
}

/** Replaces the file atomically, as a mounted secret changes. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const BASE = { INCODE_BASE_URL: 'https://demo-api.incodesmile.com' };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig({ ...BASE, ...env });
  } catch (error) {
    return (error as ConfigError).problems;
  }
  return [];
}

describe('INCODE_API_KEY_FILE', () => {
  it('reads the key without surrounding white space', () => {
    expect(readConfig({ ...BASE, INCODE_API_KEY_FILE: fileOf('\n key-of-incode \r\n') }).apiKey()).toBe(
      'key-of-incode',
    );
  });

  it('reads the file again within five seconds after a change, and at once if its key was refused', () => {
    const path = fileOf('key-of-january\n');
    const { apiKey } = readConfig({ ...BASE, INCODE_API_KEY_FILE: path });
    replace(path, 'key-of-february\n');
    expect(apiKey()).toBe('key-of-january');
    vi.advanceTimersByTime(5_000);
    expect(apiKey()).toBe('key-of-february');
    replace(path, 'key-of-march\n');
    utimesSync(path, 1, 1);
    expect(apiKey('key-of-february')).toBe('key-of-march');
    // Written in place, with the same length and the same time of change.
    writeFileSync(path, 'key-of-avril\n');
    utimesSync(path, 1, 1);
    expect(apiKey('key-of-march')).toBe('key-of-avril');
  });

  it('reads the file again when Kubernetes replaces the target of its link', () => {
    const mounted = mkdtempSync(join(directory, 'mounted-'));
    const swap = (version: string, key: string) => {
      mkdirSync(join(mounted, version));
      writeFileSync(join(mounted, version, 'api-key'), key);
      symlinkSync(version, join(mounted, '..data.new'));
      renameSync(join(mounted, '..data.new'), join(mounted, '..data'));
    };
    swap('..1', 'key-of-january');
    symlinkSync(join('..data', 'api-key'), join(mounted, 'api-key'));
    const { apiKey } = readConfig({ ...BASE, INCODE_API_KEY_FILE: join(mounted, 'api-key') });
    expect(apiKey()).toBe('key-of-january');
    swap('..2', 'key-of-february');
    rmSync(join(mounted, '..1'), { recursive: true });
    expect(apiKey('key-of-january')).toBe('key-of-february');
  });

  it('keeps the last key in use while the file is half written', () => {
    const path = fileOf('key-of-january\n');
    const { apiKey } = readConfig({ ...BASE, INCODE_API_KEY_FILE: path }, () => undefined);
    writeFileSync(path, '');
    expect(apiKey('x')).toBe('key-of-january');
    // Half a key looks like a key. Incode refuses it, so the file is read again.
    writeFileSync(path, 'key-of-');
    expect(apiKey('x')).toBe('key-of-');
    writeFileSync(path, 'key-of-february\n');
    expect(apiKey('key-of-')).toBe('key-of-february');
  });

  it('keeps the last key in use when the file becomes invalid, and warns once', () => {
    const path = fileOf('key-of-january');
    const warnings: string[] = [];
    const { apiKey } = readConfig({ ...BASE, INCODE_API_KEY_FILE: path }, (warning) => warnings.push(warning));
    replace(path, 'two keys');
    expect([apiKey('x'), apiKey('x')]).toEqual(['key-of-january', 'key-of-january']);
    rmSync(path);
    expect([apiKey('x'), apiKey('x')]).toEqual(['key-of-january', 'key-of-january']);
    const kept = 'The last valid value stays in use.';
    expect(warnings).toEqual([
      `INCODE_API_KEY_FILE must be printable ASCII without spaces. ${kept}`,
      `INCODE_API_KEY_FILE names a file that cannot be read (ENOENT). ${kept}`,
    ]);
    replace(path, 'key-of-february');
    expect(apiKey('x')).toBe('key-of-february');
    replace(path, '');
    apiKey('x');
    expect(warnings).toHaveLength(3);
  });

  it('emits a process warning when the file becomes invalid and there is no callback', async () => {
    const path = fileOf('key-of-january');
    const { apiKey } = readConfig({ ...BASE, INCODE_API_KEY_FILE: path });
    const warned = new Promise<Error>((resolve) => {
      process.on('warning', function listener(warning) {
        if (warning.name !== 'SecretFileWarning') return;
        process.off('warning', listener);
        resolve(warning);
      });
    });
    rmSync(path);
    apiKey('x');
    expect(await warned).toMatchObject({ name: 'SecretFileWarning', message: expect.stringContaining('ENOENT') });
  });

  it.each([
    ['does not exist', { INCODE_API_KEY_FILE: join(directory, 'none') }, /^INCODE_API_KEY_FILE .*ENOENT/],
    ['is empty', { INCODE_API_KEY_FILE: fileOf(' \n') }, /^INCODE_API_KEY_FILE is empty$/],
    ['has two lines', { INCODE_API_KEY_FILE: fileOf('hushhush\nhushhush') }, /^INCODE_API_KEY_FILE must be printable/],
    ['is a directory', { INCODE_API_KEY_FILE: directory }, /^INCODE_API_KEY_FILE .*EISDIR/],
    [
      'is set together with INCODE_API_KEY',
      { INCODE_API_KEY: 'hushhush', INCODE_API_KEY_FILE: fileOf('hushhush') },
      /exclude each/,
    ],
    ['is not set, nor is INCODE_API_KEY', {}, /^INCODE_API_KEY is required.*INCODE_API_KEY_FILE/],
  ])('reports one problem if the variable or its file %s', (_, env, problem) => {
    const problems = problemsOf(env);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems.join()).not.toContain('hushhush');
  });
});

it('WEBHOOK_HEADER_SECRETS_FILE and WEBHOOK_OAUTH_CLIENTS_FILE are read again after a change', () => {
  const header = fileOf('the-secret-of-january\n');
  const oauth = fileOf('incode:the-secret-of-january\n');
  const { receiver } = readWebhookConfig({ WEBHOOK_HEADER_SECRETS_FILE: header, WEBHOOK_OAUTH_CLIENTS_FILE: oauth });
  replace(header, 'the-secret-of-february\nthe-secret-of-january\n');
  replace(oauth, 'incode:the-secret-of-february\n');
  vi.advanceTimersByTime(5_000);
  expect(receiver.header?.secrets()).toEqual(['the-secret-of-february', 'the-secret-of-january']);
  expect(receiver.oauth?.clients()).toEqual([{ id: 'incode', secret: 'the-secret-of-february' }]);
});

it('CODEC_SERVER_TOKENS_FILE is read again after a change', () => {
  const path = fileOf('a-token-of-january\n');
  const TEMPORAL_INCODE_ENCRYPTION_KEYS = `one:${Buffer.alloc(32, 7).toString('base64')}`;
  const { tokens } = readCodecServerConfig({ TEMPORAL_INCODE_ENCRYPTION_KEYS, CODEC_SERVER_TOKENS_FILE: path });
  replace(path, 'a-token-of-february\n');
  vi.advanceTimersByTime(5_000);
  expect(tokens()).toEqual(['a-token-of-february']);
  expect(() => readCodecServerConfig({ TEMPORAL_INCODE_ENCRYPTION_KEYS, CODEC_SERVER_TOKENS_FILE: '/none' })).toThrow(
    ConfigError,
  );
});

it.each([
  ['emptied', (path: string) => replace(path, '\n')],
  ['deleted', (path: string) => rmSync(path)],
])('wrongSecretFiles counts a file that is %s, until it is valid again, and so does the metric', async (_, spoil) => {
  // Files that other tests have used and deleted, some of them later by their clocks, are read again now and stay wrong.
  vi.advanceTimersByTime(86_400_000);
  const before = wrongSecretFiles();
  const path = fileOf('first-key');
  const config = readConfig({ ...BASE, INCODE_API_KEY_FILE: path }, () => undefined);
  expect(wrongSecretFiles()).toBe(before);
  spoil(path);
  vi.advanceTimersByTime(5_000);
  expect(wrongSecretFiles()).toBe(before + 1);
  expect(await createRegistry().getSingleMetricAsString('incode_secret_files_wrong')).toMatch(
    new RegExp(` ${before + 1}$`),
  );
  expect(config.apiKey()).toBe('first-key');
  writeFileSync(path, 'second-key');
  vi.advanceTimersByTime(5_000);
  expect(wrongSecretFiles()).toBe(before);
  expect(config.apiKey()).toBe('second-key');
});
