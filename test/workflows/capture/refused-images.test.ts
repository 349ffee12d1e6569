import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FAILURES, type ImageReference, type ImageSide, SEARCH_ATTRIBUTES } from '../../../src/contract/index.js';
import type { ScriptableOperation } from '../../../src/testing/index.js';
import {
  type CaptureHandle,
  type CaptureWorld,
  failureOf,
  pinned,
  replaceImage,
  startCaptureWorld,
  stateOf,
} from '../../support/capture-world.js';
import { jpeg } from '../../support/images.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.simulator.clearFaults();
  world.simulator.clearScripts();
});

const UPLOADS: Record<ImageSide, ScriptableOperation> = { front: 'addFrontId', back: 'addBackId', selfie: 'addFace' };

/** Incode refuses this image whenever it is uploaded. */
async function refused(side: ImageSide): Promise<ImageReference> {
  const image = await world.image();
  const { sha256 } = await pinned(world, image);
  const answer = side === 'selfie' ? { code: 4019 } : { answer: { failReason: 'DOCUMENT_NOT_READABLE' } };
  world.simulator.script({ operation: UPLOADS[side], sha256, ...answer });
  return image;
}

async function missing(): Promise<ImageReference> {
  const image = await world.image();
  await unlink(join(world.directory, image.uri.slice('file:'.length)));
  return image;
}

async function untilNeeds(handle: CaptureHandle, ...sides: ImageSide[]): Promise<void> {
  await expect.poll(async () => (await stateOf(handle)).needs).toEqual(sides);
}

const SIDES = Object.keys(UPLOADS) as ImageSide[];

describe('an image that Incode refuses', () => {
  it.each(SIDES)('a refused image of the %s is reported, and the session goes on', async (side) => {
    const { images, onboarding, interviewId } = await world.run(await world.person({ [side]: await refused(side) }));
    expect(images[side]).toMatchObject(
      side === 'selfie'
        ? { assessment: 'refused', failReason: null, code: 4019 }
        : { assessment: 'refused', failReason: 'DOCUMENT_NOT_READABLE', code: null },
    );
    expect(onboarding?.outcome).toBe('approved');
    expect(world.uploads(interviewId)).toEqual(['front', 'back', 'face']);
  });

  it.each(SIDES)('a refused image of the %s fails the person with the plan "fail", with the facts', async (side) => {
    const input = await world.person({ [side]: await refused(side), plan: { onRefusedImage: 'fail' } });
    const failure = await failureOf(world.start(input));
    const [session] = world.sessionsOf(input);
    expect(failure.type).toBe(FAILURES.imageRefused);
    expect(failure.message).toContain(`refused the image of the ${side}`);
    expect(failure.details?.[0]).toMatchObject({
      reference: input.reference,
      interviewId: session?.interviewId,
      side,
      images: { [side]: { assessment: 'refused' } },
      suspectedOrphans: [],
    });
    expect(world.simulator.effects(String(session?.interviewId)).finished).toBe(0);
  });

  it.each(SIDES)('a refused image of the %s is replaced with the plan "wait"', async (side) => {
    const input = await world.person({ [side]: await refused(side), plan: { onRefusedImage: 'wait' } });
    const handle = await world.start(input);
    await untilNeeds(handle, side);
    expect(await stateOf(handle)).toMatchObject({
      stage: 'needsImage',
      waitingFor: `another image: ${side} (update replaceImage)`,
      deadline: expect.any(String),
      images: { [side]: { assessment: 'refused' } },
    });
    await replaceImage(handle, side, await world.image());
    const { images, interviewId, onboarding } = await handle.result();
    expect(images[side]).toMatchObject({ assessment: 'accepted' });
    expect(onboarding?.outcome).toBe('approved');
    const part = side === 'selfie' ? 'face' : side;
    expect(world.simulator.captures(interviewId).attempts[part]).toBe(2);
    // Incode's call for selfies knows no repeats.
    if (side !== 'selfie') expect(world.uploads(interviewId)).toContain(`${side} again`);
  });

  it('shows in the search attribute until it is replaced', async () => {
    const input = await world.person({ front: await refused('front'), plan: { onRefusedImage: 'wait' } });
    const handle = await world.start(input);
    await untilNeeds(handle, 'front');
    const published = async () => (await handle.describe()).searchAttributes?.[SEARCH_ATTRIBUTES.stage]?.[0];
    await expect.poll(published).toBe('needsImage');
    await replaceImage(handle, 'front', await world.image());
    await handle.result();
    await expect.poll(published).not.toBe('needsImage');
  });

  it('is asked for again if its replacement is refused too', async () => {
    const input = await world.person({ front: await refused('front'), plan: { onRefusedImage: 'wait' } });
    const handle = await world.start(input);
    for (const image of [await refused('front'), await world.image()]) {
      await untilNeeds(handle, 'front');
      await replaceImage(handle, 'front', image);
      await expect.poll(async () => (await stateOf(handle)).stage).not.toBe('needsImage');
    }
    expect((await handle.result()).images.front).toMatchObject({ assessment: 'accepted' });
  });

  it('is used after the deadline for another one', async () => {
    const plan = { onRefusedImage: 'wait', imageDeadline: '300ms' } as const;
    const { images, onboarding } = await world.run(await world.person({ front: await refused('front'), plan }));
    expect(images.front).toMatchObject({ assessment: 'refused' });
    expect(onboarding?.outcome).toBe('approved');
  });

  it('is not replaced by an image of another side, an invalid image, or before it is refused', async () => {
    const input = await world.person({ back: await refused('back'), plan: { onRefusedImage: 'wait' } });
    const handle = await world.start(input);
    await untilNeeds(handle, 'back');
    const image = await world.image();
    await expect(replaceImage(handle, 'front', image)).rejects.toMatchObject({ cause: { type: FAILURES.wrongStage } });
    const signed = { uri: 'https://images.example/a?signature=5f3a' };
    await expect(replaceImage(handle, 'back', signed)).rejects.toMatchObject({
      cause: { type: FAILURES.invalidInput, message: expect.not.stringContaining('5f3a') },
    });
    await replaceImage(handle, 'back', image);
    await handle.result();
  });
});

