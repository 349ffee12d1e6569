import type { S3Client } from '@aws-sdk/client-s3';
import { omitUndefined } from '../contract/omit-undefined.js';
import { ImageError } from './errors.js';
import { bodyOf, networkError } from './https.js';
import type { ImageSource, OpenedImage } from './source.js';

export interface S3ImagesOptions {
  /** Buckets that may be read. */
  buckets: readonly string[];
  /** Names the bucket in the path instead of in the host, for stores such as MinIO. @default false, as AWS expects */
  pathStyle?: boolean;
}

/**
 * Reads images from S3 or a compatible store: `s3://bucket/key`. Needs the package `@aws-sdk/client-s3`, which finds credentials, region
 * and endpoint in its own variables, profile or instance.
 *
 * @example
 * const image = await readImage([s3Images({ buckets: ['images'] })], { uri: 's3://images/ann/front.jpg' });
 */
export function s3Images({ buckets, pathStyle = false }: S3ImagesOptions): ImageSource {
  let loaded: Promise<{ sdk: typeof import('@aws-sdk/client-s3'); client: S3Client }> | undefined;
  let isDenied = false;
  const load = async () => {
    const sdk = await import('@aws-sdk/client-s3');
    // One attempt, because the caller decides about retries. `ignoreCache`, because the SDK reads a credentials file only once otherwise.
    const options = { maxAttempts: 1, forcePathStyle: pathStyle, ignoreCache: true };
    return { sdk, client: new sdk.S3Client(options) };
  };
  return {
    schemes: ['s3'],
    async open(uri, signal) {
      const object = objectOf(uri, buckets);
      loaded ??= load();
      const { sdk, client } = await loaded.catch((error) => {
        loaded = undefined;
        throw loadError(uri, error);
      });
      try {
        // Somebody may have corrected the credentials. The SDK would use the old ones for ever if they have no expiry.
        if (isDenied) await client.config.credentials({ forceRefresh: true });
        isDenied = false;
        const answer = await client.send(new sdk.GetObjectCommand(object), { abortSignal: signal });
        return openedObject(uri, answer.Body as AsyncIterable<Uint8Array> & Closable, answer.ContentLength);
      } catch (error) {
        const refusal = storeError(uri, error);
        isDenied ||= refusal.problem === 'denied';
        throw refusal;
      }
    },
    close: async () => (await loaded?.catch(() => undefined))?.client.destroy(),
  };
}

function objectOf(uri: string, buckets: readonly string[]): { Bucket: string; Key: string } {
  const [, bucket, encodedKey] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (bucket === undefined || encodedKey === undefined) {
    throw new ImageError(uri, 'notAllowed', 'must have the form s3://bucket/key');
  }
  if (!buckets.includes(bucket)) {
    const problem = buckets.length > 0 ? 'notAllowed' : 'noPlace';
    throw new ImageError(uri, problem, 'is in a bucket that is not on the list of image buckets');
  }
  try {
    return { Bucket: bucket, Key: decodeURIComponent(encodedKey) };
  } catch {
    throw new ImageError(uri, 'notAllowed', 'has a "%" in its key that must be written as "%25"');
  }
}

interface Closable {
  on(event: 'error', listener: () => void): unknown;
  destroy(): void;
}

function openedObject(uri: string, body: AsyncIterable<Uint8Array> & Closable, bytes: number | undefined): OpenedImage {
  return {
    ...omitUndefined({ bytes }),
    read: () => bodyOf(uri, body),
    async close() {
      body.on('error', () => undefined);
      body.destroy();
    },
  };
}

function loadError(uri: string, error: unknown): ImageError {
  if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') {
    return new ImageError(uri, 'noSource', 'needs a package that is not installed: npm install @aws-sdk/client-s3@3');
  }
  return new ImageError(
    uri,
    'noSource',
    'cannot be read, because the S3 client does not start: check region and profile',
  );
}

const MISSING = ['NoSuchKey', 'NotFound', 'NoSuchBucket'];

/** Uses only the name and status of the SDK's error, because its other fields quote the request. */
function storeError(uri: string, error: unknown): ImageError {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (MISSING.includes(String(name)) || status === 404) return new ImageError(uri, 'missing', 'does not exist');
  // The request is well-formed, so 400 means an expired or malformed credential.
  if (status === 400 || status === 401 || status === 403 || name === 'CredentialsProviderError') {
    return new ImageError(uri, 'denied', 'is refused: check the credentials for the bucket');
  }
  if (status !== undefined) return new ImageError(uri, 'unavailable', `is not available (HTTP ${status})`);
  return networkError(uri, error);
}
