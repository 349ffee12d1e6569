import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import {
  type BatchRow,
  type BatchSession,
  BULK_TASK_QUEUE,
  checkBatchId,
  checkBatchPlan,
  FAILURES,
  InvalidInputError,
  MAX_SHARD_SESSIONS,
  resolveVerifyFirst,
} from '../../contract/index.js';
import { checkMilliseconds } from '../options.js';
import { temporalFailure, withTemporalErrors } from '../temporal-failure.js';
import { BatchDetachedError, BatchMismatchError } from './errors.js';
import { lastKnownShard } from './list.js';
import { openShard, type ShardContext } from './open-shard.js';
import { ProgressMeter } from './progress.js';
import { checkShardSize, cutShards, type Shard } from './shards.js';
import type { Batch, BatchHost, BatchItem, BatchOptions } from './types.js';
import { Window } from './window.js';

export const BATCH_DEFAULTS = {
  order: 'input',
  verifyFirst: resolveVerifyFirst(undefined),
  window: 16,
  shardSize: MAX_SHARD_SESSIONS,
  progressIntervalMs: 5_000,
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
  const detaching = new AbortController();
  // Each pending shard adds a listener, and Node reports more than ten as a leak.
  setMaxListeners(0, detaching.signal);
  const context: Omit<ShardContext, 'lastKnown'> = {
    client,
    batchId,
    plan: checkBatchPlan(options.plan),
    taskQueue: options.taskQueue ?? bulkTaskQueue,
    retryFailed: options.retryFailed ?? false,
    verifyFirst: resolveVerifyFirst(options.verifyFirst),
    total: options.total ?? (Array.isArray(sessions) ? sessions.length : null),
    signal: detaching.signal,
  };
  if (options.progressIntervalMs !== undefined) checkMilliseconds('progressIntervalMs', options.progressIntervalMs);
  const shardSize = checkShardSize(options.shardSize ?? BATCH_DEFAULTS.shardSize);
  const window = options.window ?? BATCH_DEFAULTS.window;
  if (!Number.isSafeInteger(window) || window < 1)
    throw new InvalidInputError('window', 'must be a whole number from 1');
  const run = () => {
    const meter = new ProgressMeter(client, batchId, context.total);
    return new Run(context, cutShards(sessions, shardSize), options, window, meter).items(detaching);
  };
  return { batchId, [Symbol.asyncIterator]: run };
}

interface EndedShard {
  shard: Pick<Shard, 'first' | 'number'> & { interviewIds: string[] };
  rows: BatchRow[];
}

class Run {
  private readonly context: Omit<ShardContext, 'lastKnown'>;
  private readonly shards: AsyncGenerator<Shard>;
  private readonly options: BatchOptions;
  private readonly window: Window<EndedShard>;
  private readonly meter: ProgressMeter;
  /** Someone stopped the batch, so no more shards start. */
  private isStopped = false;
  private isOver = false;

  constructor(
    context: Omit<ShardContext, 'lastKnown'>,
    shards: AsyncGenerator<Shard>,
    options: BatchOptions,
    window: number,
    meter: ProgressMeter,
  ) {
    this.context = context;
    this.shards = shards;
    this.options = options;
    this.window = new Window(window, (options.order ?? BATCH_DEFAULTS.order) === 'input');
    this.meter = meter;
  }

