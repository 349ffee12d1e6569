import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import {
  BATCH_QUERIES,
  type BatchProgress,
  CAPTURE_BATCH_WORKFLOW,
  type CaptureBatchInput,
  type CaptureBatchWorkflow,
  type CapturePerson,
  captureBatchWorkflowId,
} from '../../src/contract/index.js';
import type { CaptureWorld } from './capture-world.js';

export type PeopleHandle = WorkflowHandle<CaptureBatchWorkflow>;

/** Starts a shard of people in a new batch. */
export function startPeople(
  { temporal, taskQueue }: CaptureWorld,
  people: CapturePerson[],
  more: Partial<CaptureBatchInput> = {},
): Promise<PeopleHandle> {
  const batchId = `people-${randomUUID()}`;
  return temporal.workflow.start<CaptureBatchWorkflow>(CAPTURE_BATCH_WORKFLOW, {
    workflowId: captureBatchWorkflowId(batchId, 0),
    taskQueue,
    args: [{ batchId, shard: 0, people, ...more }],
  });
}

export function progressOfPeople(handle: PeopleHandle): Promise<BatchProgress> {
  return handle.query<BatchProgress>(BATCH_QUERIES.progress);
}

/** Several people with new references and images. */
export async function severalPeople(world: CaptureWorld, count: number): Promise<CapturePerson[]> {
  return Promise.all(Array.from({ length: count }, () => world.person()));
}
