import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import S3rver from 's3rver';
import { serve } from './http.js';

const pathOf = (name: string) => fileURLToPath(new URL(`tls/${name}`, import.meta.url));

/** Signed the certificates of the servers here. */
export const CA_FILE = pathOf('ca.pem');

/** A real HTTPS server. */
export interface ImageHost {
  /** Name and port, as in `INCODE_IMAGE_HOSTS`. */
  host: string;
  /** Paths and queries of the requests, oldest first. */
  asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param answers images, or addresses to redirect to, by path. A path without an answer is 404 */
export async function startImageHost(
  answers: (host: string) => Record<string, Buffer | Promise<Buffer> | string>,
): Promise<ImageHost> {
  const asked: string[] = [];
  const server = createServer(
    { key: readFileSync(pathOf('server.key')), cert: readFileSync(pathOf('server.pem')) },
    async ({ url = '' }, response) => {
      asked.push(url);
      const answer = await answers(host)[url.split('?')[0] ?? ''];
      if (answer === undefined) response.writeHead(404).end();
      else if (typeof answer === 'string') response.writeHead(302, { location: answer }).end();
      else response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': answer.length }).end(answer);
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

export interface KeyPair {
  id: string;
  secret: string;
}

/** A real S3 server, s3rver, with its administrator. */
export interface S3Store {
  url: string;
  /** Paths of the requests since the store was filled, oldest first. */
  asked: string[];
  grant(pair: KeyPair): void;
  revoke(pair: KeyPair): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The key pairs of s3rver's one account, in this process. */
const account = createRequire(import.meta.url)('s3rver/lib/models/account').DUMMY_ACCOUNT as {
  createKeyPair(id: string, secret: string): void;
  revokeAccessKey(id: string): void;
};

/** @param buckets the objects of each bucket by key */
export async function startS3Store(buckets: Record<string, Record<string, Buffer>>): Promise<S3Store> {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-s3-'));
  const server = await serve(new S3rver({ silent: true, directory }).callback());
  const client = new S3Client({
    endpoint: server.url,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  });
  for (const [Bucket, objects] of Object.entries(buckets)) {
    await client.send(new CreateBucketCommand({ Bucket }));
    for (const [Key, Body] of Object.entries(objects)) await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  }
  client.destroy();
  const asked: string[] = [];
  server.server.on('request', ({ url }) => asked.push(String(url)));
  return {
    url: server.url,
    asked,
    grant: ({ id, secret }) => account.createKeyPair(id, secret),
    revoke: ({ id }) => account.revokeAccessKey(id),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
