import { NativeConnection } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { createWorker, readCaptureConfig, readConfig } from '../../dist/worker.js';
import type { RateLimit } from '../../src/testing/index.js';
import { type CaptureWorld, replaceImage, startCaptureWorld, stateOf } from '../support/capture-world.js';
import { type History, taskQueuesOf } from '../support/history.js';
import { workerEnvironment } from '../support/world.js';

/** Twice as fast as Incode's, so that the test takes half as long. A busy machine delays calls, which then arrive in a burst. */
const INCODES_LIMIT: RateLimit = { perSecond: 2, burst: 20 };
const AS_INCODE = { INCODE_DOCUMENT_RATE_LIMIT: '2', INCODE_FACE_RATE_LIMIT: '2' };

const PEOPLE = 12;
const MOST_HALF_OPEN = 8;

/** Sends everybody's references at once, and waits for all. */
async function runPeople(world: CaptureWorld, count: number): Promise<(string | undefined)[]> {
  const people = await Promise.all(Array.from({ length: count }, () => world.person()));
  const results = await Promise.all(people.map((person) => world.run(person)));
  return results.map(({ onboarding }) => onboarding?.outcome);
}

function refusals({ simulator }: CaptureWorld): number {
  return simulator.calls.filter(({ httpStatus }) => httpStatus === 429).length;
}

/** The most sessions at a time that were open and had not finished. */
function mostHalfOpen({ simulator }: CaptureWorld): number {
  const change: Record<string, number> = { start: 1, finishStatus: -1 };
  let open = 0;
  return Math.max(...simulator.calls.map(({ operation }) => (open += change[operation] ?? 0)));
}

it('people from images are uploaded within the rate limits of Incode, and finished before others begin', async () => {
  await using world = await startCaptureWorld({
    simulator: { rateLimit: { documents: INCODES_LIMIT, faces: INCODES_LIMIT } },
    worker: AS_INCODE,
  });
  expect(await runPeople(world, PEOPLE)).toEqual(Array(PEOPLE).fill('approved'));
  expect(refusals(world)).toBe(0);
  expect(mostHalfOpen(world)).toBeLessThanOrEqual(MOST_HALF_OPEN);
});

it.each(['documents', 'faces'])(
  'everybody is completed although Incode refuses calls of the class %s',
  async (name) => {
    const limit: RateLimit = { perSecond: 10, burst: 1 };
    await using world = await startCaptureWorld({ simulator: { rateLimit: { [name]: limit } } });
    expect(await runPeople(world, 3)).toEqual(Array(3).fill('approved'));
    expect(refusals(world)).toBeGreaterThan(0);
    expect(world.simulator.counts.start).toBe(3);
  },
);

