import { randomUUID } from 'node:crypto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { type BulkOptions, createBulkActivities } from '../../src/activities/index.js';
import type { BatchItem, BatchOptions } from '../../src/client/index.js';
import { type BatchSession, batchWorkflowId } from '../../src/contract/index.js';
import { createIncodeClient } from '../../src/incode/index.js';
import type { SessionSpec } from '../../src/testing/simulator/index.js';
import { API_KEY, startWorld, WORKFLOW_BUNDLE, type World, type WorldOptions } from './world.js';

/** A world whose worker completes batches too. */
export interface BulkWorld extends World {
  bulkQueue: string;
  /** Options of a batch with a new id, for this world's worker, in shards of five. */
  batch(options?: BatchOptions): BatchOptions & { batchId: string };
  sessions(count: number, spec?: (index: number) => SessionSpec): Promise<(BatchSession & { sessionToken: string })[]>;
  /** How often each of the sessions was finished at Incode. */
  timesFinished(sessions: BatchSession[]): number[];
  shard(batchId: string, number: number): ReturnType<World['temporal']['workflow']['getHandle']>;
}

export async function startBulkWorld(
  options: WorldOptions = {},
  bulk: Partial<BulkOptions> = {},
  bulkQueue = `bulk-${randomUUID()}`,
): Promise<BulkWorld> {
  const world = await startWorld(options);
  const incode = createIncodeClient({
    baseUrl: world.simulator.url,
    apiKey: API_KEY,
    timeoutMs: 1_000,
    finishTimeoutMs: 1_000,
  });
  const native = await NativeConnection.connect({ address: options.address ?? inject('temporalAddress') });
  const worker = await Worker.create({
    connection: native,
    namespace: inject('temporalNamespace'),
    taskQueue: bulkQueue,
    workflowBundle: WORKFLOW_BUNDLE,
    activities: createBulkActivities({
      incode,
      settleTimeMs: 400,
      operatorRetryMs: 300,
      scorePollMs: 200,
      confirmFinishPollMs: 200,
      confirmFinishWithinMs: 2_000,
      ...bulk,
    }),
  });
  const running = worker.run();
  return {
    ...world,
    bulkQueue,
    batch: (given = {}) => ({ batchId: `batch-${randomUUID()}`, taskQueue: bulkQueue, shardSize: 5, ...given }),
    sessions: (count, spec = () => ({})) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const { interviewId, token } = await world.simulator.openSession(spec(index));
          return { interviewId, sessionToken: token };
        }),
      ),
    timesFinished: (sessions) => sessions.map(({ interviewId }) => world.simulator.effects(interviewId).finished),
    shard: (batchId, number) => world.temporal.workflow.getHandle(batchWorkflowId(batchId, number)),
    async [Symbol.asyncDispose]() {
      worker.shutdown();
      await running;
      await native.close();
      await incode.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

export function outcomes(items: BatchItem[]): (string | undefined)[] {
  return items.map(({ outcome, failure }) => outcome ?? failure?.type);
}
