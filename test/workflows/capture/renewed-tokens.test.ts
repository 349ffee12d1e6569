import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FAILURES, SEARCH_ATTRIBUTES } from '../../../src/contract/index.js';
import {
  type CaptureHandle,
  type CaptureWorld,
  failureOf,
  pinned,
  replaceImage,
  startCaptureWorld,
  stateOf,
} from '../../support/capture-world.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.simulator.clearFaults();
  world.simulator.clearScripts();
});

const PLAN = { government: true, watchlist: true } as const;

describe('a session token that Incode refuses to renew', () => {
  it.each(['processId', 'processFace', 'governmentValidation', 'watchlist'] as const)(
    'fails the person with the answer to the renewal, and does not count as a refusal of %s',
    async (operation) => {
      const back = await world.image();
      const { sha256 } = await pinned(world, back);
      // With a refused image, Incode's refusal to process the document counts as its answer.
      if (operation === 'processId') {
        world.simulator.script({ operation: 'addBackId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
      }
      world.simulator.fault({ operation, kind: 'status', status: 401 });
      world.simulator.fault({ operation: 'start', skip: 1, kind: 'status', status: 400 });
      const input = await world.person({ back, plan: PLAN });
      const failure = await failureOf(world.start(input));
      const [session] = world.sessionsOf(input);
      expect(failure.type).toBe(FAILURES.badRequest);
      expect(failure.details?.[0]).toMatchObject({
        reference: input.reference,
        interviewId: session?.interviewId,
        operation: 'start',
        httpStatus: 400,
      });
      expect(world.simulator.effects(String(session?.interviewId)).finished).toBe(0);
    },
  );
});

describe('the stage needsToken', () => {
  const published = async (handle: CaptureHandle) =>
    (await handle.describe()).searchAttributes?.[SEARCH_ATTRIBUTES.stage]?.[0];

  it('ends when Incode accepts the token and refuses the step', async () => {
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 401, times: 2 });
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 400 });
    world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 503, times: null });
    const handle = await world.start(await world.person());
    await expect.poll(async () => (await stateOf(handle)).timeline.at(-1)?.event).toBe('Stage: completing');
    expect(await stateOf(handle)).toMatchObject({ stage: 'completing', deadline: null, waitingFor: null });
    expect((await stateOf(handle)).timeline.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['Incode accepts the session token again', 'Incode refused to compare the faces']),
    );
    await expect.poll(() => published(handle)).not.toBe('needsToken');
    world.simulator.clearFaults();
    expect((await handle.result()).onboarding?.outcome).toBe('approved');
  });

  it('ends when the image that was to be sent is needed again', async () => {
    world.simulator.fault({ operation: 'addFace', kind: 'status', status: 401, times: null });
    const input = await world.person({ plan: { onRefusedImage: 'wait' } });
    const handle = await world.start(input);
    await expect.poll(async () => (await stateOf(handle)).stage).toBe('needsToken');
    await unlink(join(world.directory, String(input.selfie?.uri).slice('file:'.length)));
    await expect.poll(async () => (await stateOf(handle)).needs).toEqual(['selfie']);
    const { stage, waitingFor, timeline } = await stateOf(handle);
    expect([stage, waitingFor]).toEqual(['needsImage', 'another image: selfie (update replaceImage)']);
    expect(timeline.map(({ event }) => event)).not.toContain('Incode accepts the session token again');
    world.simulator.clearFaults();
    await replaceImage(handle, 'selfie', await world.image());
    expect((await handle.result()).onboarding?.outcome).toBe('approved');
  });
});
