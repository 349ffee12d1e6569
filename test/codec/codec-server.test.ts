import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { encryptedDataConverter } from 'temporal-incode/codec';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { encryptionCodec, keyRing } from '../../src/codec/index.js';
import { createCodecServer } from '../../src/codec/server.js';
import { ConfigError, readCodecServerConfig } from '../../src/config/index.js';
import { defaultCacheDir, findTemporalBinary } from '../../src/testing/server/binary.js';

const KEY = Buffer.alloc(32, 7);
const TOKEN = 'a-token-of-operators';
const UI = 'https://temporal.example';
const keys = keyRing([{ id: 'one', key: KEY }]);
const server = createCodecServer({
  codec: encryptionCodec(keys),
  tokens: ['an-older-token-too', TOKEN],
  origins: [UI],
});

let url: string;
beforeAll(async () => {
  url = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

const base64 = (text: string) => Buffer.from(text).toString('base64');
const PLAIN = { metadata: { encoding: base64('json/plain') }, data: base64('"the value"') };

function ask(
  operation: string,
  payloads: unknown,
  headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
) {
  return fetch(`${url}/${operation}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body: JSON.stringify(payloads),
  });
}

describe('createCodecServer', () => {
  it('encodes and decodes payloads in the JSON that Temporal sends', async () => {
    const encoded = (await (await ask('encode', { payloads: [PLAIN] })).json()) as { payloads: [{ data: string }] };
    expect(Buffer.from(encoded.payloads[0].data, 'base64').includes('the value')).toBe(false);
    expect(await (await ask('decode', encoded)).json()).toEqual({ payloads: [PLAIN] });
  });

  it.each([
    ['a request without a token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['another authentication scheme', { authorization: `Basic ${base64(`user:${TOKEN}`)}` }],
  ])('answers 401 to %s', async (_, headers) => {
    const answer = await ask('decode', { payloads: [PLAIN] }, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answer.text()).not.toContain(TOKEN);
  });

  it('allows pages of the configured origins and refuses others', async () => {
    const preflight = (origin: string) =>
      fetch(`${url}/decode`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,x-namespace',
        },
      });
    const allowed = await preflight(UI);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(UI);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    const other = await preflight('https://evil.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('answers 422 with the id of a missing key, and 400 to a body without payloads', async () => {
    const strange = {
      metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('lost') },
      data: base64('x'.repeat(40)),
    };
    const answer = await ask('decode', { payloads: [strange] });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toEqual({ message: expect.stringContaining('key "lost"') });
    expect((await ask('decode', { nothing: true })).status).toBe(400);
  });

  describe.each(['encode', 'decode'])('at /%s', (operation) => {
    const post = (body: string, type = 'application/json') =>
      fetch(`${url}/${operation}`, {
        method: 'POST',
        headers: { 'content-type': type, authorization: `Bearer ${TOKEN}` },
        body,
      });

    it.each([
      ['a length instead of data', '{"payloads":[{"data":{"length":800000000}}]}'],
      ['a length instead of metadata', '{"payloads":[{"metadata":{"encoding":{"length":800000000}}}]}'],
      ['a number instead of data', '{"payloads":[{"data":800000000}]}'],
      ['a list of bytes', '{"payloads":[{"data":[1,2,3]}]}'],
      ['bytes that are not base64', '{"payloads":[{"data":"ä?"}]}'],
      ['metadata as a list', '{"payloads":[{"metadata":["eA=="]}]}'],
      ['metadata as a text', '{"payloads":[{"metadata":"encoding"}]}'],
      ['a payload that is null', '{"payloads":[null]}'],
      ['a payload that is a list', '{"payloads":[[]]}'],
      ['a payload that is a text', '{"payloads":["eA=="]}'],
      ['payloads with a length', '{"payloads":{"length":800000000}}'],
      ['no payloads', '{}'],
      ['a list', '[]'],
      ['null', 'null'],
      ['a text', '"payloads"'],
      ['invalid JSON', '{"payloads":'],
      ['an empty body', ''],
      ['a prototype', '{"payloads":[],"__proto__":{"length":9}}'],
      ['too many payloads', JSON.stringify({ payloads: Array.from({ length: 2_001 }, () => ({})) })],
    ])('answers 400 to %s without allocating the memory that it names', async (_, body) => {
      const before = process.memoryUsage().rss;
      const answer = await post(body);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({ message: 'The body must be a list of payloads' });
      expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1_048_576);
    });

    it('answers 413 to a body of more than 8 MiB', async () => {
      const data = 'A'.repeat(8 * 1_048_576);
      expect((await post(JSON.stringify({ payloads: [{ data }] }))).status).toBe(413);
    });

    it('answers 400 to plain text and 415 to a form', async () => {
      expect((await post('{"payloads":[]}', 'text/plain')).status).toBe(400);
      expect((await post('payloads=', 'application/x-www-form-urlencoded')).status).toBe(415);
    });

    it('answers with the same number of payloads, up to 2,000', async () => {
      const answer = await post(JSON.stringify({ payloads: Array.from({ length: 2_000 }, () => PLAIN) }));
      expect(((await answer.json()) as { payloads: unknown[] }).payloads).toHaveLength(2_000);
    });
  });

  it('accepts payloads without data or metadata, and both alphabets of base64', async () => {
    const bytes = Buffer.from([251, 255, 191]);
    const payloads = [{}, { data: bytes.toString('base64url') }, { metadata: PLAIN.metadata }, { data: null }];
    const encoded = (await (await ask('encode', { payloads })).json()) as unknown;
    expect(await (await ask('decode', encoded)).json()).toEqual({
      payloads: [{}, { data: bytes.toString('base64') }, { metadata: PLAIN.metadata }, {}],
    });
  });

  it('lets the temporal CLI show encrypted payloads', async () => {
    const connection = await Connection.connect({ address: inject('temporalAddress') });
    try {
      const client = new Client({
        connection,
        namespace: inject('temporalNamespace'),
        dataConverter: encryptedDataConverter(keys),
      });
      const workflowId = `codec-server-${randomUUID()}`;
      await client.workflow.start('nobody', { workflowId, taskQueue: workflowId, args: ['shown to operators'] });
      const { path } = await findTemporalBinary({
        env: process.env,
        cacheDir: defaultCacheDir(process.env),
        onProgress: () => undefined,
      });
      const show = async (codec: Record<string, string> = {}) => {
        const args = ['workflow', 'show', '--workflow-id', workflowId, '--output', 'json'];
        const at = ['--address', inject('temporalAddress'), '--namespace', inject('temporalNamespace')];
        return (await promisify(execFile)(path, [...args, ...at], { env: { ...process.env, ...codec } })).stdout;
      };
      expect((await show()).includes(base64('"shown to operators"'))).toBe(false);
      const shown = await show({ TEMPORAL_CODEC_ENDPOINT: url, TEMPORAL_CODEC_AUTH: `Bearer ${TOKEN}` });
      expect(shown.includes(base64('"shown to operators"'))).toBe(true);
      await client.workflow.getHandle(workflowId).terminate();
    } finally {
      await connection.close();
    }
  });
});

describe('readCodecServerConfig', () => {
  const GOOD = { TEMPORAL_INCODE_ENCRYPTION_KEYS: `one:${KEY.toString('base64')}`, CODEC_SERVER_TOKENS: TOKEN };

  it('uses a default host and port', () => {
    const config = readCodecServerConfig(GOOD);
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8089, origins: [] });
    expect(config.tokens()).toEqual([TOKEN]);
  });

  it.each([
    [/ENCRYPTION_KEYS_FILE or .* is required/, {}],
    [/CODEC_SERVER_TOKENS or CODEC_SERVER_TOKENS_FILE is required/, {}],
    [/at least 16 characters/, { ...GOOD, CODEC_SERVER_TOKENS: 'short' }],
    [/must be origins/, { ...GOOD, CODEC_SERVER_ORIGINS: '*' }],
    [/must be origins/, { ...GOOD, CODEC_SERVER_ORIGINS: `${UI}/path` }],
  ])('refuses an invalid configuration with a message that matches %s', (message, env) => {
    expect(() => readCodecServerConfig(env as Record<string, string>)).toThrow(ConfigError);
    expect(() => readCodecServerConfig(env as Record<string, string>)).toThrow(message);
  });
});
