import { randomUUID } from 'node:crypto';
import {
  type BatchSession,
  BULK_TASK_QUEUE,
  checkBatchId,
  checkBatchPlan,
  MAX_SHARD_SESSIONS,
} from '../../contract/index.js';
import { resolveVerifyFirst } from '../../contract/verify-first.js';
import { RUN_DEFAULTS, runBatch } from './run.js';
import { sessionsKind } from './sessions.js';
import type { Batch, BatchHost, BatchOptions } from './types.js';

export const BATCH_DEFAULTS = {
  ...RUN_DEFAULTS,
  verifyFirst: resolveVerifyFirst(undefined),
  shardSize: MAX_SHARD_SESSIONS,
} as const satisfies BatchOptions;

/**
 * Completes any number of sessions. Memory stays small: a few bytes per session and one `window` of shards. The batch runs while you
 * iterate over it. If this process ends, the server continues with the shards that it has accepted; run the same batch again to
 * attach to it. A session that fails yields an item with its `failure`, and the other sessions continue.
 *
 * @example
 * ```ts
 * for await (const { interviewId, outcome, failure } of completeBatch(onboarding, sessions, { batchId: 'night-2026-11-24' })) {
 *   console.log(interviewId, outcome ?? failure?.type);
 * }
 * ```
 * @throws InvalidInputError at once for an option, and before its shard starts for a session
 * @throws BatchMismatchError if the server knows the batch with another list or plan
 * @throws BatchShardError if someone cancels or terminates a shard, or it fails
 * @throws BatchDetachedError if your signal is aborted
 * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
 * @throws TemporalUnavailableError if Temporal refuses the caller, or is away for ten minutes
 */
export function completeBatch(
  { temporal: client, bulkTaskQueue = BULK_TASK_QUEUE }: BatchHost,
  sessions: Iterable<BatchSession> | AsyncIterable<BatchSession>,
  options: BatchOptions = {},
): Batch {
  const batchId = checkBatchId(options.batchId ?? `batch-${randomUUID()}`);
  const run = runBatch({
    client,
    batchId,
    kind: sessionsKind(checkBatchPlan(options.plan), resolveVerifyFirst(options.verifyFirst)),
    taskQueue: options.taskQueue ?? bulkTaskQueue,
    items: sessions,
    shardSize: { size: options.shardSize ?? BATCH_DEFAULTS.shardSize, max: MAX_SHARD_SESSIONS },
    options,
  });
  return { batchId, [Symbol.asyncIterator]: run };
}
