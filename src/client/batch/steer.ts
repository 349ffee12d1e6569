import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { BATCH_SIGNALS, checkBatchId } from '../../contract/index.js';
import { checkMilliseconds } from '../options.js';
import { withTemporalErrors } from '../temporal-failure.js';
import { BatchNotFoundError } from './errors.js';
import { lastKnownShard, listRunningShards } from './list.js';
import type { BatchHost } from './types.js';

export interface StopOptions {
  /**
   * How long to wait until no call to Incode is in flight, in milliseconds, from 0.
   *
   * @default 60000, which is longer than the longest call
   */
  waitMs?: number;
}

const CHECK_INTERVAL_MS = 1_000;

export const STOP_WAIT_MS = 60_000;

/**
 * Stops a batch: it begins no more sessions, completes the calls in flight and keeps its results. Each remaining session gets a row
 * with a failure that says so. To continue with them, run the batch again with `retryFailed`. A process that runs the batch starts
 * no more shards.
 *
 * @example
 * ```ts
 * const ending = await stopBatch(onboarding, 'night-2026-11-24');
 * ```
 * @returns the number of shards that are still ending after `waitMs`
 * @throws BatchNotFoundError
 * @throws TemporalUnavailableError
 */
export async function stopBatch(
  { temporal: client }: BatchHost,
  batchId: string,
  { waitMs = STOP_WAIT_MS }: StopOptions = {},
): Promise<number> {
  if (waitMs !== 0) checkMilliseconds('waitMs', waitMs, 'from 0');
  return withTemporalErrors(client, () => stop(client, batchId, waitMs));
}

async function stop(client: Client, batchId: string, waitMs: number): Promise<number> {
  await checkKnown(client, batchId);
  const until = Date.now() + waitMs;
  const signaled = new Set<string>();
  for (;;) {
    // Listed repeatedly, because the process that runs the batch starts shards until it notices the stop.
    const running = await listRunningShards(client, batchId);
    const unsignaled = running.filter((workflowId) => !signaled.has(workflowId));
    await signalAll(client, unsignaled, BATCH_SIGNALS.stop);
    for (const workflowId of unsignaled) signaled.add(workflowId);
    if (running.length === 0 || Date.now() >= until) return running.length;
    await sleep(CHECK_INTERVAL_MS);
  }
}

/**
 * Pauses the running shards of a batch: they begin no more sessions until {@link resumeBatch}. Shards that start later are not
 * paused.
 *
 * @example
 * ```ts
 * await pauseBatch(onboarding, 'night-2026-11-24');
 * ```
 * @returns the number of shards that got the signal
 * @throws BatchNotFoundError
 * @throws TemporalUnavailableError
 */
export function pauseBatch({ temporal: client }: BatchHost, batchId: string): Promise<number> {
  return withTemporalErrors(client, () => signalShards(client, batchId, BATCH_SIGNALS.pause));
}

/**
 * Resumes a batch after {@link pauseBatch}.
 *
 * @example
 * ```ts
 * await resumeBatch(onboarding, 'night-2026-11-24');
 * ```
 * @returns the number of shards that got the signal
 * @throws BatchNotFoundError
 * @throws TemporalUnavailableError
 */
export function resumeBatch({ temporal: client }: BatchHost, batchId: string): Promise<number> {
  return withTemporalErrors(client, () => signalShards(client, batchId, BATCH_SIGNALS.resume));
}

async function signalShards(client: Client, batchId: string, signal: string): Promise<number> {
  await checkKnown(client, batchId);
  return signalAll(client, await listRunningShards(client, batchId), signal);
}

/** @throws BatchNotFoundError */
async function checkKnown(client: Client, batchId: string): Promise<void> {
  if ((await lastKnownShard(client, checkBatchId(batchId))) < 0) throw new BatchNotFoundError(batchId);
}

const MAX_CONCURRENT_SIGNALS = 16;

async function signalAll(client: Client, workflowIds: string[], signal: string): Promise<number> {
  const left = [...workflowIds];
  let signaled = 0;
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      try {
        await client.workflow.getHandle(id).signal(signal);
        signaled += 1;
      } catch (error) {
        // The shard has ended meanwhile.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT_SIGNALS, left.length) }, lane));
  return signaled;
}