it('another front waits for the turn that the first one took from the opening of the session', async () => {
  await using world = await startCaptureWorld();
  world.simulator.script({ operation: 'addFrontId', times: 1, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  const handle = await world.start(await world.person({ plan: { onRefusedImage: 'wait' } }));
  await expect.poll(async () => (await stateOf(handle)).needs).toEqual(['front']);
  await replaceImage(handle, 'front', await world.image());
  await handle.result();
  const history: History = await handle.fetchHistory();
  const documents = `${world.taskQueue}-documents`;
  expect(taskQueuesOf(history, 'openSession')).toEqual([documents]);
  expect(taskQueuesOf(history, 'uploadFront')).toEqual([`${world.taskQueue}-fronts`, documents]);
});

it('the server limits the task queues of documents and faces before the worker takes the first task', async () => {
  await using world = await startCaptureWorld({
    worker: { INCODE_DOCUMENT_RATE_LIMIT: '3', INCODE_FACE_RATE_LIMIT: '1.5' },
  });
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const [documents, faces] = [
    [3, 'temporal-incode: INCODE_DOCUMENT_RATE_LIMIT'],
    [1.5, 'temporal-incode: INCODE_FACE_RATE_LIMIT'],
  ];
  // Also those of a limit per endpoint: people may have begun with that setting.
  const expected = {
    documents,
    fronts: documents,
    backs: documents,
    'process-id': documents,
    faces,
    'process-face': faces,
  };
  const limits = Object.keys(expected).map(async (name) => [
    name,
    await limitOf(connection, `${world.taskQueue}-${name}`),
  ]);
  expect(Object.fromEntries(await Promise.all(limits))).toEqual(expected);
  await connection.close();
});

it('faces are uploaded and compared while Incode refuses every call about documents', async () => {
  await using world = await startCaptureWorld();
  const { simulator } = world;
  simulator.script({ operation: 'addFace', times: 1, code: 4019 });
  const faces = await world.start(await world.person({ plan: { onRefusedImage: 'wait' } }));
  await expect.poll(async () => (await stateOf(faces)).needs).toEqual(['selfie']);
  for (const operation of ['addFrontId', 'addBackId', 'processId'] as const) {
    simulator.fault({ operation, kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: null });
  }
  const documents = await world.start(await world.person());
  await expect.poll(() => refusals(world)).toBeGreaterThan(1);
  await replaceImage(faces, 'selfie', await world.image());
  expect((await faces.result()).onboarding?.outcome).toBe('approved');
  expect((await stateOf(documents)).stage).toBe('front');
  simulator.clearFaults();
  expect((await documents.result()).onboarding?.outcome).toBe('approved');
});

describe('with INCODE_RATE_LIMIT_PER_ENDPOINT', () => {
  const PER_ENDPOINT = { INCODE_RATE_LIMIT_PER_ENDPOINT: 'true' };

  it('each endpoint has its own task queue, and the opening of a session takes the turn of its front', async () => {
    await using world = await startCaptureWorld({ worker: PER_ENDPOINT });
    const handle = await world.start(await world.person());
    await handle.result();
    const history: History = await handle.fetchHistory();
    const queues = ['openSession', 'uploadFront', 'uploadBack', 'processId', 'uploadSelfie', 'processFace'].map(
      (activity) => taskQueuesOf(history, activity).map((queue) => queue?.slice(world.taskQueue.length)),
    );
    expect(queues).toEqual([['-documents'], ['-fronts'], ['-backs'], ['-process-id'], ['-faces'], ['-process-face']]);
    expect(taskQueuesOf(history, 'awaitProcessed')[0]).toBe(world.taskQueue);
  });

  it('people are uploaded within the limits of the endpoints', async () => {
    await using world = await startCaptureWorld({
      simulator: { rateLimit: { documents: INCODES_LIMIT, faces: INCODES_LIMIT, buckets: 'endpoint' } },
      worker: { ...AS_INCODE, ...PER_ENDPOINT },
    });
    expect(await runPeople(world, PEOPLE)).toEqual(Array(PEOPLE).fill('approved'));
    expect(refusals(world)).toBe(0);
  });

  it('people who have begun with it are completed by a worker without it', async () => {
    // The worker of this world serves another task queue.
    await using world = await startCaptureWorld({ worker: { WORKER_TASK_QUEUE: `unused-${Date.now()}` } });
    world.simulator.fault({ operation: 'addFrontId', kind: 'status', status: 429, headers: { 'retry-after': '1' } });
    const handle = await world.start(await world.person());
    const first = await startWorker(world, PER_ENDPOINT);
    await expect.poll(() => refusals(world)).toBe(1);
    await first.stop();
    const second = await startWorker(world, {});
    expect((await handle.result()).onboarding?.outcome).toBe('approved');
    await second.stop();
    expect(taskQueuesOf(await handle.fetchHistory(), 'uploadBack')).toEqual([`${world.taskQueue}-backs`]);
  });
});

async function startWorker({ simulator, taskQueue, directory }: CaptureWorld, more: Record<string, string>) {
  const env = {
    ...workerEnvironment(simulator.url, taskQueue),
    INCODE_CONFIGURATION_ID: 'flow',
    INCODE_PROCESS_POLL: '50ms',
    INCODE_IMAGE_ROOTS: directory,
    INCODE_DOCUMENT_RATE_LIMIT: '100',
    INCODE_FACE_RATE_LIMIT: '100',
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    ...more,
  };
  const worker = await createWorker(readConfig(env), { capture: readCaptureConfig(env) });
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}

async function limitOf({ workflowService }: NativeConnection, taskQueue: string) {
  const { config } = await workflowService.describeTaskQueue({
    namespace: inject('temporalNamespace'),
    taskQueue: { name: taskQueue },
    taskQueueType: 2,
    reportConfig: true,
  });
  const { rateLimit, metadata } = config?.queueRateLimit ?? {};
  return [rateLimit?.requestsPerSecond, metadata?.reason];
}
