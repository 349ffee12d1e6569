import { expect, it } from 'vitest';
import { createWorker, readCaptureConfig, readConfig } from '../../dist/worker.js';
import type { CapturePerson } from '../../src/client/index.js';
import { FAILURES } from '../../src/contract/index.js';
import { severalPeople, startPeople } from '../support/capture-batch.js';
import { startCaptureWorld } from '../support/capture-world.js';
import { workerEnvironment } from '../support/world.js';

it('people are onboarded if some workers of the task queue allow no place for images', async () => {
  await using world = await startCaptureWorld({ worker: { INCODE_IMAGE_ROOTS: '' } });
  const people = await severalPeople(world, 16);
  const batch = await startPeople(world, people);
  // The worker without places has had them before the other one starts.
  const [{ reference }] = people as [CapturePerson];
  const failure = async () => (await world.onboarding.people.state(reference).catch(() => null))?.call?.lastFailure;
  await expect.poll(async () => (await failure())?.type).toBe(FAILURES.imageNotReady);

  const env = {
    ...workerEnvironment(world.simulator.url, world.taskQueue),
    INCODE_CONFIGURATION_ID: 'flow-of-the-worker',
    INCODE_IMAGE_ROOTS: world.directory,
    INCODE_DOCUMENT_RATE_LIMIT: '1000',
    INCODE_FACE_RATE_LIMIT: '1000',
  };
  const worker = await createWorker(readConfig(env), { capture: readCaptureConfig(env), worker: { debugMode: true } });
  const running = worker.run();
  try {
    const { rows } = await batch.result();
    expect(rows.map(({ outcome, failure }) => outcome ?? failure)).toEqual(people.map(() => 'approved'));
  } finally {
    worker.shutdown();
    await running;
  }
});
