import { setMaxListeners } from 'node:events';
import { FAILURES, InvalidInputError } from '../../contract/index.js';
import { checkMilliseconds } from '../options.js';
import { temporalFailure, withTemporalErrors } from '../temporal-failure.js';
import { BatchDetachedError, BatchMismatchError } from './errors.js';
import type { ItemRow } from './kind.js';
import { lastKnownShard } from './list.js';
import { openShard, type ShardContext } from './open-shard.js';
import { ProgressMeter } from './progress.js';
import { checkShardSize, cutShards, type Shard } from './shards.js';
import type { BatchOptions } from './types.js';
import { Window } from './window.js';

/** Defaults of the options that do not depend on the kind of the items. */
export const RUN_DEFAULTS = { order: 'input', window: 16, progressIntervalMs: 5_000 } as const satisfies BatchOptions;

type RunOptions = Pick<
  BatchOptions,
  'order' | 'retryFailed' | 'signal' | 'total' | 'onProgress' | 'progressIntervalMs' | 'window'
>;

/** A batch of any kind, with its options checked. */
export interface RunInput<Item, Row extends ItemRow, Result>
  extends Pick<ShardContext<Item, Row, Result>, 'client' | 'batchId' | 'kind' | 'taskQueue'> {
  items: Iterable<Item> | AsyncIterable<Item>;
  /** The size of a shard, and its limit. */
  shardSize: { size: number; max: number };
  options: RunOptions;
}

/**
 * Runs a batch while it is iterated over.
 *
 * @throws InvalidInputError at once for an option
 */
export function runBatch<Item, Row extends ItemRow, Result>(
  input: RunInput<Item, Row, Result>,
): () => AsyncGenerator<Result, void, undefined> {
  const { client, batchId, kind, taskQueue, items, shardSize, options } = input;
  const detaching = new AbortController();
  // Each pending shard adds a listener, and Node reports more than ten as a leak.
  setMaxListeners(0, detaching.signal);
  const context: Omit<ShardContext<Item, Row, Result>, 'lastKnown'> = {
    client,
    batchId,
    kind,
    taskQueue,
    retryFailed: options.retryFailed ?? false,
    total: options.total ?? (Array.isArray(items) ? items.length : null),
    signal: detaching.signal,
  };
  if (options.progressIntervalMs !== undefined) checkMilliseconds('progressIntervalMs', options.progressIntervalMs);
  const size = checkShardSize(shardSize.size, shardSize.max);
  const window = options.window ?? RUN_DEFAULTS.window;
  if (!Number.isSafeInteger(window) || window < 1)
    throw new InvalidInputError('window', 'must be a whole number from 1');
  return () => {
    const meter = new ProgressMeter(client, batchId, kind, context.total);
    return new Run(context, cutShards(items, size, kind.shape()), options, window, meter).items(detaching);
  };
}

interface EndedShard<Row> {
  shard: Pick<Shard<unknown>, 'first' | 'number' | 'ids'>;
  rows: Row[];
}

class Run<Item, Row extends ItemRow, Result> {
  private readonly context: Omit<ShardContext<Item, Row, Result>, 'lastKnown'>;
  private readonly shards: AsyncGenerator<Shard<Item>>;
  private readonly options: RunOptions;
  private readonly window: Window<EndedShard<Row>>;
  private readonly meter: ProgressMeter;
  /** Someone stopped the batch, so no more shards start. */
  private isStopped = false;
  private isOver = false;

  constructor(
    context: Omit<ShardContext<Item, Row, Result>, 'lastKnown'>,
    shards: AsyncGenerator<Shard<Item>>,
    options: RunOptions,
    window: number,
    meter: ProgressMeter,
  ) {
    this.context = context;
    this.shards = shards;
    this.options = options;
    this.window = new Window(window, (options.order ?? RUN_DEFAULTS.order) === 'input');
    this.meter = meter;
  }

  async *items(detaching: AbortController): AsyncGenerator<Result, void, undefined> {
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
          yield this.context.kind.resultOf(shard.first + at, shard.ids[at] ?? '', row);
        }
      }
      this.options.onProgress?.(this.meter.now());
    } catch (error) {
      if (!(error instanceof Detached)) throw error;
      // Wait for a start in flight, so that `handedOver` is correct.
      await Promise.race([feeding, new Promise((resolve) => setTimeout(resolve, DETACH_WAIT_MS).unref())]);
      const progress = this.meter.now();
      this.options.onProgress?.(progress);
      throw new BatchDetachedError(this.context.batchId, progress.handedOver, this.context.kind.noun);
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
    const { client, kind } = context;
    try {
      const lastKnown = await withTemporalErrors(client, () =>
        lastKnownShard(client, context.batchId, kind.workflowType),
      );
      let total = 0;
      let shards = 0;
      let knownTotal: number | undefined;
      for await (const shard of this.shards) {
        await window.room();
        if (window.isClosed) return;
        // A list that was shortened or extended at the end of a shard has the same shards up to there. Only its total differs.
        if (shard.number > lastKnown) this.checkTotal(knownTotal, shard.number);
        total += shard.items.length;
        if (this.isStopped) this.leaveOut(shard);
        else {
          const { first, number, ids } = shard;
          const opened = await withTemporalErrors(client, () => openShard({ ...context, lastKnown }, shard));
          knownTotal ??= opened.knownTotal;
          meter.opened(shard, opened);
          const comparison = opened.found === 'nothing' ? undefined : kind.comparison?.(shard.items);
          const ended = async (rows: Row[]) => {
            const compared = await comparison;
            return this.ended({ first, number, ids }, compared ? rows.map((row, at) => compared(at, row)) : rows);
          };
          const failed = (error: unknown) => Promise.reject(temporalFailure(client, error));
          window.add(opened.rows.then(ended, failed));
          // One shard at a time, because it may read the images of all its people.
          await comparison;
        }
        shards = shard.number + 1;
      }
      if (shards <= lastKnown) throw new BatchMismatchError(context.batchId, shards, kind.noun);
      meter.inputEnded(total);
      window.close();
    } catch (error) {
      window.close(error);
    }
  }

  /** @throws BatchMismatchError */
  private checkTotal(knownTotal: number | undefined, shard: number): void {
    const { batchId, kind, total } = this.context;
    if (knownTotal !== undefined && total !== null && knownTotal !== total) {
      throw new BatchMismatchError(batchId, shard, kind.noun);
    }
  }

  private ended(shard: EndedShard<Row>['shard'], rows: Row[]): EndedShard<Row> {
    this.meter.ended(shard, rows);
    if (rows.some(({ failure }) => failure?.type === FAILURES.batchStopped)) this.isStopped = true;
    return { shard, rows };
  }

  private leaveOut({ first, number, ids }: Shard<Item>): void {
    const { subject } = this.context.kind;
    const rows = ids.map((id) => {
      const message = `${subject} ${id}: the batch was stopped before it was handed over`;
      return { failure: { type: FAILURES.batchStopped, message } } as Row;
    });
    this.meter.leftOut(rows);
    this.window.add(Promise.resolve({ shard: { first, number, ids }, rows }));
  }

  private report(): NodeJS.Timeout | undefined {
    const { onProgress, progressIntervalMs = RUN_DEFAULTS.progressIntervalMs } = this.options;
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
