import { randomUUID } from 'node:crypto';
import { heartbeat } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import type { BulkActivities, CompleteManyInput, CompleteManyResult } from '../../../src/activities/batch/types.js';
import { BATCH_WORKFLOW, type BatchWorkflow } from '../../../src/contract/index.js';
import { WORKFLOW_BUNDLE } from '../../support/world.js';

it('a shard runs more activities at the same time while the rate limit allows more, and fewer afterwards', async () => {
  const running: ((result: Pick<CompleteManyResult, 'more'>) => void)[] = [];
  let isOver = false;
  const completeMany = async ({ sessions }: CompleteManyInput): Promise<CompleteManyResult> => {
    const held = new Promise<Pick<CompleteManyResult, 'more'>>((resolve) => running.push(resolve));
    // Without heartbeats, the server would give a held activity to the worker again on a slow machine.
    const beats = setInterval(heartbeat, 1_000);
    const result = isOver ? {} : await held;
    clearInterval(beats);
    // All but the first session were not begun.
    return { ended: [[sessions[0]?.index ?? 0, { finish: null }]], open: [], chunk: 1, ...result };
  };
  const taskQueue = `test-${randomUUID()}`;
  const address = inject('temporalAddress');
  const namespace = inject('temporalNamespace');
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowBundle: WORKFLOW_BUNDLE,
    debugMode: true,
    activities: { completeMany } satisfies BulkActivities,
  });
  const stopped = worker.run();
  try {
    const sessions = Array.from({ length: 30 }, (_, index) => ({ interviewId: `${taskQueue}-${index}` }));
    const handle = await new Client({ connection, namespace }).workflow.start<BatchWorkflow>(BATCH_WORKFLOW, {
      workflowId: taskQueue,
      taskQueue,
      // Without claims, which would need another activity of the workflow.
      args: [{ batchId: taskQueue, shard: 0, sessions, verifyFirst: 'trust' }],
    });
    const endOne = (result: Pick<CompleteManyResult, 'more'>) => running.shift()?.(result);
    // Neither more nor fewer: the test waits until one more would have begun.
    const expectRunning = async (count: number) => {
      await expect.poll(() => running.length).toBe(count);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(running.length).toBe(count);
    };
    await expectRunning(1);
    endOne({ more: true });
    await expectRunning(4);
    endOne({ more: true });
    await expectRunning(8);
    endOne({ more: true });
    await expectRunning(16);
    endOne({ more: true });
    await expectRunning(16);
    endOne({});
    await expectRunning(15);
    const ending = setInterval(() => endOne({}), 20);
    const { rows } = await handle.result();
    clearInterval(ending);
    expect(rows.map(({ outcome }) => outcome)).toEqual(sessions.map(() => 'expired'));
  } finally {
    // A failed test must not wait for its activities.
    isOver = true;
    for (const end of running) end({});
    worker.shutdown();
    await stopped;
    await native.close();
    await connection.close();
  }
});