  async *items(detaching: AbortController): AsyncGenerator<BatchItem, void, undefined> {
    const { signal } = this.options;
    const detach = () => this.window.close(new Detached());
    signal?.addEventListener('abort', detach, { once: true });
    if (signal?.aborted) detach();
    const feeding = this.feed();
    const reporting = this.report();
    try {
      for (let taken = await this.window.take(); taken; taken = await this.window.take()) {
        const { shard, rows } = taken.value;
        for (const [at, row] of rows.entries()) {
          yield { index: shard.first + at, interviewId: shard.interviewIds[at] ?? '', ...row };
        }
      }
      this.options.onProgress?.(this.meter.now());
    } catch (error) {
      if (!(error instanceof Detached)) throw error;
      // Wait for a start in flight, so that `handedOver` is correct.
      await Promise.race([feeding, new Promise((resolve) => setTimeout(resolve, DETACH_WAIT_MS).unref())]);
      const progress = this.meter.now();
      this.options.onProgress?.(progress);
      throw new BatchDetachedError(this.context.batchId, progress.handedOver);
    } finally {
      signal?.removeEventListener('abort', detach);
      this.isOver = true;
      this.window.close(new Detached());
      clearInterval(reporting);
      detaching.abort();
    }
  }

  /** Starts shards while the window has room. Never rejects: an error closes the window and is thrown to its reader. */
  private async feed(): Promise<void> {
    const { context, window, meter } = this;
    const { client } = context;
    try {
      const lastKnown = await withTemporalErrors(client, () => lastKnownShard(client, context.batchId));
      let total = 0;
      let shards = 0;
      let knownTotal: number | undefined;
      for await (const shard of this.shards) {
        await window.room();
        if (window.isClosed) return;
        // A list that was shortened or extended at the end of a shard has the same shards up to there. Only its total differs.
        if (shard.number > lastKnown) this.checkTotal(knownTotal, shard.number);
        total += shard.sessions.length;
        if (this.isStopped) this.leaveOut(shard);
        else {
          const { first, number } = shard;
          const interviewIds = shard.sessions.map(({ interviewId }) => interviewId);
          const opened = await withTemporalErrors(client, () => openShard({ ...context, lastKnown }, shard));
          knownTotal ??= opened.knownTotal;
          meter.opened(shard, opened);
          const ended = (rows: BatchRow[]) => this.ended({ first, number, interviewIds }, rows);
          const failed = (error: unknown) => Promise.reject(temporalFailure(client, error));
          window.add(opened.rows.then(ended, failed));
        }
        shards = shard.number + 1;
      }
      if (shards <= lastKnown) throw new BatchMismatchError(context.batchId, shards, 'sessions');
      meter.inputEnded(total);
      window.close();
    } catch (error) {
      window.close(error);
    }
  }

  /** @throws BatchMismatchError */
  private checkTotal(knownTotal: number | undefined, shard: number): void {
    const { batchId, total } = this.context;
    if (knownTotal !== undefined && total !== null && knownTotal !== total) {
      throw new BatchMismatchError(batchId, shard, 'sessions');
    }
  }

  private ended(shard: EndedShard['shard'], rows: BatchRow[]): EndedShard {
    this.meter.ended(shard, rows);
    if (rows.some(({ failure }) => failure?.type === FAILURES.batchStopped)) this.isStopped = true;
    return { shard, rows };
  }

  private leaveOut({ first, number, sessions }: Shard): void {
    const interviewIds = sessions.map(({ interviewId }) => interviewId);
    const rows = interviewIds.map((interviewId) => {
      const message = `Session ${interviewId}: the batch was stopped before it was handed over`;
      return { failure: { type: FAILURES.batchStopped, message } };
    });
    this.meter.leftOut(rows);
    this.window.add(Promise.resolve({ shard: { first, number, interviewIds }, rows }));
  }

  private report(): NodeJS.Timeout | undefined {
    const { onProgress, progressIntervalMs = BATCH_DEFAULTS.progressIntervalMs } = this.options;
    if (!onProgress) return undefined;
    let isAsking = false;
    const report = async () => {
      if (isAsking) return;
      isAsking = true;
      await this.meter.ask(progressIntervalMs);
      isAsking = false;
      if (!this.isOver) onProgress(this.meter.now());
    };
    return setInterval(report, progressIntervalMs);
  }
}

/** If the server is unreachable, the SDK retries a start for longer. Then `handedOver` may be one shard too low. */
const DETACH_WAIT_MS = 3_000;

/** Marks a window that was closed by the caller. */
class Detached extends Error {}
