import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorker, readCaptureConfig, readConfig } from '../../dist/worker.js';
import { severalPeople, startPeople } from '../support/capture-batch.js';
import { type CaptureWorld, startCaptureWorld } from '../support/capture-world.js';
import { workerEnvironment } from '../support/world.js';

let world: CaptureWorld;
let stop: () => Promise<void>;
beforeAll(async () => {
  world = await startCaptureWorld();
  const env = workerEnvironment(world.simulator.url, world.taskQueue);
  const worker = await createWorker(readConfig(env), { capture: readCaptureConfig({}), worker: { debugMode: true } });
  const running = worker.run();
  stop = async () => {
    worker.shutdown();
    await running;
  };
});
afterAll(async () => {
  await stop();
  await world[Symbol.asyncDispose]();
});

it('people are onboarded if some workers of the task queue allow no place for images', async () => {
  const people = await severalPeople(world, 16);
  const { rows } = await (await startPeople(world, people)).result();
  expect(rows.map(({ outcome, failure }) => outcome ?? failure)).toEqual(people.map(() => 'approved'));
  // The second worker has had some of them first.
  expect(world.logs()).toContain('ImageNotReady');
});
