import { webcrypto } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { encode } from '@temporalio/common/lib/encoding.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EncryptionKeyError, encryptionCodec, keyRing, keyRingFile } from '../../src/codec/index.js';

const ONE = Buffer.alloc(32, 1);
const TWO = Buffer.alloc(32, 2);
const one = keyRing([{ id: 'one', key: ONE }]);

function payloadOf(value: unknown): Payload {
  return defaultPayloadConverter.toPayload(value);
}

async function encoded(value: unknown, keys = one): Promise<Payload> {
  const [payload] = await encryptionCodec(keys).encode([payloadOf(value)]);
  return payload as Payload;
}

async function decoded(payload: Payload, keys = one): Promise<unknown> {
  const [plain] = await encryptionCodec(keys).decode([payload]);
  return defaultPayloadConverter.fromPayload(plain as Payload);
}

const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('latin1');

describe('encryptionCodec', () => {
  it('decodes what it encoded, and encodes without clear text', async () => {
    const value = { interviewId: 'session-1', sessionToken: 'a-very-secret-token', plan: { score: true } };
    const payload = await encoded(value);
    expect(text(payload.data)).not.toContain('secret');
    expect(Object.keys(payload.metadata ?? {}).sort()).toEqual(['encoding', 'encryption-key-id']);
    expect(text(payload.metadata?.['encryption-key-id'])).toBe('one');
    expect(await decoded(payload)).toEqual(value);
  });

  it.each([[undefined], [null], [''], [new Uint8Array([0, 255])], ['ü'.repeat(100_000)]])(
    'encodes and decodes any payload: %#',
    async (value) => {
      expect(await decoded(await encoded(value))).toEqual(value);
    },
  );

  it('encodes and decodes several payloads in their order, or none', async () => {
    const codec = encryptionCodec(one);
    const payloads = await codec.decode(await codec.encode([payloadOf(1), payloadOf(2)]));
    expect(payloads.map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual([1, 2]);
    expect(await codec.encode([])).toEqual([]);
  });

  it('encodes the same value differently each time', async () => {
    expect(text((await encoded('same')).data)).not.toBe(text((await encoded('same')).data));
  });

  it('reads a payload that is not encrypted by default', async () => {
    expect(await decoded(payloadOf('plain'))).toBe('plain');
  });

  it('refuses a payload that is not encrypted if encryption is required', async () => {
    const codec = encryptionCodec(one, { requireEncryption: true });
    await expect(codec.decode([payloadOf('plain')])).rejects.toThrow(EncryptionKeyError);
    await expect(codec.decode([payloadOf('plain')])).rejects.toThrow('A payload is not encrypted');
    const [payload] = await codec.decode([await encoded('secret')]);
    expect(defaultPayloadConverter.fromPayload(payload as Payload)).toBe('secret');
  });

  // The format of Temporal's samples in other languages.
  it('encodes payloads that another implementation of AES-GCM can decrypt', async () => {
    const { data } = await encoded('for everybody');
    const bytes = data ?? new Uint8Array();
    const key = await webcrypto.subtle.importKey('raw', ONE, 'AES-GCM', false, ['decrypt']);
    const algorithm = { name: 'AES-GCM', iv: bytes.subarray(0, 12) };
    const plain = await webcrypto.subtle.decrypt(algorithm, key, bytes.subarray(12));
    expect(text(new Uint8Array(plain))).toContain('"for everybody"');
  });

  it.each([
    [
      'changed',
      (data: Buffer) => Buffer.from(data.map((byte, at) => (at === 20 ? byte ^ 1 : byte))),
      /cannot be decrypted with key "one"/,
    ],
    ['cut short', (data: Buffer) => data.subarray(0, 20), /too short/],
  ])('refuses a payload that was %s', async (_, change, message) => {
    const payload = await encoded('original');
    const changed = { ...payload, data: change(Buffer.from(payload.data ?? [])) };
    await expect(decoded(changed)).rejects.toThrow(EncryptionKeyError);
    await expect(decoded(changed)).rejects.toThrow(message);
  });

  it.each<[string, Payload]>([
    ['without a key id', { metadata: { encoding: encode('binary/encrypted') }, data: new Uint8Array(40) }],
    ['without an encoding', {}],
  ])('does not try to decrypt a payload %s', async (_, payload) => {
    const [read] = await Promise.allSettled([encryptionCodec(one).decode([payload])]);
    if (payload.metadata) expect(String((read as PromiseRejectedResult).reason)).toContain('encrypted with key ""');
    else expect(read).toEqual({ status: 'fulfilled', value: [payload] });
  });

  it('refuses an encrypted payload without data', async () => {
    const { metadata } = await encoded('original');
    await expect(decoded({ metadata } as Payload)).rejects.toThrow('too short');
  });

  it('names the missing key', async () => {
    const payload = await encoded('value');
    const other = keyRing([{ id: 'two', key: TWO }]);
    await expect(decoded(payload, other)).rejects.toThrow(/key "one".*not among the keys/);
    // Another key with the same id.
    await expect(decoded(payload, keyRing([{ id: 'one', key: TWO }]))).rejects.toThrow(/cannot be decrypted/);
  });

  it('encrypts with the first key and decrypts with all keys', async () => {
    const old = await encoded('old');
    const rotated = keyRing([
      { id: 'two', key: TWO },
      { id: 'one', key: ONE },
    ]);
    expect(await decoded(old, rotated)).toBe('old');
    const payload = await encoded('new', rotated);
    expect(text(payload.metadata?.['encryption-key-id'])).toBe('two');
    expect(await decoded(payload, rotated)).toBe('new');
  });
});

describe('keyRing', () => {
  it('reads keys from text', async () => {
    const ring = keyRing(`two:${TWO.toString('base64')}, one:${ONE.toString('base64')}\n`);
    expect(ring.writing().id).toBe('two');
    expect(Buffer.from(ring.reading('one') ?? [])).toEqual(ONE);
    expect(ring.reading('three')).toBeUndefined();
  });

  it.each([
    ['an empty text', ' \n', /no encryption key/],
    ['a key without an id', ONE.toString('base64'), /key 1 of 1 must be written as id:base64/],
    ['a key that is not base64', 'one:???', /key 1 of 1/],
    ['a key that is too short', `one:${Buffer.alloc(16).toString('base64')}`, /one has 16 bytes, not 32/],
    [
      'two keys with the same id',
      `a:${ONE.toString('base64')} a:${TWO.toString('base64')}`,
      /Two encryption keys have the id a\./,
    ],
    ['an id with a space', [{ id: 'a b', key: ONE }], /id of an encryption key/],
  ])('refuses %s without repeating a key', (_, keys, message) => {
    let problem = '';
    try {
      keyRing(keys);
    } catch (error) {
      expect(error).toBeInstanceOf(EncryptionKeyError);
      problem = (error as Error).message;
    }
    expect(problem).toMatch(message);
    expect(problem).not.toContain(ONE.toString('base64').slice(0, 12));
  });
});

describe('keyRingFile', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'temporal-incode-keys-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const line = (id: string, key: Buffer) => `${id}:${key.toString('base64')}\n`;

  /** Replaces the file atomically, as a mounted secret changes. */
  async function replace(path: string, content: string): Promise<void> {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  }

  it('reads a changed file at once for an unknown key, and within five seconds to encrypt', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const path = join(directory, 'rotated');
      await writeFile(path, line('one', ONE));
      const ring = keyRingFile(path);
      await replace(path, line('two', TWO) + line('one', ONE));
      expect(ring.writing().id).toBe('one');
      expect(ring.reading('two')).toBeDefined();
      expect(ring.writing().id).toBe('two');

      await replace(path, line('three', ONE) + line('two', TWO));
      vi.advanceTimersByTime(5_000);
      expect(ring.writing().id).toBe('three');
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps the last valid keys if the file becomes invalid or is deleted', async () => {
    const path = join(directory, 'broken');
    await writeFile(path, line('one', ONE));
    const problems: string[] = [];
    const ring = keyRingFile(path, (problem) => problems.push(problem));
    await replace(path, 'nonsense');
    expect(ring.reading('two')).toBeUndefined();
    await rm(path);
    expect(ring.reading('two')).toBeUndefined();
    expect(ring.writing().id).toBe('one');
    expect(problems).toEqual([
      'Encryption key 1 of 1 must be written as id:base64. The last valid value stays in use.',
      `The file of encryption keys, ${path}, does not exist or cannot be read. The last valid value stays in use.`,
    ]);
  });

  it('throws if the file does not exist at the start', () => {
    expect(() => keyRingFile(join(directory, 'nowhere'))).toThrow(EncryptionKeyError);
  });
});
