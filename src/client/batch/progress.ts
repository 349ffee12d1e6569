import type { Client } from '@temporalio/client';
import { BATCH_QUERIES, type BatchProgress } from '../../contract/index.js';
import { missingWorker } from '../pollers.js';
import { type BatchKind, type HeldUp, type ItemRow, isStopped } from './kind.js';
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
  private stopped = 0;
  /** Sessions that ended before this run saw their shard. The rate excludes them. */
  private before = 0;
  private nextAsked = 0;
  private heldUp: HeldUp = { reason: null, waiting: 0 };
  /** That no worker polls, if none does. */
  private missing: string | null = null;
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
    this.stopped += rows.filter(isStopped).length;
    this.failed += rows.filter((row) => row.failure && !isStopped(row)).length;
    this.done += rows.filter(({ failure }) => !failure).length;
  }

  /** Sessions that were not started because the batch was stopped. */
  leftOut(rows: ItemRow[]): void {
    this.stopped += rows.length;
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
    const answers = Promise.all(asked.map((number) => this.askOne(number)));
    const [answered] = await Promise.all([answers, this.askWhatHoldsUp()]);
    const [first] = asked;
    if (first !== undefined) this.missing = answered.includes(true) ? null : await this.missingWorkerOf(first);
  }

  now(at = Date.now()): BatchRunProgress {
    const open = [...this.running.values()].map(({ known = UNKNOWN }) => known);
    const sum = (part: 'done' | 'failed' | 'waiting') => open.reduce((total, known) => total + known[part], 0);
    const done = this.done + sum('done');
    const failed = this.failed + sum('failed');
    const ended = done + failed + this.stopped;
    const perSecond = this.rate(ended - this.before, at);
    return {
      batchId: this.batchId,
      total: this.total,
      handedOver: this.handedOver,
      attached: this.attached,
      done,
      failed,
      stopped: this.stopped,
      waiting: sum('waiting'),
      perSecond,
      timeLeftMs: this.timeLeft(ended, perSecond),
      paused: open.some(({ paused }) => paused),
      heldUpBy: this.running.size > 0 ? this.whatHoldsUp(open) : null,
    };
  }

  private whatHoldsUp(open: Known[]): string | null {
    return this.missing ?? open.find(({ heldUpBy }) => heldUpBy)?.heldUpBy ?? this.heldUp.reason;
  }

  /** Nobody can tell how long people take who wait for somebody. */
  private timeLeft(ended: number, perSecond: number): number | null {
    if (this.total === null) return null;
    if (this.total === ended) return 0;
    const left = this.total - ended - this.heldUp.waiting;
    return left > 0 && perSecond > 0 && this.missing === null ? (left / perSecond) * 1_000 : null;
  }

  private async askWhatHoldsUp(now = Date.now()): Promise<void> {
    const { kind, client, batchId } = this;
    if (!kind.heldUp || this.running.size === 0 || now - this.heldUpAskedAt < HELD_UP_INTERVAL_MS) return;
    this.heldUpAskedAt = now;
    try {
      const { heldUp } = kind;
      this.heldUp = await client.withDeadline(now + QUERY_TIMEOUT_MS, () => heldUp(client, batchId));
    } catch {
      // Ignored, as for the queries.
    }
  }

  private async missingWorkerOf(number: number): Promise<string | null> {
    const { client, kind, batchId } = this;
    try {
      return await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, async () => {
        const { taskQueue } = await client.workflow.getHandle(kind.workflowId(batchId, number)).describe();
        return missingWorker(client, taskQueue);
      });
    } catch {
      return null;
    }
  }

  /** @returns whether a worker has answered */
  private async askOne(number: number): Promise<boolean> {
    const handle = this.client.workflow.getHandle(this.kind.workflowId(this.batchId, number));
    let known: Known;
    try {
      known = await this.client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
        handle.query<BatchProgress>(BATCH_QUERIES.progress),
      );
    } catch {
      // Ignored: waiting for the results reports what is wrong.
      return false;
    }
    const shard = this.running.get(number);
    if (!shard) return true;
    if (!shard.known) this.before += known.done + known.failed;
    shard.known = known;
    return true;
  }

  private rate(ended: number, at: number): number {
    this.samples.push({ at, ended });
    while ((this.samples[1]?.at ?? at) <= at - RATE_WINDOW_MS) this.samples.shift();
    const [oldest] = this.samples;
    return oldest && at > oldest.at ? Math.max(0, ((ended - oldest.ended) * 1_000) / (at - oldest.at)) : 0;
  }
}
