import { NativeConnection } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import type { RateLimit } from '../../src/testing/index.js';
import { type CaptureWorld, replaceImage, startCaptureWorld, stateOf } from '../support/capture-world.js';
import { type History, taskQueuesOf } from '../support/history.js';

/** Twice as fast as Incode's, so that the test takes half as long. A busy machine delays calls, which then arrive in a burst. */
const INCODES_LIMIT: RateLimit = { perSecond: 2, burst: 10 };
const AS_INCODE = { INCODE_DOCUMENT_RATE_LIMIT: '2', INCODE_FACE_RATE_LIMIT: '2' };

const PEOPLE = 12;
const MAX_HALF_OPEN = 8;

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
  expect(mostHalfOpen(world)).toBeLessThanOrEqual(MAX_HALF_OPEN);
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
  const limits = await Promise.all(
    ['documents', 'fronts', 'faces'].map((name) => limitOf(connection, `${world.taskQueue}-${name}`)),
  );
  await connection.close();
  expect(limits).toEqual([
    [3, 'temporal-incode: INCODE_DOCUMENT_RATE_LIMIT'],
    [3, 'temporal-incode: INCODE_DOCUMENT_RATE_LIMIT'],
    [1.5, 'temporal-incode: INCODE_FACE_RATE_LIMIT'],
  ]);
});

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
