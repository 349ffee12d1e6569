import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { type CaptureInput, type CaptureResult, FAILURES, type ImageReference } from '../../src/contract/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { BOUND_BY_MODES } from '../support/bound-by-modes.js';
import { EXECUTIVE_USER, IMAGE_CANARY } from '../support/capture-world.js';
import { parseExposition } from '../support/exposition.js';
import {
  CA_FILE,
  type ImageHost,
  type KeyPair,
  type S3Store,
  startImageHost,
  startS3Store,
} from '../support/image-stores.js';
import { jpeg } from '../support/images.js';
import { until } from '../support/lifecycle.js';
import { type MonitoredWorker, spawnWorker } from '../support/monitored-worker.js';
import { thrown } from '../support/thrown.js';
import { API_KEY } from '../support/world.js';

// A real worker process that reads files, a real HTTPS server and a real S3 server.

const image = (name: string) => jpeg({ content: `${IMAGE_CANARY} ${name}` });
const IMAGES = { front: image('front'), back: image('back'), selfie: image('selfie') };

const QUERY_CANARY = 'query-that-must-not-be-seen';
const OCR_CANARY = 'ocr-value-that-must-not-be-seen';
const NAME_CANARY = 'ann-that-must-not-be-seen';
/** A file's name is a part of an address: the log may name it, when an image is read again. */
const FILE_CANARY = 'file-that-must-be-in-no-metric';
const KEYS: KeyPair = { id: 'KEYIDTHATMUSTNOTBESEEN', secret: 'secret-key-that-must-not-be-seen' };
const NEXT_KEYS: KeyPair = { id: 'NEXTKEYTHATMUSTNOTBESEEN', secret: 'next-key-that-must-not-be-seen' };

let directory: string;
let simulator: IncodeSimulator;
let host: ImageHost;
let otherHost: ImageHost;
let store: S3Store;
let worker: MonitoredWorker;
let connection: Connection;
let people: OnboardingClient['people'];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-places-'));
  await writeFile(join(directory, 'selfie.jpg'), IMAGES.selfie);
  await writeFile(join(directory, `${FILE_CANARY}.jpg`), IMAGES.front);
  await writeCredentials(KEYS);
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  otherHost = await startImageHost(() => ({ '/front.jpg': IMAGES.front }));
  host = await startImageHost((own) => ({
    '/front.jpg': `https://${own}/signed/front.jpg?${QUERY_CANARY}`,
    '/signed/front.jpg': IMAGES.front,
    '/away.jpg': `https://${otherHost.host}/front.jpg?${QUERY_CANARY}`,
  }));
  const objects = { 'back.jpg': IMAGES.back };
  store = await startS3Store({ images: objects, others: objects });
  store.grant(KEYS);
  const env = {
    INCODE_CONFIGURATION_ID: 'flow',
    INCODE_SETTLE_TIME: '400ms',
    INCODE_PROCESS_POLL: '50ms',
    INCODE_DOCUMENT_RATE_LIMIT: '1000',
    INCODE_FACE_RATE_LIMIT: '1000',
    INCODE_IMAGE_ROOTS: directory,
    INCODE_IMAGE_HOSTS: host.host,
    INCODE_IMAGE_BUCKETS: 'images',
    INCODE_IMAGE_S3_PATH_STYLE: 'true',
    NODE_EXTRA_CA_CERTS: CA_FILE,
    AWS_ENDPOINT_URL_S3: store.url,
    AWS_REGION: 'us-east-1',
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    ...EXECUTIVE_USER,
  };
  worker = spawnWorker(simulator.url, env, BOUND_BY_MODES);
  await until(() => worker.log().includes('Worker ready'), true);
  connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection, namespace: inject('temporalNamespace') });
  people = new OnboardingClient({ client, taskQueue: worker.taskQueue }).people;
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await connection?.close();
  await store?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
  await otherHost?.[Symbol.asyncDispose]();
  await simulator?.close();
  for (const pair of [KEYS, NEXT_KEYS]) store?.revoke(pair);
  await rm(directory, { recursive: true, force: true });
});

