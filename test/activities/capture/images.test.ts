import { createHash } from 'node:crypto';
import { mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { ActivityEvent } from '../../../src/activities/index.js';
import { MAX_IMAGE_BYTES } from '../../../src/contract/capture.js';
import { FAILURES } from '../../../src/contract/index.js';
import { ImageError, type ImageProblem, type ImageSource, imageSources } from '../../../src/images/index.js';
import type { SelfieAnswer } from '../../../src/incode/index.js';
import { CANARY, type CaptureWorld, startCaptureWorld } from '../../support/capture-activities.js';
import { jpeg } from '../../support/images.js';
import { tokenNaming } from '../../support/tokens.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const IMAGES = { front: { uri: 'file:front.jpg' }, back: { uri: 'file:back.jpg' }, selfie: { uri: 'file:selfie.jpg' } };

async function opened({ run, activities }: CaptureWorld) {
  const { result: pinned = {} } = await run(activities.pinImages<keyof typeof IMAGES>, {
    reference: '4711',
    images: IMAGES,
  });
  const { result } = await run(activities.openSession, { reference: '4711' });
  const { interviewId = '', sessionToken = '' } = result ?? {};
  const input = (side: keyof typeof IMAGES) => ({ interviewId, sessionToken, image: pinned[side] as never });
  return { interviewId, sessionToken, input };
}

/** A source that refuses every image with this problem. */
const refusing = (problem: ImageProblem): ImageSource => ({
  schemes: ['file'],
  open: async (uri) => {
    throw new ImageError(uri, problem, 'is refused');
  },
});

describe('pinImages', () => {
  it('adds digest and size to every reference', async () => {
    await using world = await startCaptureWorld();
    const { result } = await world.run(world.activities.pinImages, { reference: '4711', images: IMAGES });
    const pinned = { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: expect.any(Number) };
    expect(result).toEqual({
      front: { uri: 'file:front.jpg', ...pinned },
      back: { uri: 'file:back.jpg', ...pinned },
      selfie: { uri: 'file:selfie.jpg', ...pinned },
    });
    expect(world.simulator.calls).toEqual([]);
  });

  it('names person and image of one that is missing, and is not retried', async () => {
    await using world = await startCaptureWorld();
    await rm(join(world.directory, 'back.jpg'));
    const { failure } = await world.run(world.activities.pinImages, { reference: '4711', images: IMAGES });
    expect(failure).toMatchObject({
      type: FAILURES.imageUnusable,
      nonRetryable: true,
      message:
        'Person 4711: back: The image file:back.jpg does not exist (the worker looks below its INCODE_IMAGE_ROOTS)',
      details: [{ interviewId: '', reference: '4711', image: 'back', problem: 'missing' }],
    });
  });

  it.each(['file:front.jpg', 'https://elsewhere.example/front.jpg', 's3://elsewhere/front.jpg'])(
    'leaves %s to another worker if this one allows no place for such images',
    async (uri) => {
      const sources = imageSources({ imageRoots: [], imageHosts: [], imageBuckets: [], imagePathStyle: false });
      await using world = await startCaptureWorld({}, { sources });
      const { failure } = await world.run(world.activities.pinImages, {
        reference: '4711',
        images: { front: { uri } },
      });
      expect(failure).toMatchObject({ type: FAILURES.imageNotReady, nonRetryable: false });
      expect((failure as Error).message).toMatch(/^Person 4711: front: .* \(.*INCODE_IMAGE_(ROOTS|HOSTS|BUCKETS).*\)$/);
    },
  );

  it.each([
    ['https://elsewhere.example/front.jpg', 'hosts', 'INCODE_IMAGE_HOSTS'],
    ['s3://elsewhere/front.jpg', 'buckets', 'INCODE_IMAGE_BUCKETS'],
  ])('names the variable of the worker that does not allow %s', async (uri, list, variable) => {
    const places = { imageRoots: [], imageHosts: ['images.example'], imageBuckets: ['images'], imagePathStyle: false };
    await using world = await startCaptureWorld({}, { sources: imageSources(places) });
    const { failure } = await world.run(world.activities.pinImages, { reference: '4711', images: { front: { uri } } });
    expect((failure as Error).message).toMatch(
      new RegExp(`^Person 4711: front: .* is not on the list of image ${list} \\(${variable} of the worker\\)$`),
    );
  });

  it('refuses an image whose digest is not the one that the caller names', async () => {
    await using world = await startCaptureWorld();
    const images = { front: { uri: 'file:front.jpg', sha256: 'a'.repeat(64) } };
    const { failure } = await world.run(world.activities.pinImages, { reference: '4711', images });
    expect(failure).toMatchObject({ type: FAILURES.imageUnusable, details: [{ problem: 'changed' }] });
  });
});

it('pinImages keeps no image in memory, not even until it is read', async () => {
  const part = new Uint8Array(65_536).fill(0x55);
  const [beginning, end] = [jpeg().subarray(0, -2), jpeg().subarray(-2)];
  const parts = 100;
  const used = () => {
    // The first collection only finds the memory that the second one frees.
    collectGarbage();
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  let kept = 0;
  const source: ImageSource = {
    schemes: ['file'],
    open: async () => ({
      bytes: beginning.length + parts * part.length + end.length,
      async *read() {
        const before = used();
        yield beginning;
        for (let index = 0; index < parts; index += 1) yield Uint8Array.from(part);
        kept = used() - before;
        yield end;
      },
      close: async () => undefined,
    }),
  };
  await using world = await startCaptureWorld({}, { sources: [source] });
  const images = { front: IMAGES.front };
  const { result } = await world.run(world.activities.pinImages, { reference: '4711', images });
  expect(result).toMatchObject({ front: { bytes: expect.any(Number) } });
  expect(kept).toBeLessThan(1_000_000);
});

describe('uploads', () => {
  it('uploads wait until their images fit into the memory for images, until Incode has answered about others', async () => {
    const bytes = MAX_IMAGE_BYTES;
    const whole = jpeg({ bytes });
    const source: ImageSource = {
      schemes: ['file'],
      open: async () => ({
        bytes,
        async *read() {
          yield whole;
        },
        close: async () => undefined,
      }),
    };
    const waiting: ((answer: SelfieAnswer) => void)[] = [];
    let sent = 0;
    const addFace = () => {
      sent += 1;
      return new Promise<SelfieAnswer>((resolve) => waiting.push(resolve));
    };
    await using world = await startCaptureWorld({}, { sources: [source], capture: { addFace } as never });
    const image = { uri: 'file:front.jpg', bytes, sha256: createHash('sha256').update(whole).digest('hex') };
    const input = { interviewId: 'i', sessionToken: tokenNaming('i'), image };
    const uploads = Array.from({ length: 10 }, () => world.run(world.activities.uploadSelfie, input));
    await expect.poll(() => sent).toBe(8);
    for (const total of [9, 10]) {
      waiting.shift()?.({} as SelfieAnswer);
      await expect.poll(() => sent).toBe(total);
    }
    for (const answer of waiting) answer({} as SelfieAnswer);
    for (const { failure } of await Promise.all(uploads)) expect(failure).toBeUndefined();
  });

  it('an upload sends the image and returns what Incode says about it', async () => {
    await using world = await startCaptureWorld();
    const { input, interviewId } = await opened(world);
    const accepted = { assessment: 'accepted', failReason: null, code: null, failedChecks: [] };
    const front = await world.run(world.activities.uploadFront, input('front'));
    expect(front.result).toMatchObject({ ...accepted, typeOfId: 'IdentificationCard' });
    expect((await world.run(world.activities.uploadBack, input('back'))).result).toMatchObject(accepted);
    const selfie = await world.run(world.activities.uploadSelfie, input('selfie'));
    expect(selfie.result).toEqual({ ...accepted, confidence: 0 });
    const { uploads } = world.simulator.captures(interviewId);
    expect(uploads.map(({ part, retry, sha256 }) => [part, retry, sha256])).toEqual([
      ['front', false, (input('front').image as { sha256: string }).sha256],
      ['back', false, (input('back').image as { sha256: string }).sha256],
      ['face', false, (input('selfie').image as { sha256: string }).sha256],
    ]);
  });

  it('an upload tells Incode that it is a repeat if an earlier one may have arrived', async () => {
    await using world = await startCaptureWorld();
    const { input, interviewId } = await opened(world);
    await world.run(world.activities.uploadFront, input('front'), { attempt: 2, afterMs: 1_000 });
    await world.run(world.activities.uploadBack, { ...input('back'), retry: true });
    expect(world.simulator.captures(interviewId).uploads.map(({ retry }) => retry)).toEqual([true, true]);
  });

  it('an upload sends nothing if the image has changed since it was pinned', async () => {
    await using world = await startCaptureWorld();
    const { input, interviewId } = await opened(world);
    await writeFile(join(world.directory, 'front.jpg'), jpeg({ content: `${CANARY} other` }));
    const { failure } = await world.run(world.activities.uploadFront, input('front'));
    expect(failure).toMatchObject({
      type: FAILURES.imageUnusable,
      nonRetryable: true,
      details: [{ interviewId, image: 'front', problem: 'changed' }],
    });
    expect(world.simulator.captures(interviewId).uploads).toEqual([]);
  });

  it.each([
    [{ kind: 'reset', effect: true }, FAILURES.maybeRunning, false],
    [{ kind: 'status', status: 500 }, FAILURES.resultUnknown, false],
    [{ kind: 'status', status: 429, headers: { 'retry-after': '7' } }, FAILURES.notTaken, false],
    [{ kind: 'status', status: 401 }, FAILURES.tokenRefused, true],
    [{ kind: 'status', status: 403 }, FAILURES.apiKeyRefused, false],
  ] as const)('an upload fails after the fault %j with the type %s', async (fault, type, nonRetryable) => {
    await using world = await startCaptureWorld();
    const { input, interviewId } = await opened(world);
    world.simulator.fault({ operation: 'addFace', ...fault });
    const { failure } = await world.run(world.activities.uploadSelfie, input('selfie'));
    expect(failure).toMatchObject({ type, nonRetryable, details: [{ interviewId, operation: 'addFace' }] });
    const isLimited = 'status' in fault && fault.status === 429;
    if (isLimited) expect((failure as ApplicationFailure).nextRetryDelay).toBe(7_000);
  });

  it('an upload sends nothing with the token of another session', async () => {
    await using world = await startCaptureWorld();
    const { input, interviewId } = await opened(world);
    const sessionToken = tokenNaming('another');
    const { failure } = await world.run(world.activities.uploadFront, { ...input('front'), sessionToken });
    expect(failure).toMatchObject({ type: FAILURES.tokenMismatch, nonRetryable: true });
    expect(world.simulator.captures(interviewId).uploads).toEqual([]);
  });
});

describe('images that cannot be read', () => {
  const input = {
    interviewId: 'i',
    sessionToken: 't',
    image: { uri: 'file:front.jpg', sha256: 'a'.repeat(64), bytes: 1 },
  };

  it.each<[ImageProblem, string, boolean, number | undefined]>([
    ['missing', FAILURES.imageUnusable, true, undefined],
    ['notAllowed', FAILURES.imageUnusable, true, undefined],
    ['noPlace', FAILURES.imageNotReady, false, undefined],
    ['slow', FAILURES.imageNotReady, false, undefined],
    ['unavailable', FAILURES.imageNotReady, false, undefined],
    ['truncated', FAILURES.imageNotReady, false, undefined],
    ['denied', FAILURES.imageNotReady, false, 60_000],
    ['noSource', FAILURES.imageNotReady, false, 60_000],
  ])(
    'an image with the problem %s fails the upload as %s, for good: %s',
    async (problem, type, nonRetryable, nextRetryDelay) => {
      const events: ActivityEvent[] = [];
      const observe = (event: ActivityEvent) => void events.push(event);
      await using world = await startCaptureWorld({}, { sources: [refusing(problem)], observe });
      const { failure } = await world.run(world.activities.uploadFront, input);
      expect(events).toEqual(nonRetryable ? [] : [{ type: 'imageNotReady', problem }]);
      expect(failure).toMatchObject({ type, nonRetryable, details: [{ image: 'front', problem }] });
      expect((failure as ApplicationFailure).nextRetryDelay).toBe(nextRetryDelay);
      expect(world.said().includes('until somebody corrects')).toBe(nextRetryDelay !== undefined);
    },
  );

  it('an image that still ends early after five minutes is unusable', async () => {
    await using world = await startCaptureWorld({}, { sources: [refusing('truncated')] });
    const at = async (afterMs: number) =>
      (await world.run(world.activities.uploadFront, input, { attempt: 2, afterMs })).failure;
    expect(await at(299_000)).toMatchObject({ type: FAILURES.imageNotReady, nonRetryable: false });
    expect(await at(300_000)).toMatchObject({ type: FAILURES.imageUnusable, nonRetryable: true });
  });

  it('the failure of an image names what is at its address: a directory, an incomplete file, another type', async () => {
    await using world = await startCaptureWorld();
    await mkdir(join(world.directory, 'folder.jpg'));
    const front = join(world.directory, 'front.jpg');
    await truncate(front, (await stat(front)).size - 2);
    await writeFile(join(world.directory, 'text.jpg'), CANARY);
    for (const [name, problem] of [
      ['folder', 'notAFile'],
      ['front', 'truncated'],
      ['text', 'wrongType'],
    ]) {
      const images = { front: { uri: `file:${name}.jpg` } };
      const { failure } = await world.run(world.activities.pinImages, { reference: '4711', images });
      expect(failure).toMatchObject({ details: [{ image: 'front', problem }] });
    }
    expect(world.said()).not.toContain(CANARY);
  });

  const hanging: ImageSource = { schemes: ['file'], open: () => new Promise(() => undefined) };

  it('an upload ends as cancelled if the workflow cancels it', async () => {
    await using world = await startCaptureWorld({}, { sources: [hanging] });
    const details = { cancelRequested: true, workerShutdown: false };
    const { failure } = await world.run(world.activities.uploadFront, input, {
      during: (environment) => environment.cancel('CANCELLED', details as never),
    });
    expect(failure).toBeInstanceOf(CancelledFailure);
  });

  it('an image is read again by another attempt if the worker shuts down', async () => {
    await using world = await startCaptureWorld({}, { sources: [hanging] });
    for (const [activity, given, subject] of [
      [world.activities.uploadFront, input, 'Session i'],
      [world.activities.pinImages, { reference: '4711', images: IMAGES }, 'Person 4711'],
    ] as const) {
      const { failure } = await world.run(activity as (given: unknown) => Promise<unknown>, given, {
        during: (environment) => environment.cancel('WORKER_SHUTDOWN', { workerShutdown: true } as never),
      });
      expect(failure).toBeInstanceOf(ApplicationFailure);
      const message = `${subject}: the worker shuts down`;
      expect(failure).toMatchObject({ type: FAILURES.notTaken, nonRetryable: false, message });
    }
  });
});

it('no activity lets out a byte of an image or a value that Incode has read from it', async () => {
  await using world = await startCaptureWorld();
  const { simulator, activities, run } = world;
  const OCR = { name: CANARY, ocrData: { fullName: CANARY }, errorDescription: CANARY, issueName: CANARY };
  for (const operation of [
    'addFrontId',
    'addBackId',
    'addFace',
    'processId',
    'processFace',
    'governmentValidation',
  ] as const) {
    simulator.script({ operation, answer: { ...OCR, existingExternalId: CANARY } });
  }
  const hits = [{ name: CANARY }];
  simulator.script({ operation: 'watchlist', answer: { content: { data: { hits } } } });
  const { input, interviewId, sessionToken } = await opened(world);
  const session = { interviewId, sessionToken };
  const everything = async () => {
    await run(activities.uploadFront, input('front'));
    await run(activities.uploadBack, input('back'));
    await run(activities.uploadSelfie, input('selfie'));
    for (const activity of [activities.processId, activities.processFace, activities.governmentValidation]) {
      await run(activity as (given: typeof session) => Promise<unknown>, session);
    }
    await run(activities.watchlist, session);
    await run(activities.awaitProcessed, { ...session, processedWithinMs: 60_000 });
  };
  await everything();
  for (const message of [CANARY, null]) {
    simulator.clearScripts();
    simulator.fault({ kind: 'status', status: 500, message, times: null });
    await everything();
    simulator.clearFaults();
    simulator.fault({ kind: 'body', body: JSON.stringify({ error: CANARY, message: CANARY }), times: null });
    await everything();
    simulator.clearFaults();
  }
  await rm(join(world.directory, 'front.jpg'));
  await everything();
  const said = world.said();
  expect(said).toContain(interviewId);
  expect(said).not.toContain(CANARY);
  expect(said).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 16));
});
