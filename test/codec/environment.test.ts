import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import {
  checkPlaintext,
  encryptionEnvironment,
  keysFromEnvironment,
  PlaintextError,
  requiresEncryption,
} from '../../src/codec/index.js';

const KEYS = 'TEMPORAL_INCODE_ENCRYPTION_KEYS';
const FILE = `${KEYS}_FILE`;
const ALLOW = 'TEMPORAL_INCODE_ALLOW_PLAINTEXT';
const ONE = `one:${Buffer.alloc(32, 1).toString('base64')}`;

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-codec-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'keys');
writeFileSync(path, `${ONE}\n`);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('keysFromEnvironment', () => {
  it.each([
    ['from the variable', { [KEYS]: ONE, [FILE]: ' ' }],
    ['from the file', { [FILE]: ` ${path} ` }],
  ])('reads keys %s', (_, env) => {
    expect(keysFromEnvironment(env)?.writing().id).toBe('one');
  });

  it('returns undefined if no keys are configured', () => {
    expect(keysFromEnvironment({})).toBeUndefined();
  });

  it('refuses the variable together with the file', () => {
    expect(() => keysFromEnvironment({ [KEYS]: ONE, [FILE]: path })).toThrow(`${KEYS} and ${FILE} exclude each other.`);
  });
});

describe('checkPlaintext', () => {
  it.each([
    ['127.0.0.1:7233', undefined],
    ['temporal.example:7233', 'true'],
    ['temporal.example:7233', ' TRUE '],
  ])('accepts %s with ALLOW_PLAINTEXT %j', (address, allowed) => {
    expect(() => checkPlaintext(address, { [ALLOW]: allowed })).not.toThrow();
  });

  it.each([undefined, '', 'yes', '1'])('refuses plaintext for another machine with ALLOW_PLAINTEXT %j', (allowed) => {
    expect(() => checkPlaintext('temporal.example:7233', { [ALLOW]: allowed })).toThrow(PlaintextError);
  });
});

describe('requiresEncryption', () => {
  const REQUIRE = 'TEMPORAL_INCODE_REQUIRE_ENCRYPTION';

  it.each([
    [undefined, false],
    [' ', false],
    ['false', false],
    ['true', true],
    [' TRUE ', true],
  ])('reads %j as %j', (value, required) => {
    expect(requiresEncryption({ [REQUIRE]: value })).toBe(required);
  });

  it.each(['yes', '1', 'ture'])('refuses the value %j, because a typo must not turn encryption off', (value) => {
    expect(() => requiresEncryption({ [REQUIRE]: value })).toThrow(`${REQUIRE} must be true or false.`);
  });

  it('refuses REQUIRE_ENCRYPTION together with ALLOW_PLAINTEXT', () => {
    const both = { [REQUIRE]: 'true', [ALLOW]: 'true' };
    expect(() => requiresEncryption(both)).toThrow(`${REQUIRE} and ${ALLOW} exclude each other.`);
  });

  it('makes checkPlaintext refuse every address without keys, including this machine', () => {
    const check = () => checkPlaintext('127.0.0.1:7233', { [REQUIRE]: 'true' });
    expect(check).toThrow(PlaintextError);
    expect(check).toThrow(/REQUIRE_ENCRYPTION is true, but there are no encryption keys\. Set .*KEYS_FILE/);
  });
});

it('keysFromEnvironment, checkPlaintext and encryptionEnvironment read the environment of the process by default', () => {
  vi.stubEnv(KEYS, ONE);
  vi.stubEnv(FILE, '');
  vi.stubEnv(ALLOW, 'true');
  expect(keysFromEnvironment()?.writing().id).toBe('one');
  expect(() => checkPlaintext('temporal.example:7233')).not.toThrow();
  // An empty variable counts as not set.
  expect(encryptionEnvironment()).toEqual({ [KEYS]: ONE, [ALLOW]: 'true' });
});
