import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { CAPTURE_SIGNALS } from '../../../src/contract/index.js';
import { type LocalTemporalServer, startLocalTemporalServer } from '../../../src/testing/index.js';
import {
  type CaptureHandle,
  type CaptureWorld,
  pinned,
  replaceImage,
  startCaptureWorld,
  stateOf,
} from '../../support/capture-world.js';

let server: LocalTemporalServer;
let world: CaptureWorld;
beforeAll(async () => {
  server = await startLocalTemporalServer({
    namespace: inject('temporalNamespace'),
    // The default is thousands of events.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': '30' },
    env: { ...process.env, TEMPORAL_ADDRESS: undefined },
  });
  world = await startCaptureWorld({ address: server.address });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server.stop();
});

/** Sends signals without an effect until the history is long. */
async function continueAsNew(handle: CaptureHandle): Promise<void> {
  const started = { interviewId: 'another', externalCustomerId: 'another~0123456789ab' };
  const runs = async () => (await world.temporal.workflow.count(`WorkflowId = "${handle.workflowId}"`)).count;
  await expect
    .poll(async () => {
      await handle.signal(CAPTURE_SIGNALS.sessionStarted, started);
      return runs();
    })
    .toBeGreaterThan(1);
}

it('a person who waits for another image keeps session, images and deadline when the workflow continues as new', async () => {
  const front = await world.image();
  const { sha256 } = await pinned(world, front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'WRONG_DOCUMENT_SIDE' } });
  const input = await world.person({ front, plan: { onRefusedImage: 'wait' } });
  const handle = await world.start(input);
  await expect.poll(async () => (await stateOf(handle)).stage).toBe('needsImage');
  const { deadline, interviewId } = await stateOf(handle);

  await continueAsNew(handle);

  expect(await stateOf(handle)).toMatchObject({ stage: 'needsImage', needs: ['front'], deadline, interviewId });
  await replaceImage(handle, 'front', await world.image());
  const result = await handle.result();
  expect(result).toMatchObject({ interviewId, suspectedOrphans: [], images: { front: { assessment: 'accepted' } } });
  expect(world.uploads(result.interviewId)).toEqual(['front', 'front again', 'back', 'face']);
  expect(world.sessionsOf(input)).toHaveLength(1);
});

it('a person whose tokens are refused keeps session, deadline and processing when the workflow continues as new', async () => {
  const input = await world.person();
  world.simulator.fault({ operation: 'isFinished', kind: 'status', status: 401, times: null });
  const handle = await world.start(input);
  await expect.poll(async () => (await stateOf(handle)).stage).toBe('needsToken');
  const { deadline, interviewId } = await stateOf(handle);

  await continueAsNew(handle);

  expect(await stateOf(handle)).toMatchObject({ stage: 'needsToken', deadline, interviewId });
  world.simulator.clearFaults();
  const result = await handle.result();
  expect(result).toMatchObject({
    interviewId,
    idProcessed: true,
    suspectedOrphans: [],
    onboarding: { outcome: 'approved' },
  });
  expect(world.simulator.callsOf(String(interviewId), 'processId')).toHaveLength(1);
  expect(world.sessionsOf(input)).toHaveLength(1);
});
