import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { type BulkOptions, createBulkActivities } from '../../src/activities/index.js';
import {
  BATCH_WORKFLOW,
  type BatchInput,
  type BatchSession,
  type BatchWorkflow,
  batchWorkflowId,
} from '../../src/contract/index.js';
import { createIncodeClient, type IncodeClient } from '../../src/incode/index.js';
import type { IncodeSimulator, SessionSpec } from '../../src/testing/index.js';
import { API_KEY, startWorld, WORKFLOW_BUNDLE, type World, type WorldOptions } from './world.js';

export interface BatchWorldOptions extends Pick<WorldOptions, 'simulator' | 'address' | 'tokenSource'> {
  bulk?: Partial<BulkOptions>;
  /** @default 1_000 */
  finishTimeoutMs?: number;
}

export interface BatchWorld extends World {
  /** The task queue of the worker that completes batches. */
  bulkQueue: string;
}

/** A world with a worker for batches too. */
export async function startBatchWorld({
  bulk,
  finishTimeoutMs = 1_000,
  tokenSource,
  ...options
}: BatchWorldOptions = {}): Promise<BatchWorld> {
  const world = await startWorld(options);
  const incode: IncodeClient = createIncodeClient({
    baseUrl: world.simulator.url,
    apiKey: API_KEY,
    timeoutMs: 1_000,
    finishTimeoutMs,
  });
  const bulkQueue = `test-bulk-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address: options.address ?? inject('temporalAddress') });
  const worker = await Worker.create({
    connection,
    namespace: inject('temporalNamespace'),
    taskQueue: bulkQueue,
    workflowBundle: WORKFLOW_BUNDLE,
    activities: createBulkActivities({
      incode,
      settleTimeMs: 400,
      scorePollMs: 200,
      concurrency: 16,
      ...(tokenSource ? { tokenSource: tokenSource(incode) } : {}),
      ...bulk,
    }),
  });
  const running = worker.run();
  return {
    ...world,
    bulkQueue,
    async [Symbol.asyncDispose]() {
      worker.shutdown();
      await running;
      await connection.close();
      await incode.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

export async function openSessions(
  simulator: IncodeSimulator,
  count: number,
  spec?: SessionSpec,
): Promise<BatchSession[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => simulator.openSession(spec)));
  return opened.map(({ interviewId, token }) => ({ interviewId, sessionToken: token }));
}

export function startShard(
  { temporal, bulkQueue }: BatchWorld,
  sessions: BatchSession[],
  more: Partial<BatchInput> = {},
): Promise<WorkflowHandle<BatchWorkflow>> {
  const batchId = randomUUID();
  return temporal.workflow.start<BatchWorkflow>(BATCH_WORKFLOW, {
    workflowId: batchWorkflowId(batchId, 0),
    taskQueue: bulkQueue,
    args: [{ batchId, shard: 0, sessions, plan: { score: false }, ...more }],
  });
}

/** How often each was finished at Incode, by how often: `{1: 20}` is what everybody wants. */
export function timesFinished(simulator: IncodeSimulator, sessions: BatchSession[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { interviewId } of sessions) {
    const { finished } = simulator.effects(interviewId);
    counts[finished] = (counts[finished] ?? 0) + 1;
  }
  return counts;
}