/** Replaces the file atomically, as a mounted secret changes. */
async function writeCredentials({ id, secret }: KeyPair): Promise<void> {
  const file = join(directory, 'credentials');
  await writeFile(`${file}.new`, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`);
  await rename(`${file}.new`, file);
}

async function begin(images: Pick<CaptureInput, 'front' | 'back' | 'selfie'>, more: Partial<CaptureInput> = {}) {
  const reference = `person-${randomUUID()}`;
  await people.start({ reference, ...images, ...more });
  return reference;
}

/** Digests of the images that Incode has, by part. */
function uploaded({ interviewId }: CaptureResult): Record<string, string> {
  return Object.fromEntries(simulator.captures(interviewId).uploads.map(({ part, sha256 }) => [part, sha256]));
}

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

const S3_BACK: ImageReference = { uri: 's3://images/back.jpg' };

describe('a worker with INCODE_IMAGE_ROOTS, INCODE_IMAGE_HOSTS and INCODE_IMAGE_BUCKETS', () => {
  it('onboards a person whose images are in a directory, on a host and in a bucket of the lists', async () => {
    const front = { uri: `https://${host.host}/front.jpg` };
    const reference = await begin({ front, back: S3_BACK, selfie: { uri: 'file:selfie.jpg' } });
    const result = await people.result(reference);
    expect(result.onboarding?.outcome).toBe('approved');
    expect(uploaded(result)).toEqual({
      front: sha256Of(IMAGES.front),
      back: sha256Of(IMAGES.back),
      face: sha256Of(IMAGES.selfie),
    });
  });

  it.each([
    [
      'on another host',
      () => `https://${otherHost.host}/front.jpg`,
      'is at a host that is not on the list of image hosts (INCODE_IMAGE_HOSTS of the worker)',
    ],
    [
      'that a host of the list redirects to another host',
      () => `https://${host.host}/away.jpg`,
      'is redirected to a host that is not on the list of image hosts (INCODE_IMAGE_HOSTS of the worker)',
    ],
    [
      'in another bucket',
      () => 's3://others/back.jpg',
      'is in a bucket that is not on the list of image buckets (INCODE_IMAGE_BUCKETS of the worker)',
    ],
    [
      'in another directory',
      () => `file://${join(tmpdir(), 'elsewhere', 'front.jpg')}`,
      'does not exist (the worker looks below its INCODE_IMAGE_ROOTS)',
    ],
  ])('refuses an image %s, and asks for nothing there', async (_, address, reason) => {
    const uri = address();
    const reference = await begin({ front: { uri } });
    const failure = await thrown(people.result(reference));
    expect(failure).toMatchObject({ type: FAILURES.imageUnusable });
    expect(String(failure)).toContain(`Person ${reference}: front: The image ${uri} ${reason}`);
    expect(simulator.sessions().filter(({ externalCustomerId }) => isOf([reference], externalCustomerId))).toEqual([]);
    expect(otherHost.asked).toEqual([]);
    expect(store.asked.filter((path) => path.includes('others'))).toEqual([]);
  });
});

/** Waits until the first call of each person has failed. @returns the reasons */
async function reasonsOf(references: string[]): Promise<string[]> {
  const reasons: string[] = [];
  for (const reference of references) {
    const failure = async () => (await people.state(reference)).call?.lastFailure;
    await expect.poll(async () => (await failure())?.type).toBe(FAILURES.imageNotReady);
    reasons.push(String((await failure())?.message).replace(reference, 'REFERENCE'));
  }
  return reasons;
}

async function outcomesOf(references: string[]): Promise<(string | undefined)[]> {
  return Promise.all(references.map(async (reference) => (await people.result(reference)).onboarding?.outcome));
}

describe('a worker that may not read an image', () => {
  const FRONT = { uri: 'file:locked.jpg' };

  it('goes on by itself when the store and the file system give the permission back', async () => {
    const locked = join(directory, 'locked.jpg');
    await writeFile(locked, IMAGES.front);
    await chmod(locked, 0);
    store.revoke(KEYS);
    const waiting = [await begin({ front: FRONT }), await begin({ front: S3_BACK })];
    expect(await reasonsOf(waiting)).toEqual([
      'Person REFERENCE: front: The image file:locked.jpg cannot be read (EACCES)',
      'Person REFERENCE: front: The image s3://images/back.jpg is refused: check the credentials for the bucket',
    ]);
    await expect.poll(worker.log).toContain('An image cannot be read until somebody corrects permissions');
    expect(simulator.sessions().filter(({ externalCustomerId }) => isOf(waiting, externalCustomerId))).toEqual([]);

    await chmod(locked, 0o600);
    store.grant(KEYS);
    expect(await outcomesOf(waiting)).toEqual(['approved', 'approved']);
  });

  it('goes on by itself when the credentials file has the key pair that the store accepts now', async () => {
    store.revoke(KEYS);
    store.grant(NEXT_KEYS);
    const waiting = [await begin({ front: S3_BACK })];
    expect(await reasonsOf(waiting)).toEqual([
      'Person REFERENCE: front: The image s3://images/back.jpg is refused: check the credentials for the bucket',
    ]);
    await writeCredentials(NEXT_KEYS);
    expect(await outcomesOf(waiting)).toEqual(['approved']);
  });
});

