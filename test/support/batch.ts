import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { BatchItem } from '../../src/client/index.js';
import {
  BATCH_WORKFLOW,
  type BatchInput,
  type BatchSession,
  type BatchWorkflow,
  batchWorkflowId,
} from '../../src/contract/index.js';
import type { TestWorld } from './world.js';

export function startShard(
  { temporal, taskQueue }: TestWorld,
  sessions: BatchSession[],
  more: Partial<BatchInput> = {},
): Promise<WorkflowHandle<BatchWorkflow>> {
  const batchId = randomUUID();
  return temporal.workflow.start<BatchWorkflow>(BATCH_WORKFLOW, {
    workflowId: batchWorkflowId(batchId, 0),
    taskQueue,
    args: [{ batchId, shard: 0, sessions, plan: { score: false }, ...more }],
  });
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

export function outcomes(items: BatchItem[]): (string | undefined)[] {
  return items.map(({ outcome, failure }) => outcome ?? failure?.type);
}
