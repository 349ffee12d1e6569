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

const DEFAULT_WINDOW = 16;
const DEFAULT_PROGRESS_INTERVAL_MS = 5_000;

/**
 * Completes any number of sessions, in constant memory: a few bytes for each, and one `window` of shards. The batch runs while you
 * iterate over it. What was handed over goes on at the server if this process ends, and running the same batch again attaches to it.
 * A session that fails is an item with its `failure`; the other sessions go on.
 *
 * @example
 * ```ts
 * for await (const { interviewId, outcome, failure } of completeBatch(onboarding, sessions, { batchId: 'night-2026-11-24' })) {
 *   console.log(interviewId, outcome ?? failure?.type);
 * }
 * ```
 * @throws InvalidInputError at once for an option; for a session before its shard is started
 * @throws BatchMismatchError if the batch is known with another list
 * @throws BatchShardError if somebody ends a shard from outside
 * @throws BatchDetachedError if the caller's signal is aborted
 * @throws NamespaceNotSetUpError if the namespace lacks this package's search attributes
 * @throws TemporalUnavailableError if Temporal refuses the caller, or is away for ten minutes
 */
export function completeBatch(
  { temporal: client }: BatchHost,
  sessions: Iterable<BatchSession> | AsyncIterable<BatchSession>,
  options: BatchOptions = {},
): Batch {
  const batchId = checkBatchId(options.batchId ?? `batch-${randomUUID()}`);
  const detaching = new AbortController();
  // Each shard that is waited for listens; Node takes more than ten for a leak.
  setMaxListeners(0, detaching.signal);
  const context: Omit<ShardContext, 'lastKnown'> = {
    client,
    batchId,
    plan: checkBatchPlan(options.plan),
    taskQueue: options.taskQueue ?? BULK_TASK_QUEUE,
    retryFailed: options.retryFailed ?? false,
    verifyFirst: resolveVerifyFirst(options.verifyFirst),
    total: options.total ?? (Array.isArray(sessions) ? sessions.length : null),
    signal: detaching.signal,
  };
  if (options.progressIntervalMs !== undefined) checkMilliseconds('progressIntervalMs', options.progressIntervalMs);
  const shardSize = checkShardSize(options.shardSize ?? MAX_SHARD_SESSIONS);
  const window = options.window ?? DEFAULT_WINDOW;
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
  /** Somebody has stopped the batch, so no more of it is handed over. */
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
    this.window = new Window(window, options.order !== 'asCompleted');
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
      // A start that is under way is waited for, so that what is said of it is true.
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

  /** Hands shards over as long as there is room. Never rejects: whoever takes from the window hears of an error. */
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
        // A list that was cut or continued where one shard ends and another begins has the same shards up to there.
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
    const { onProgress, progressIntervalMs = DEFAULT_PROGRESS_INTERVAL_MS } = this.options;
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

/** The SDK's own retries of a start whose server is away take longer; then the count is one shard too low. */
const DETACH_WAIT_MS = 3_000;

/** Closes the window without an error of its own. */
class Detached extends Error {}