describe('the metrics of a worker', () => {
  /** The simulator's tokens are JWTs. */
  const TOKEN = /eyJ[\w-]{10,}/;

  it('contain nothing of images, people, addresses, credentials and tokens, after successes and failures', async () => {
    const ocr = { ocrData: { name: OCR_CANARY }, fullName: OCR_CANARY };
    for (const operation of ['addFrontId', 'processId', 'processFace', 'governmentValidation', 'watchlist'] as const) {
      simulator.script({ operation, times: 1, answer: ocr });
    }
    simulator.fault({ operation: 'addBackId', kind: 'status', status: 500, message: OCR_CANARY });
    simulator.fault({ operation: 'processFace', kind: 'reset', effect: true });
    simulator.fault({ operation: 'governmentValidation', kind: 'status', status: 401, message: OCR_CANARY });
    simulator.fault({ operation: 'watchlist', kind: 'status', status: 400, message: OCR_CANARY });
    simulator.fault({ operation: 'deleteSessions', kind: 'status', status: 401, message: OCR_CANARY });
    const signed = { uri: `https://${host.host}/front.jpg` };
    const named = { uri: `file:${FILE_CANARY}.jpg` };
    const completed = await begin(
      { front: signed, back: S3_BACK, selfie: named },
      {
        customFields: { name: NAME_CANARY },
        plan: { government: true, watchlist: true, purge: 'images' },
      },
    );
    const { interviewId, externalCustomerId, purged } = await people.result(completed);
    expect(purged).toBe('images');
    expect(host.asked).toContain(`/signed/front.jpg?${QUERY_CANARY}`);
    const failed = await begin({ front: { uri: `file:${FILE_CANARY}-gone.jpg` } });
    await expect(people.result(failed)).rejects.toThrow('does not exist');

    const { status, body } = await worker.ask('/metrics');
    expect(status).toBe(200);
    const samples = [...parseExposition(body).values()].flatMap((family) => family.samples);
    // The metrics have seen all of it.
    for (const [operation, outcome] of SEEN) {
      const seen = ({ name, labels }: (typeof samples)[number]) =>
        name === 'incode_requests_total' && labels.operation === operation && labels.outcome === outcome;
      expect(samples.find(seen)?.value, `${operation} ${outcome}`).toBeGreaterThan(0);
    }
    const activities = samples.filter(({ labels }) => labels.activity_type === 'uploadFront');
    expect(activities.length).toBeGreaterThan(0);

    const base64 = Object.values(IMAGES).map((bytes) => bytes.toString('base64'));
    const secrets = [
      IMAGE_CANARY,
      ...base64.flatMap((text) => [text.slice(0, 60), text.slice(-60)]),
      QUERY_CANARY,
      ...[OCR_CANARY, 'SPECIMEN', 'S0000000'],
      NAME_CANARY,
      ...[API_KEY, KEYS.id, KEYS.secret, NEXT_KEYS.id, NEXT_KEYS.secret, ...Object.values(EXECUTIVE_USER)],
    ];
    expect(secrets.filter((secret) => `${body}${worker.log()}`.includes(secret))).toEqual([]);
    // As labels of metrics they would be series without end. A log may name them.
    const ids = [FILE_CANARY, completed, failed, interviewId, externalCustomerId, directory, host.host, 's3://'];
    expect(ids.filter((id) => body.includes(id))).toEqual([]);
    for (const text of [body, worker.log()]) expect(text).not.toMatch(TOKEN);
  });

  const SEEN = [
    ['addFrontId', 'ok'],
    ['addBackId', 'resultUnknown'],
    ['governmentValidation', 'tokenRefused'],
    ['watchlist', 'badRequest'],
    ['deleteImages', 'tokenRefused'],
    ['deleteImages', 'ok'],
  ];
});

function isOf(references: string[], externalCustomerId: string | null): boolean {
  return references.some((reference) => externalCustomerId?.startsWith(`${reference}~`));
}
