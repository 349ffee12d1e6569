import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { reader } from '../../src/config/reader.js';
import type { Environment } from '../../src/config/types.js';
import { redacted } from '../../src/secrets/index.js';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-reader-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What a reader makes of an environment, and what it finds wrong with it. */
function told<T>(env: Environment, what: (read: ReturnType<typeof reader>) => T) {
  const read = reader(env);
  return { value: what(read), problems: read.problems };
}

describe('a number', () => {
  const share = (X: string | undefined) => told({ X }, (read) => read.number('X', { least: 0.1, most: 5 }));

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['0.1', 0.1],
    [' 5 ', 5],
  ])('%j is %j', (text, value) => {
    expect(share(text)).toEqual({ value, problems: [] });
  });

  it.each(['0', '5.1', '-1', '1e0', '.5', 'one', 'NaN'])('"%s" is none within the bounds', (text) => {
    expect(share(text).problems).toEqual([`X must be a number from 0.1 to 5, not "${text}"`]);
  });
});

it('a URL that is missing has an example', () => {
  const { value, problems } = told({}, (read) => read.url('X'));
  expect([value, problems]).toEqual(['', ['X is required, for example https://demo-api.incodesmile.com']]);
});

describe("Temporal's variables", () => {
  const temporal = (env: Environment) => told(env, (read) => read.temporal());

  it.each(['localhost:7233', 'localhost', 'temporal.example:7233', '[::1]:7233'])('take the address %s', (address) => {
    const { value, problems } = temporal({ TEMPORAL_ADDRESS: address });
    expect(problems).toEqual([]);
    expect(value.connectionOptions.address).toBe(address);
  });

  it.each(['http://localhost:7233', 'local host', '::1:7233'])('refuse the address %s', (address) => {
    expect(temporal({ TEMPORAL_ADDRESS: address }).problems).toEqual([
      `TEMPORAL_ADDRESS must be a host and port such as localhost:7233, not "${address}"`,
    ]);
  });

  it('keep the API key out of what is written', () => {
    const { value } = temporal({ TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_API_KEY: 'key-of-the-cloud' });
    expect(value.connectionOptions.apiKey).toBe('key-of-the-cloud');
    expect(JSON.stringify(value)).toContain('temporal.example');
    expect(JSON.stringify(value)).not.toContain('key-of-the-cloud');
    expect(redacted('with key-of-the-cloud')).toBe('with [redacted]');
  });

  it('name what is wrong with the profile file, and nothing that stands in it', () => {
    const TEMPORAL_CONFIG_FILE = join(directory, 'temporal.toml');
    writeFileSync(TEMPORAL_CONFIG_FILE, '[profile.default]\napi_key = "key-of-the-cloud\n');
    const { value, problems } = temporal({ TEMPORAL_CONFIG_FILE });
    expect(problems).toEqual([expect.stringMatching(/^TEMPORAL_…: .*\(line 2, column \d+\)$/)]);
    expect(problems.join()).not.toContain('key-of');
    expect(value).toEqual({ connectionOptions: {} });
  });

  it('name a profile that is not there', () => {
    expect(temporal({ TEMPORAL_PROFILE: 'nowhere' }).problems).toEqual([
      expect.stringMatching(/^TEMPORAL_…: .*nowhere/),
    ]);
  });
});
