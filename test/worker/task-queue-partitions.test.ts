import { NativeConnection } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import { partitionsOf } from '../../src/worker/task-queue-partitions.js';

const queue = { namespace: 'any', taskQueue: 'any' };

function serverThat(listTaskQueuePartitions: () => Promise<unknown>) {
  return { workflowService: { listTaskQueuePartitions } } as never;
}

function refusal(code: number): Error {
  return Object.assign(new Error(`refused with ${code}`), { code, details: '', metadata: {} });
}

it("partitionsOf counts the partitions of the task queue's activities", async () => {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const found = await partitionsOf(connection, { namespace: inject('temporalNamespace'), taskQueue: 'partitions' });
  await connection.close();
  expect(found).toBeGreaterThanOrEqual(1);
  const activityTaskQueuePartitions = [{}, {}, {}];
  const three = serverThat(async () => ({ activityTaskQueuePartitions, workflowTaskQueuePartitions: [{}] }));
  expect(await partitionsOf(three, queue)).toBe(3);
});

it.each([
  ['does not support the call', 12],
  ['does not permit the call', 7],
])("partitionsOf assumes Temporal's default of 4 if the server %s", async (_, code) => {
  expect(
    await partitionsOf(
      serverThat(() => Promise.reject(refusal(code))),
      queue,
    ),
  ).toBe(4);
});

it('partitionsOf assumes 4 if the server lists none', async () => {
  expect(
    await partitionsOf(
      serverThat(async () => ({ activityTaskQueuePartitions: [] })),
      queue,
    ),
  ).toBe(4);
});

it('partitionsOf fails if the server cannot answer', async () => {
  const unavailable = serverThat(() => Promise.reject(refusal(14)));
  await expect(partitionsOf(unavailable, queue)).rejects.toThrow('refused with 14');
});
