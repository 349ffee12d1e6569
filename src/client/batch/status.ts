import { type Client, type WorkflowExecutionInfo, WorkflowFailedError } from '@temporalio/client';
import { BATCH_QUERIES, type BatchProgress, checkBatchId } from '../../contract/index.js';
import { missingWorker } from '../pollers.js';
import { withTemporalErrors } from '../temporal-failure.js';
import { BatchNotFoundError } from './errors.js';
import { heldUpPeople } from './held-up.js';
import { type ItemRow, isStopped } from './kind.js';
import { listShards } from './list.js';
import type { ShardMemo } from './open-shard.js';
import type { BatchHost, BatchStatus } from './types.js';

const MAX_CONCURRENT_SHARDS = 8;

/** A running worker answers a query in milliseconds. */
const QUERY_TIMEOUT_MS = 5_000;

/**
 * Returns the state of a batch. It queries the running shards and reads the results of completed shards. For a million sessions it
 * reads 500 of them, up to about 400 KB each, so do not poll it. The `onProgress` of a running batch costs far less.
 *
 * @example
 * ```ts
 * const { done, failed, total } = await batchProgress(onboarding, 'night-2026-11-24');
 * ```
 * @throws BatchNotFoundError
 * @throws TemporalUnavailableError
 */
export async function batchProgress(host: BatchHost, batchId: string): Promise<BatchStatus> {
  return polledProgress(host, batchId, new Map());
}

/** Counts of completed shards by their run id, which do not change. For callers that ask again and again. */
export type ShardCounts = Map<string, Counts>;

/** As {@link batchProgress}, but reads the results of each completed shard only once. */
export async function polledProgress(
  { temporal: client }: BatchHost,
  batchId: string,
  known: ShardCounts,
): Promise<BatchStatus> {
  checkBatchId(batchId);
  return withTemporalErrors(client, () => progressOf(client, batchId, known));
}

async function progressOf(client: Client, batchId: string, known: ShardCounts): Promise<BatchStatus> {
  const shards = await listShards(client, batchId);
  if (shards.length === 0) throw new BatchNotFoundError(batchId);
  const status = emptyStatus(batchId);
  const lane = async () => {
    for (let shard = shards.pop(); shard; shard = shards.pop()) {
      await addShard(client, status, shard, known, unanswered);
    }
  };
  const unanswered: string[] = [];
  const isOfPeople = shards.some(({ memo }) => memo?.people !== undefined);
  await Promise.all(Array.from({ length: MAX_CONCURRENT_SHARDS }, lane));
  const [taskQueue] = unanswered;
  const missing = taskQueue === undefined ? null : await missingWorker(client, taskQueue);
  if (missing !== null) status.heldUpBy = missing;
  else if (isOfPeople && status.shards.running > 0) status.heldUpBy ??= (await heldUpPeople(client, batchId)).reason;
  return status;
}

function emptyStatus(batchId: string): BatchStatus {
  const shards = { running: 0, completed: 0, ended: 0 };
  const counts = { total: 0, done: 0, failed: 0, stopped: 0, waiting: 0, unknown: 0 };
  return { batchId, ...counts, outcomes: {}, shards, paused: false, heldUpBy: null };
}

/** @param unanswered gets the task queues of shards that do not answer */
async function addShard(
  client: Client,
  status: BatchStatus,
  shard: WorkflowExecutionInfo,
  known: ShardCounts,
  unanswered: string[],
): Promise<void> {
  const memo: Partial<ShardMemo> = shard.memo ?? {};
  const total = Number(memo.sessions ?? memo.people ?? 0);
  status.total += total;
  switch (shard.status.name) {
    case 'RUNNING':
    case 'PAUSED':
    case 'CONTINUED_AS_NEW': {
      status.shards.running += 1;
      const progress = await askedProgress(client, shard.workflowId);
      if (progress) addProgress(status, progress);
      else {
        status.unknown += total;
        unanswered.push(shard.taskQueue);
      }
      return;
    }
    case 'COMPLETED': {
      const rows = known.has(shard.runId) ? undefined : await rowsOf(client, shard.workflowId);
      if (rows) known.set(shard.runId, countsOf(rows));
      const counts = known.get(shard.runId);
      // Without rows, the shard has just been restarted.
      if (counts) {
        status.shards.completed += 1;
        addCounts(status, counts);
        return;
      }
      break;
    }
  }
  status.shards.ended += 1;
  status.unknown += total;
}

function addProgress(status: BatchStatus, progress: BatchProgress): void {
  addCounts(status, progress);
  status.waiting += progress.waiting;
  status.paused ||= progress.paused;
  status.heldUpBy ??= progress.heldUpBy;
}

/** Of a running shard: what was stopped is known once it has completed. */
type RunningCounts = Pick<BatchProgress, 'done' | 'failed' | 'outcomes'>;

type Counts = Pick<BatchStatus, 'done' | 'failed' | 'stopped' | 'outcomes'>;

function addCounts(status: Counts, { done, failed, stopped = 0, outcomes }: RunningCounts & Partial<Counts>): void {
  status.done += done;
  status.failed += failed;
  status.stopped += stopped;
  for (const [outcome, count] of Object.entries(outcomes)) addOutcome(status, outcome, count);
}

function countsOf(rows: ItemRow[]): Counts {
  const counts: Counts = { done: 0, failed: 0, stopped: 0, outcomes: {} };
  for (const row of rows) {
    const { outcome, failure } = row;
    if (isStopped(row)) counts.stopped += 1;
    else if (failure) counts.failed += 1;
    else counts.done += 1;
    if (outcome) addOutcome(counts, outcome, 1);
  }
  return counts;
}

function addOutcome({ outcomes }: Counts, outcome: string, count: number): void {
  const known = outcome as keyof Counts['outcomes'];
  outcomes[known] = (outcomes[known] ?? 0) + count;
}

async function askedProgress(client: Client, workflowId: string): Promise<BatchProgress | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      handle.query<BatchProgress>(BATCH_QUERIES.progress),
    );
  } catch {
    return undefined;
  }
}

async function rowsOf(client: Client, workflowId: string): Promise<ItemRow[] | undefined> {
  try {
    return (await client.workflow.getHandle<() => Promise<{ rows: ItemRow[] }>>(workflowId).result()).rows;
  } catch (error) {
    if (error instanceof WorkflowFailedError) return undefined;
    throw error;
  }
}