describe('an image that replaces a refused one', () => {
  const pathOf = ({ uri }: ImageReference) => join(world.directory, uri.slice('file:'.length));

  /** A person whose front Incode has refused. */
  async function inNeedOfFront(imageDeadline: '7 days' | '2s' = '7 days'): Promise<[CaptureHandle, string]> {
    const plan = { onRefusedImage: 'wait', imageDeadline } as const;
    const input = await world.person({ front: await refused('front'), plan });
    const handle = await world.start(input);
    await untilNeeds(handle, 'front');
    return [handle, input.reference];
  }

  /** @returns the rest of it, which makes the image whole */
  async function incomplete(): Promise<[ImageReference, () => Promise<void>]> {
    const image = await world.image();
    const whole = await readFile(pathOf(image));
    await writeFile(pathOf(image), whole.subarray(0, -10));
    return [image, () => writeFile(pathOf(image), whole)];
  }

  it.each([
    ['missing', missing],
    [
      'wrongType',
      async () => {
        const image = await world.image();
        await writeFile(pathOf(image), 'a text');
        return image;
      },
    ],
  ])(
    'is refused with the reason if it is %s, and the person keeps what is known of the first one',
    async (problem, bad) => {
      const [handle, reference] = await inNeedOfFront();
      const { deadline } = await stateOf(handle);
      await expect(replaceImage(handle, 'front', await bad())).rejects.toMatchObject({
        cause: {
          type: FAILURES.imageUnusable,
          message: expect.stringContaining(`Person ${reference}: front: `),
          details: [{ reference, side: 'front', problem }],
        },
      });
      const state = await stateOf(handle);
      expect(state).toMatchObject({ stage: 'needsImage', needs: ['front'], deadline });
      expect(state.images.front).toMatchObject({ assessment: 'refused', failReason: 'DOCUMENT_NOT_READABLE' });
      expect(state.timeline.at(-1)?.event).toBe(`The image of the front that was handed in cannot be used: ${problem}`);
      await replaceImage(handle, 'front', await world.image());
      const { images, interviewId } = await handle.result();
      expect(images.front).toMatchObject({ assessment: 'accepted' });
      expect(world.uploads(interviewId)).toEqual(['front', 'front again', 'back', 'face']);
    },
  );

  it('is accepted only when a worker has read it', async () => {
    const [handle] = await inNeedOfFront();
    const [image, complete] = await incomplete();
    let isAccepted = false;
    const replaced = replaceImage(handle, 'front', image).then(() => {
      isAccepted = true;
    });
    await expect
      .poll(async () => (await stateOf(handle)).waitingFor)
      .toBe('a worker to read the image that was handed in: front');
    await expect.poll(() => world.logs()).toContain('is incomplete: it ended early');
    expect(isAccepted).toBe(false);
    expect(await stateOf(handle)).toMatchObject({ stage: 'needsImage', needs: ['front'] });
    await complete();
    await replaced;
    expect((await handle.result()).images.front).toMatchObject({ assessment: 'accepted' });
  });

  it('is given up for a newer one', async () => {
    const [handle] = await inNeedOfFront();
    const [image] = await incomplete();
    const first = replaceImage(handle, 'front', image).catch((error: unknown) => error);
    await expect.poll(async () => (await stateOf(handle)).waitingFor).toContain('a worker to read');
    await replaceImage(handle, 'front', await world.image());
    expect(await first).toMatchObject({ cause: { type: FAILURES.wrongStage } });
    expect((await handle.result()).images.front).toMatchObject({ assessment: 'accepted' });
  });

  it('is given up at the deadline, and the session goes on with the first one', async () => {
    const [handle] = await inNeedOfFront('2s');
    const [image] = await incomplete();
    await expect(replaceImage(handle, 'front', image)).rejects.toMatchObject({ cause: { type: FAILURES.wrongStage } });
    const { images, onboarding } = await handle.result();
    expect(images.front).toMatchObject({ assessment: 'refused' });
    expect(onboarding?.outcome).toBe('approved');
  });

  it('has an answer at the deadline, although the person fails then', async () => {
    const plan = { onRefusedImage: 'wait', imageDeadline: '2s' } as const;
    const handle = await world.start(await world.person({ front: await missing(), plan }));
    await untilNeeds(handle, 'front');
    const [image] = await incomplete();
    await expect(replaceImage(handle, 'front', image)).rejects.toMatchObject({ cause: { type: FAILURES.wrongStage } });
    expect(await failureOf(Promise.resolve(handle))).toMatchObject({ type: FAILURES.imageUnusable });
  });
});

