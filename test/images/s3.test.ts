import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImageError, inspectImage, pinImage, readImage, s3Images } from '../../src/images/index.js';
import { jpeg } from '../support/images.js';
import { startStallingProxy } from '../support/stalling-proxy.js';

// s3rver is a real S3 server. It knows one account, S3RVER.

const CANARY = 'canary-5f3a9c0be7d1';
const IMAGE = jpeg({ content: CANARY, bytes: 3_000_000 });
const KEYS = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER', AWS_REGION: 'us-east-1' };

let directory: string;
let s3rver: S3rver;
let address: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-s3-'));
  s3rver = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory });
  const server = (await s3rver.run()) as unknown as AddressInfo;
  address = `127.0.0.1:${server.port}`;
  const client = new S3Client({
    endpoint: `http://${address}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  });
  await client.send(new CreateBucketCommand({ Bucket: 'images' }));
  for (const Key of ['ann/front.jpg', 'ann/100% #1 Müller.jpg']) {
    await client.send(new PutObjectCommand({ Bucket: 'images', Key, Body: IMAGE }));
  }
  client.destroy();
});
afterAll(async () => {
  await s3rver.close();
  await rm(directory, { recursive: true, force: true });
});

/** With the variables that the SDK reads when a client is made and first used. */
async function withS3<T>(
  variables: Record<string, string>,
  use: (source: ReturnType<typeof s3Images>) => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, {
    ...KEYS,
    AWS_ENDPOINT_URL: `http://${address}`,
    AWS_CONFIG_FILE: join(directory, 'none'),
    ...variables,
  });
  try {
    return await use(s3Images({ buckets: ['images', 'gone'], pathStyle: true }));
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

const FRONT = { uri: 's3://images/ann/front.jpg' };

async function refusal(
  reference: { uri: string },
  variables: Record<string, string> = {},
  timeoutMs = 30_000,
): Promise<ImageError> {
  const error = await withS3(variables, (source) =>
    readImage([source], reference, { timeoutMs }).then(String, (failure) => failure),
  );
  expect(error).toBeInstanceOf(ImageError);
  const shown = `${error.message} ${(error as Error).stack} ${JSON.stringify(error)}`;
  for (const secret of [CANARY, 'S3RVER', 'Signature']) expect(shown).not.toContain(secret);
  return error as ImageError;
}

describe('s3Images', () => {
  it('reads, inspects and pins an object with the credentials and the endpoint of the environment', async () => {
    await withS3({}, async (source) => {
      expect((await readImage([source], FRONT)).equals(IMAGE)).toBe(true);
      expect(await inspectImage([source], FRONT)).toMatchObject({ type: 'jpeg', width: 1_200, bytes: 3_000_000 });
      const pinned = await pinImage([source], FRONT);
      expect((await readImage([source], pinned)).equals(IMAGE)).toBe(true);
      expect(
        (await readImage([source], { uri: 's3://images/ann/100%25%20%231%20M%C3%BCller.jpg' })).equals(IMAGE),
      ).toBe(true);
    });
  });

  it.each([
    ['another bucket', 's3://other/ann/front.jpg'],
    ['no key', 's3://images/'],
    ['no bucket', 's3:///front.jpg'],
    ['an unfinished escape', 's3://images/100%'],
  ])('refuses %s without a request', async (_, uri) => {
    expect(await refusal({ uri }, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' })).toMatchObject({ problem: 'notAllowed' });
  });

  it('says that an object or its bucket is missing', async () => {
    expect(await refusal({ uri: 's3://images/ann/gone.jpg' })).toMatchObject({ problem: 'missing', retry: 'never' });
    expect(await refusal({ uri: 's3://gone/front.jpg' })).toMatchObject({ problem: 'missing' });
  });

  it('says that the store refuses the credentials', async () => {
    expect(await refusal(FRONT, { AWS_ACCESS_KEY_ID: 'unknown' })).toMatchObject({
      problem: 'denied',
      retry: 'afterFix',
    });
  });

  it('says that there are no credentials', async () => {
    const none = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none'),
    };
    expect(await refusal(FRONT, none)).toMatchObject({ problem: 'denied' });
  });

  it('reads the credentials file again after the store has refused it, or while it is missing', async () => {
    const AWS_SHARED_CREDENTIALS_FILE = join(directory, 'corrected');
    const fromFile = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' };
    const write = (id: string) =>
      writeFile(AWS_SHARED_CREDENTIALS_FILE, `[default]\naws_access_key_id=${id}\naws_secret_access_key=S3RVER\n`);
    await withS3({ ...fromFile, AWS_SHARED_CREDENTIALS_FILE }, async (source) => {
      const problem = () =>
        readImage([source], FRONT).then(
          () => undefined,
          (error: ImageError) => error.problem,
        );
      expect(await problem()).toBe('denied');
      await write('unknown');
      expect(await problem()).toBe('denied');
      await write('S3RVER');
      expect(await problem()).toBeUndefined();
    });
  });

  it('says that the store is not reached, and is one attempt', async () => {
    expect(await refusal(FRONT, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' })).toMatchObject({
      problem: 'unavailable',
      reason: 'is not available (ECONNREFUSED)',
    });
  });

  it('ends a slow answer at the time limit', async () => {
    await using proxy = await startStallingProxy(address, 100_000, 'stall');
    expect(await refusal(FRONT, { AWS_ENDPOINT_URL: `http://${proxy.address}` }, 500)).toMatchObject({
      problem: 'slow',
    });
    await using silent = await startStallingProxy(address, 0, 'stall');
    expect(await refusal(FRONT, { AWS_ENDPOINT_URL: `http://${silent.address}` }, 500)).toMatchObject({
      problem: 'slow',
    });
  });

  it('finds that the store is gone in the middle of an object', async () => {
    await using proxy = await startStallingProxy(address, 100_000, 'cut');
    expect(await refusal(FRONT, { AWS_ENDPOINT_URL: `http://${proxy.address}` })).toMatchObject({
      problem: 'truncated',
      retry: 'soon',
    });
  });
});
