import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { reader } from '../../src/config/reader.js';
import type { Environment } from '../../src/config/types.js';
import { redacted } from '../../src/secrets/index.js';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-reader-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Reads one value from an environment, with the problems that the reader collects. */
function readFrom<T>(env: Environment, readValue: (read: ReturnType<typeof reader>) => T) {
  const read = reader(env);
  return { value: readValue(read), problems: read.problems };
}

describe('reader.number', () => {
  const share = (X: string | undefined) => readFrom({ X }, (read) => read.number('X', { min: 0.1, max: 5 }));

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['0.1', 0.1],
    [' 5 ', 5],
  ])('reads %j as %j', (text, value) => {
    expect(share(text)).toEqual({ value, problems: [] });
  });

  it.each(['0', '5.1', '-1', '1e0', '.5', 'one', 'NaN'])(
    'refuses "%s", which is not a number within the bounds',
    (text) => {
      expect(share(text).problems).toEqual([`X must be a number from 0.1 to 5, not "${text}"`]);
    },
  );
});

describe('reader.duration', () => {
  const duration = (X: string | undefined, fallbackMs: number) =>
    readFrom({ X }, (read) => read.duration('X', fallbackMs, '1h'));

  it('returns the fallback if the variable is not set, and reads it otherwise', () => {
    expect(duration(undefined, 10_000)).toEqual({ value: 10_000, problems: [] });
    expect(duration('2 minutes', 10_000)).toEqual({ value: 120_000, problems: [] });
    expect(duration('61m', 10_000).problems).toEqual(['X must be at most 1h, not "61m"']);
  });

  it.each([
    ['6h', 21_600_000],
    ['15m', 900_000],
    ['10s', 10_000],
    ['1500ms', 1_500],
  ])('names the fallback %s as an example', (example, fallbackMs) => {
    expect(duration('soon', fallbackMs).problems).toEqual([`X must be a duration such as "${example}", not "soon"`]);
  });
});

it('reader.url names an example if the variable is missing', () => {
  const { value, problems } = readFrom({}, (read) => read.url('X'));
  expect([value, problems]).toEqual(['', ['X is required, for example https://demo-api.incodesmile.com']]);
});

describe('reader.temporal', () => {
  const temporal = (env: Environment) => readFrom(env, (read) => read.temporal());

  it.each(['localhost:7233', 'localhost', 'temporal.example:7233', '[::1]:7233'])(
    'accepts the address %s',
    (address) => {
      const { value, problems } = temporal({ TEMPORAL_ADDRESS: address });
      expect(problems).toEqual([]);
      expect(value.connectionOptions.address).toBe(address);
    },
  );

  it.each(['http://localhost:7233', 'local host', '::1:7233'])('refuses the address %s', (address) => {
    expect(temporal({ TEMPORAL_ADDRESS: address }).problems).toEqual([
      `TEMPORAL_ADDRESS must be a host and port such as localhost:7233, not "${address}"`,
    ]);
  });

  it('keeps the API key out of JSON and out of log lines', () => {
    const { value } = temporal({ TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_API_KEY: 'key-of-the-cloud' });
    expect(value.connectionOptions.apiKey).toBe('key-of-the-cloud');
    expect(JSON.stringify(value)).toContain('temporal.example');
    expect(JSON.stringify(value)).not.toContain('key-of-the-cloud');
    expect(redacted('with key-of-the-cloud')).toBe('with [redacted]');
  });

  it('names the line of a mistake in the profile file and does not quote it', () => {
    const TEMPORAL_CONFIG_FILE = join(directory, 'temporal.toml');
    writeFileSync(TEMPORAL_CONFIG_FILE, '[profile.default]\napi_key = "key-of-the-cloud\n');
    const { value, problems } = temporal({ TEMPORAL_CONFIG_FILE });
    expect(problems).toEqual([expect.stringMatching(/^TEMPORAL_…: .*\(line 2, column \d+\)$/)]);
    expect(problems.join()).not.toContain('key-of');
    expect(value).toEqual({ connectionOptions: {} });
  });

  it('names a profile that does not exist', () => {
    expect(temporal({ TEMPORAL_PROFILE: 'nowhere' }).problems).toEqual([
      expect.stringMatching(/^TEMPORAL_…: .*nowhere/),
    ]);
  });
});