describe('a selfie that does not show a living person', () => {
  it.each([{ answer: { confidence: 1 } }, { code: 4005 }])(
    'is reported, and the session goes on, if Incode answers %j',
    async (scripted) => {
      const selfie = await world.image();
      const { sha256 } = await pinned(world, selfie);
      world.simulator.script({ operation: 'addFace', sha256, ...scripted });
      const { images, onboarding, interviewId } = await world.run(await world.person({ selfie }));
      expect(images.selfie).toMatchObject({ assessment: 'refused', code: scripted.code ?? null });
      expect(onboarding?.outcome).toBe('approved');
      expect(world.uploads(interviewId)).toEqual(['front', 'back', 'face']);
    },
  );
});

describe('a document that cannot be processed', () => {
  const unprocessable = () => world.simulator.script({ operation: 'processId', code: 6000, times: 1 });

  it('is reported, and the session goes on', async () => {
    const input = await world.person();
    unprocessable();
    expect(await world.run(input)).toMatchObject({ idProcessed: false, onboarding: { outcome: 'approved' } });
  });

  it('is processed again after both sides were replaced', async () => {
    const input = await world.person({ plan: { onRefusedImage: 'wait' } });
    unprocessable();
    const handle = await world.start(input);
    await untilNeeds(handle, 'front', 'back');
    await replaceImage(handle, 'back', await world.image());
    await untilNeeds(handle, 'front');
    await replaceImage(handle, 'front', await world.image());
    const { idProcessed, interviewId } = await handle.result();
    expect(idProcessed).toBe(true);
    expect(world.uploads(interviewId)).toEqual(['front', 'back', 'front again', 'back again', 'face']);
    expect(world.simulator.captures(interviewId).processed.id).toBe(2);
  });

  it('is processed again after the front was replaced, if there is no back', async () => {
    const { back: _, ...input } = await world.person({ plan: { onRefusedImage: 'wait' } });
    unprocessable();
    const handle = await world.start(input);
    await untilNeeds(handle, 'front');
    await replaceImage(handle, 'front', await world.image());
    const { idProcessed, interviewId } = await handle.result();
    expect(idProcessed).toBe(true);
    expect(world.uploads(interviewId)).toEqual(['front', 'front again', 'face']);
  });

  it('fails the person with the plan "fail"', async () => {
    const input = await world.person({ plan: { onRefusedImage: 'fail' } });
    unprocessable();
    expect(await failureOf(world.start(input))).toMatchObject({
      type: FAILURES.imageRefused,
      message: `Person ${input.reference}: Incode refused none of the images, but cannot process the document with them: front and back`,
    });
  });

  it('is not processed in time, and the session goes on', async () => {
    const input = await world.person({ plan: { processDeadline: '200ms' } });
    world.simulator.fault({ operation: 'isFinished', kind: 'body', body: '{"finished":false}', times: null });
    expect(await world.run(input)).toMatchObject({ idProcessed: false, onboarding: { outcome: 'approved' } });
  });
});

