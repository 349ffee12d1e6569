import { randomUUID } from 'node:crypto';
import { NativeConnection } from '@temporalio/worker';
import { createWorker, readCaptureConfig, readConfig } from 'temporal-incode/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { documentTaskQueue, faceTaskQueue } from '../../src/contract/capture-workflow.js';
import { limitTaskQueue } from '../../src/worker/task-queue-limit.js';
import { workerEnvironment } from '../support/world.js';

let connection: NativeConnection;
beforeAll(async () => {
  connection = await NativeConnection.connect({ address: inject('temporalAddress') });
});
afterAll(() => connection.close());

const namespace = () => inject('temporalNamespace');

async function limitOf(taskQueue: string): Promise<number | null> {
  const { config } = await connection.workflowService.describeTaskQueue({
    namespace: namespace(),
    taskQueue: { name: taskQueue },
    taskQueueType: 2,
    reportConfig: true,
  });
  return config?.queueRateLimit?.rateLimit?.requestsPerSecond ?? null;
}

async function startWorker(queues: { single: string; bulk: string }, env: Record<string, string>): Promise<void> {
  const all = {
    ...workerEnvironment('http://127.0.0.1:9', queues.single),
    WORKER_BULK_TASK_QUEUE: queues.bulk,
    ...env,
  };
  const worker = await createWorker(readConfig(all), { capture: readCaptureConfig(all) });
  const running = worker.run();
  worker.shutdown();
  await running;
}

const newQueues = () => ({ single: `single-${randomUUID()}`, bulk: `bulk-${randomUUID()}` });

it('createWorker sets the limit of each task queue before it takes the first task', async () => {
  const queues = newQueues();
  await startWorker(queues, { INCODE_RATE_LIMIT: '100', INCODE_BULK_SHARE: '0.9' });
  // Batches: 90 requests/s in activities of two seconds. Single sessions: at most three requests for each activity.
  expect(await limitOf(queues.bulk)).toBe(0.5);
  expect(await limitOf(queues.single)).toBeCloseTo(10 / 3);
});

it('createWorker limits documents and faces if a place for images is allowed', async () => {
  const { single, bulk } = newQueues();
  const env = { INCODE_DOCUMENT_RATE_LIMIT: '2.5', INCODE_FACE_RATE_LIMIT: '4' };
  await startWorker({ single, bulk }, env);
  expect([await limitOf(documentTaskQueue(single)), await limitOf(faceTaskQueue(single))]).toEqual([null, null]);
  await startWorker({ single, bulk }, { ...env, INCODE_IMAGE_ROOTS: '/images' });
  expect([await limitOf(documentTaskQueue(single)), await limitOf(faceTaskQueue(single))]).toEqual([2.5, 4]);
});

it.each([
  [{ INCODE_REFUSES_FOREIGN_IDS: 'true' }, 2],
  [{ INCODE_EXECUTIVE_TOKEN: 'executive' }, 4],
  [{ INCODE_EXECUTIVE_TOKEN: 'executive', INCODE_REFUSES_FOREIGN_IDS: 'true' }, 4],
])('an activity of a single session counts for the requests of a finish: %j', async (env, requests) => {
  const queues = newQueues();
  await startWorker(queues, { INCODE_RATE_LIMIT: '100', INCODE_BULK_SHARE: '0.9', ...env });
  expect(await limitOf(queues.single)).toBeCloseTo(10 / requests);
});

it('createWorker without a rate limit removes a limit that a worker has set', async () => {
  const queues = newQueues();
  await startWorker(queues, { INCODE_RATE_LIMIT: '100' });
  await startWorker(queues, {});
  expect([await limitOf(queues.single), await limitOf(queues.bulk)]).toEqual([null, null]);
});

it("createWorker without a rate limit keeps an operator's limit", async () => {
  const queues = newQueues();
  await connection.workflowService.updateTaskQueueConfig({
    namespace: namespace(),
    identity: 'operator',
    taskQueue: queues.bulk,
    taskQueueType: 2,
    updateQueueRateLimit: { reason: 'Incode asked for it', rateLimit: { requestsPerSecond: 7 } },
  });
  await startWorker(queues, {});
  expect(await limitOf(queues.bulk)).toBe(7);
});

it('limitTaskQueue accepts a server that does not support the call', async () => {
  const unimplemented = Object.assign(new Error('12 UNIMPLEMENTED: unknown method'), {
    code: 12,
    details: '',
    metadata: {},
  });
  const old = { workflowService: { updateTaskQueueConfig: () => Promise.reject(unimplemented) } };
  const queue = { namespace: namespace(), taskQueue: 'any' };
  await expect(limitTaskQueue(old as never, queue, 5)).resolves.toBeUndefined();
});

it('limitTaskQueue fails without permission only if there is a limit to set', async () => {
  const denied = Object.assign(new Error('7 PERMISSION_DENIED: no'), { code: 7, details: '', metadata: {} });
  const deny = () => Promise.reject(denied);
  const cloud = { workflowService: { updateTaskQueueConfig: deny, describeTaskQueue: deny } };
  const queue = { namespace: namespace(), taskQueue: 'any' };
  await expect(limitTaskQueue(cloud as never, queue, null)).resolves.toBeUndefined();
  await expect(limitTaskQueue(cloud as never, queue, 5)).rejects.toThrow('PERMISSION_DENIED');
});
