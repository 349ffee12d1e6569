import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { BATCH_SIGNALS, checkBatchId } from '../../contract/index.js';
import { checkMilliseconds } from '../options.js';
import { withTemporalErrors } from '../temporal-failure.js';
import { BatchNotFoundError } from './errors.js';
import { lastKnownShard, listBegunPeople, listRunningShards } from './list.js';
import type { BatchHost } from './types.js';

export interface StopOptions {
  /**
   * How long to wait until no call to Incode is in flight, in milliseconds, from 0.
   *
   * @default 60000, which is longer than the longest call
   */
  waitMs?: number;
  /**
   * Also cancels the people whom the batch has begun, for which it waits up to `waitMs` too. Their sessions remain at Incode, unfinished.
   * Sessions of a batch of sessions are not affected.
   *
   * @default false: they go on as workflows of their own
   */
  cancelPeople?: boolean;
}

const CHECK_INTERVAL_MS = 1_000;

export const STOP_WAIT_MS = 60_000;

/**
 * Stops a batch: it begins no more sessions, completes the calls in flight and keeps its results. Each remaining session gets a row
 * with a failure that says so. To continue with them, run the batch again with `retryFailed`. A process that runs the batch starts
 * no more shards.
 *
 * A batch of people ends at once. People who have begun go on as workflows of their own, unless you set `cancelPeople`. Each has a row too,
 * and running the batch again with `retryFailed` collects their results.
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
  { waitMs = STOP_WAIT_MS, cancelPeople = false }: StopOptions = {},
): Promise<number> {
  if (waitMs !== 0) checkMilliseconds('waitMs', waitMs, 'from 0');
  const ending = await withTemporalErrors(client, () => stop(client, batchId, waitMs));
  if (cancelPeople && ending === 0) await cancelBegunPeople(client, batchId, waitMs);
  return ending;
}

/**
 * Cancels the people whom a stopped batch has begun, and waits until they have ended.
 *
 * @returns the number of those who were cancelled, and of those who are still ending after `waitMs`
 */
export function cancelBegunPeople(
  client: Client,
  batchId: string,
  waitMs = STOP_WAIT_MS,
): Promise<{ cancelled: number; ending: number }> {
  return withTemporalErrors(client, async () => {
    const until = Date.now() + waitMs;
    const cancelled = new Set<string>();
    for (;;) {
      // Listed repeatedly, because the server lists people with a delay.
      const running = await listBegunPeople(client, batchId);
      await forEach(client, running, cancelled, (handle) => handle.cancel());
      if (running.length === 0 || Date.now() >= until) return { cancelled: cancelled.size, ending: running.length };
      await sleep(CHECK_INTERVAL_MS);
    }
  });
}

async function stop(client: Client, batchId: string, waitMs: number): Promise<number> {
  await checkKnown(client, batchId);
  const until = Date.now() + waitMs;
  const signaled = new Set<string>();
  for (;;) {
    // Listed repeatedly, because the process that runs the batch starts shards until it notices the stop.
    const running = await listRunningShards(client, batchId);
    await forEach(client, running, signaled, (handle) => handle.signal(BATCH_SIGNALS.stop));
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
  const signaled = new Set<string>();
  await forEach(client, await listRunningShards(client, batchId), signaled, (handle) => handle.signal(signal));
  return signaled.size;
}

/** @throws BatchNotFoundError */
async function checkKnown(client: Client, batchId: string): Promise<void> {
  if ((await lastKnownShard(client, checkBatchId(batchId))) < 0) throw new BatchNotFoundError(batchId);
}

const MAX_CONCURRENT_REQUESTS = 16;

/** @param done ids of workflows that are left out, because they have taken the request. The function adds those that take it now */
async function forEach(
  client: Client,
  workflowIds: string[],
  done: Set<string>,
  request: (handle: WorkflowHandle) => Promise<unknown>,
): Promise<void> {
  const left = workflowIds.filter((workflowId) => !done.has(workflowId));
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      try {
        await request(client.workflow.getHandle(id));
        done.add(id);
      } catch (error) {
        // The workflow has ended meanwhile.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT_REQUESTS, left.length) }, lane));
}