describe('an image that cannot be read', () => {
  it.each(SIDES)('an unreadable image of the %s fails the person before a session is opened', async (side) => {
    const input = await world.person({ [side]: await missing() });
    const failure = await failureOf(world.start(input));
    expect(failure.type).toBe(FAILURES.imageUnusable);
    expect(failure.details?.[0]).toMatchObject({
      reference: input.reference,
      interviewId: null,
      side,
      problem: 'missing',
    });
    expect(world.sessionsOf(input)).toEqual([]);
  });

  it('is read again until it is whole, and no session is opened before', async () => {
    const input = await world.person();
    const path = join(world.directory, input.front.uri.slice('file:'.length));
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, -10));
    const handle = await world.start(input);
    await expect.poll(() => world.logs()).toContain(`Person ${input.reference}: front: `);
    expect(world.sessionsOf(input)).toEqual([]);
    await writeFile(path, whole);
    const { interviewId } = await handle.result();
    const [upload] = world.simulator.captures(interviewId).uploads;
    expect(upload?.bytes).toBe(whole.length);
    expect(world.uploads(interviewId)).toEqual(['front', 'back', 'face']);
  });

  it('is replaced with the plan "wait" before a session is opened', async () => {
    const input = await world.person({ selfie: await missing(), plan: { onRefusedImage: 'wait' } });
    const handle = await world.start(input);
    await untilNeeds(handle, 'selfie');
    expect(world.sessionsOf(input)).toEqual([]);
    const uri = input.selfie?.uri;
    const reason = expect.stringContaining(`The image ${uri} does not exist`);
    expect(await stateOf(handle)).toMatchObject({ unusableImage: { side: 'selfie', uri, problem: 'missing', reason } });
    await replaceImage(handle, 'selfie', await world.image());
    expect(await stateOf(handle)).not.toHaveProperty('unusableImage');
    expect(await handle.result()).toMatchObject({ images: { selfie: { assessment: 'accepted' } } });
  });

  it('fails the person after the deadline for another one', async () => {
    const plan = { onRefusedImage: 'wait', imageDeadline: '300ms' } as const;
    const input = await world.person({ front: await missing(), plan });
    expect((await failureOf(world.start(input))).details?.[0]).toMatchObject({ side: 'front', problem: 'missing' });
    expect(world.sessionsOf(input)).toEqual([]);
  });

  it('fails the person if it is not the one that the reference names', async () => {
    const front = { ...(await world.image()), sha256: 'a0'.repeat(32) };
    const failure = await failureOf(world.start(await world.person({ front })));
    expect(failure.details?.[0]).toMatchObject({ side: 'front', problem: 'changed' });
  });

  it.each<[string, (image: Buffer) => Buffer]>([
    ['of the same size', withAnotherContent],
    ['of another size', () => jpeg({ content: 'another person' })],
  ])(
    'is not uploaded if another one %s is in its place since the start, and the failure names the session',
    async (_, other) => {
      const input = await world.person();
      world.simulator.fault({ operation: 'addFrontId', kind: 'status', status: 503, times: null });
      const handle = await world.start(input);
      await expect.poll(async () => (await stateOf(handle)).stage).toBe('front');
      const path = join(world.directory, (input.back?.uri ?? '').slice('file:'.length));
      await writeFile(path, other(await readFile(path)));
      world.simulator.clearFaults();
      const failure = await failureOf(Promise.resolve(handle));
      const [session] = world.sessionsOf(input);
      expect(failure.type).toBe(FAILURES.imageUnusable);
      expect(failure.details?.[0]).toMatchObject({
        side: 'back',
        problem: 'changed',
        interviewId: session?.interviewId,
      });
      expect(world.simulator.captures(String(session?.interviewId)).attempts).toEqual({ front: 1, back: 0, face: 0 });
    },
  );
});

/** Changes the last byte before the end mark, so that only the digest tells the two images apart. */
function withAnotherContent(image: Buffer): Buffer {
  const other = Buffer.from(image);
  other.writeUInt8(other.readUInt8(other.length - 3) ^ 1, other.length - 3);
  return other;
}
