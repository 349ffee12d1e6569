import type { Client } from '@temporalio/client';
import { BATCH_QUERIES, type BatchProgress } from '../../contract/index.js';
import type { BatchKind, ItemRow } from './kind.js';
import type { OpenedShard } from './open-shard.js';
import type { Shard } from './shards.js';
import type { BatchRunProgress } from './types.js';

/** Long enough for a steady rate, short enough to show an outage. */
const RATE_WINDOW_MS = 60_000;

/** Limits the cost, because queries are billed. */
const QUERIES_PER_SECOND = 0.8;
const QUERY_TIMEOUT_MS = 2_000;

/** Limits the load on the server. What holds up people lasts longer. */
const HELD_UP_INTERVAL_MS = 2_000;

type Known = Pick<BatchProgress, 'done' | 'failed' | 'waiting' | 'paused' | 'heldUpBy'>;

const UNKNOWN: Known = { done: 0, failed: 0, waiting: 0, paused: false, heldUpBy: null };

/** Counts the sessions or people that this run starts and completes, and queries running shards in turn for their progress. */
export class ProgressMeter {
  private readonly client: Client;
  private readonly batchId: string;
  private readonly kind: Pick<BatchKind<unknown, ItemRow, unknown>, 'workflowId' | 'heldUp'>;
  private readonly running = new Map<number, { known: Known | undefined; isAttached: boolean }>();
  private readonly samples = [{ at: Date.now(), ended: 0 }];
  private total: number | null;
  private handedOver = 0;
  private attached = 0;
  private done = 0;
  private failed = 0;
  /** Sessions that ended before this run saw their shard. The rate excludes them. */
  private before = 0;
  private nextAsked = 0;
  private heldUpBy: string | null = null;
  private heldUpAskedAt = 0;

  constructor(
    client: Client,
    batchId: string,
    kind: Pick<BatchKind<unknown, ItemRow, unknown>, 'workflowId' | 'heldUp'>,
    total: number | null,
  ) {
    this.client = client;
    this.batchId = batchId;
    this.kind = kind;
    this.total = total;
  }

  opened({ number, ids }: Shard<unknown>, { found }: Pick<OpenedShard<ItemRow>, 'found'>): void {
    this.handedOver += ids.length;
    if (found !== 'nothing') this.attached += ids.length;
    if (found === 'completed') this.before += ids.length;
    else
      this.running.set(number, { known: found === 'nothing' ? UNKNOWN : undefined, isAttached: found === 'running' });
  }

  ended({ number }: Pick<Shard<unknown>, 'number'>, rows: ItemRow[]): void {
    const shard = this.running.get(number);
    // An attached shard that was never queried: how much of it was done before this run is unknown.
    if (shard && !shard.known) this.before += rows.length;
    this.running.delete(number);
    const failed = rows.filter(({ failure }) => failure).length;
    this.failed += failed;
    this.done += rows.length - failed;
  }

  /** Sessions that were not started because the batch was stopped. */
  leftOut(rows: ItemRow[]): void {
    this.failed += rows.length;
    this.before += rows.length;
  }

  inputEnded(total: number): void {
    this.total = total;
  }

  /** Queries the next running shards, as many as the query limit allows in one interval. */
  async ask(intervalMs: number): Promise<void> {
    const numbers = [...this.running.keys()];
    const count = Math.min(numbers.length, Math.ceil((intervalMs / 1_000) * QUERIES_PER_SECOND));
    const asked = Array.from({ length: count }, (_, at) => numbers[(this.nextAsked + at) % numbers.length] as number);
    this.nextAsked = numbers.length === 0 ? 0 : (this.nextAsked + count) % numbers.length;
    await Promise.all([...asked.map((number) => this.askOne(number)), this.askWhatHoldsUp()]);
  }

  now(at = Date.now()): BatchRunProgress {
    const open = [...this.running.values()].map(({ known = UNKNOWN }) => known);
    const sum = (part: 'done' | 'failed' | 'waiting') => open.reduce((total, known) => total + known[part], 0);
    const done = this.done + sum('done');
    const failed = this.failed + sum('failed');
    const perSecond = this.rate(done + failed - this.before, at);
    const left = this.total === null ? null : this.total - done - failed;
    return {
      batchId: this.batchId,
      total: this.total,
      handedOver: this.handedOver,
      attached: this.attached,
      done,
      failed,
      waiting: sum('waiting'),
      perSecond,
      timeLeftMs: left === 0 ? 0 : left !== null && perSecond > 0 ? (left / perSecond) * 1_000 : null,
      paused: open.some(({ paused }) => paused),
      heldUpBy: open.find(({ heldUpBy }) => heldUpBy)?.heldUpBy ?? (this.running.size > 0 ? this.heldUpBy : null),
    };
  }

  private async askWhatHoldsUp(now = Date.now()): Promise<void> {
    const { kind, client, batchId } = this;
    if (!kind.heldUp || this.running.size === 0 || now - this.heldUpAskedAt < HELD_UP_INTERVAL_MS) return;
    this.heldUpAskedAt = now;
    try {
      const ask = () => kind.heldUp?.(client, batchId) ?? null;
      this.heldUpBy = await client.withDeadline(now + QUERY_TIMEOUT_MS, async () => ask());
    } catch {
      // Ignored, as for the queries.
    }
  }

  private async askOne(number: number): Promise<void> {
    const handle = this.client.workflow.getHandle(this.kind.workflowId(this.batchId, number));
    let known: Known;
    try {
      known = await this.client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
        handle.query<BatchProgress>(BATCH_QUERIES.progress),
      );
    } catch {
      // Ignored: waiting for the results reports what is wrong.
      return;
    }
    const shard = this.running.get(number);
    if (!shard) return;
    if (!shard.known) this.before += known.done + known.failed;
    shard.known = known;
  }

  private rate(ended: number, at: number): number {
    this.samples.push({ at, ended });
    while ((this.samples[1]?.at ?? at) <= at - RATE_WINDOW_MS) this.samples.shift();
    const [oldest] = this.samples;
    return oldest && at > oldest.at ? Math.max(0, ((ended - oldest.ended) * 1_000) / (at - oldest.at)) : 0;
  }
}
