import { CAPTURE_ACTIVITY_DEFAULTS } from '../activities/capture/options.js';
import { excerpt } from '../contract/excerpt.js';
import type { Proxies } from '../network/dispatcher.js';
import { ConfigError, type Reader, reader } from './reader.js';
import type { Environment } from './types.js';

/** Where images may come from, and how fast they may go to Incode. `docs/capture.md` explains each variable. */
export interface CaptureConfig {
  /** `INCODE_IMAGE_ROOTS`: directories with images, separated by commas. @default none */
  readonly imageRoots: readonly string[];
  /** `INCODE_IMAGE_HOSTS`: HTTPS hosts with images, separated by commas. @default none */
  readonly imageHosts: readonly string[];
  /** `INCODE_IMAGE_BUCKETS`: S3 buckets with images, separated by commas. @default none */
  readonly imageBuckets: readonly string[];
  /** `INCODE_IMAGE_S3_PATH_STYLE`: names the bucket in the path, as most S3-compatible stores need. @default false */
  readonly imagePathStyle: boolean;
  /** `INCODE_DOCUMENT_RATE_LIMIT`: requests about documents per second. @default 1 */
  readonly documentRateLimit: number;
  /** `INCODE_FACE_RATE_LIMIT`: requests about faces per second. @default 1 */
  readonly faceRateLimit: number;
  /** `INCODE_RATE_LIMIT_PER_ENDPOINT`: these limits hold for each endpoint, not for all endpoints about documents or faces together. @default false */
  readonly rateLimitPerEndpoint: boolean;
  /** `INCODE_PROCESS_POLL`: how often Incode is asked whether it has processed a document. @default "3s": processing takes some seconds. */
  readonly processPollMs: number;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in upper or lower case: for HTTPS hosts with images. */
  readonly proxy: Readonly<Proxies>;
}

/** What Incode is said to allow an account. A higher limit must be agreed with Incode. */
const RATE_LIMIT_DEFAULT = 1;
const RATE_LIMIT_RANGE = { min: 0.1, max: 1_000 };
// A person waits one interval longer than Incode needs.
const MAX_PROCESS_POLL = '10m';

/** Whether images may come from anywhere. */
export function allowsImages({ imageRoots, imageHosts, imageBuckets }: CaptureConfig): boolean {
  return imageRoots.length + imageHosts.length + imageBuckets.length > 0;
}

/** @throws ConfigError that names every invalid variable */
export function readCaptureConfig(env: Environment = process.env): CaptureConfig {
  const read = reader(env);
  const config = {
    imageRoots: list(read, 'INCODE_IMAGE_ROOTS', isAbsolute, 'absolute paths such as /images'),
    imageHosts: list(read, 'INCODE_IMAGE_HOSTS', isHost, 'hosts such as images.example or images.example:8443'),
    imageBuckets: list(read, 'INCODE_IMAGE_BUCKETS', isBucket, 'names of buckets'),
    imagePathStyle: read.oneOf('INCODE_IMAGE_S3_PATH_STYLE', ['true', 'false'], 'false') === 'true',
    documentRateLimit: read.number('INCODE_DOCUMENT_RATE_LIMIT', RATE_LIMIT_RANGE) ?? RATE_LIMIT_DEFAULT,
    faceRateLimit: read.number('INCODE_FACE_RATE_LIMIT', RATE_LIMIT_RANGE) ?? RATE_LIMIT_DEFAULT,
    rateLimitPerEndpoint: read.oneOf('INCODE_RATE_LIMIT_PER_ENDPOINT', ['true', 'false'], 'false') === 'true',
    processPollMs: read.duration('INCODE_PROCESS_POLL', CAPTURE_ACTIVITY_DEFAULTS.processIdPollMs, MAX_PROCESS_POLL),
    proxy: read.proxy(),
  };
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return config;
}

function list(read: Reader, name: string, isValid: (part: string) => boolean, expected: string): string[] {
  const parts = (read.text(name) ?? '').split(',').map((part) => part.trim());
  const values = parts.filter((part) => part !== '');
  const invalid = values.find((value) => !isValid(value));
  if (invalid !== undefined) {
    read.problems.push(`${name} must be ${expected}, separated by commas, not "${excerpt(invalid)}"`);
  }
  return values;
}

function isAbsolute(value: string): boolean {
  return /^(\/|[A-Za-z]:[\\/])/.test(value);
}

/** Without a wildcard: a list of hosts that somebody else can extend protects nothing. */
function isHost(value: string): boolean {
  return /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(value) && URL.canParse(`https://${value}`);
}

function isBucket(value: string): boolean {
  return /^[A-Za-z0-9][\w.-]{1,254}$/.test(value);
}
