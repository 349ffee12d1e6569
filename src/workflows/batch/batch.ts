import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  makeContinueAsNewFunc,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BulkActivities, BulkSession, CompleteManyInput } from '../../activities/batch/types.js';
import { bytesPerSession, fitted } from '../../contract/batch-size.js';
import {
  BATCH_QUERIES,
  BATCH_SIGNALS,
  type BatchInput,
  type BatchProgress,
  type BatchResult,
  checkBatchInput,
  resolvePlan,
  resolveVerifyFirst,
} from '../../contract/index.js';
import { guarded } from '../failures.js';
import { NEW_RUN, wantsNewRun } from '../new-run.js';
import { BULK_OPTIONS } from '../options.js';
import { startedWith, written } from '../unreadable.js';
import { PossiblySent } from './possibly-sent.js';
import { type BatchRecord, newBatchRecord, progressOf, rowOf, stoppedRow } from './record.js';
import { BatchWaits } from './timers.js';

const { completeMany } = proxyActivities<BulkActivities>(BULK_OPTIONS);

const pause = defineSignal(BATCH_SIGNALS.pause);
const resume = defineSignal(BATCH_SIGNALS.resume);
const stop = defineSignal(BATCH_SIGNALS.stop);
const progress = defineQuery<BatchProgress>(BATCH_QUERIES.progress);

/**
 * One shard of a batch: every session gets a row, whatever becomes of it. Bulk activities make each call once; what has to be
 * repeated or waited for is kept here, durably, and goes into a later one.
 *
 * @param carried what the run before this one knew; callers leave it out
 */
export async function onboardingBatch(given: BatchInput, carried?: BatchRecord): Promise<BatchResult> {
  const input = guarded(() => checkBatchInput(startedWith(given)));
  const record = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : written(carried);
  return new Batch(input, record).run();
}

/**
 * Activities of one shard at a time: while one ends, with fewer and fewer calls under way, another keeps the connections
 * busy.
 */
const MAX_CONCURRENT_ACTIVITIES = 2;

const PROBE_CHUNK = 20;

class Batch {
  private readonly input: BatchInput;
  private readonly record: BatchRecord;
  private readonly plan: CompleteManyInput['plan'];
  private readonly bytesPerSession: number;
  /** Places of the sessions that an activity is busy with. */
  private readonly busy = new Set<number>();
  private running = 0;
  private readonly waits = new BatchWaits(() => {
    this.stirred = true;
  });
  /** Something has changed that may let an activity begin. */
  private stirred = false;
  private failure: { error: unknown } | undefined;
  private readonly possiblySent: PossiblySent;

  constructor(input: BatchInput, carried: BatchRecord | undefined) {
    this.input = input;
    this.record = carried ?? newBatchRecord(input);
    this.possiblySent = new PossiblySent(this.record, carried !== undefined);
    const { close, score, scoreDeadlineMs } = resolvePlan(input.plan);
    this.plan = { close, score, scoreDeadlineMs };
    this.bytesPerSession = bytesPerSession(input.sessions);
    setHandler(pause, () => this.set({ paused: true }));
    setHandler(resume, () => this.set({ paused: false }));
    setHandler(stop, () => this.set({ stopped: true }));
    setHandler(progress, () => progressOf(this.input, this.record));
    if (carried) this.resumeWaits();
  }

  async run(): Promise<BatchResult> {
    try {
      return await this.completeAll();
    } finally {
      // A workflow that is cancelled leaves no open activity behind.
      if (this.running > 0) await CancellationScope.nonCancellable(() => condition(() => this.running === 0));
    }
  }

  private async completeAll(): Promise<BatchResult> {
    const { record } = this;
    for (;;) {
      if (this.failure) throw this.failure.error;
      const isOver = wantsNewRun();
      if (this.running === 0 && (record.stopped || record.rows.every((row) => row !== null))) return this.result();
      if (this.running === 0 && isOver && allHandlersFinished()) {
        this.possiblySent.handOver(record);
        await makeContinueAsNewFunc<typeof onboardingBatch>(NEW_RUN)(this.remaining(), record);
      }
      const atATime = record.heldUpBy === null ? MAX_CONCURRENT_ACTIVITIES : 1;
      const mayBegin = !record.stopped && !record.paused && !isOver && this.running < atATime && !this.waits.isHeld;
      const sessions = mayBegin ? this.nextChunk() : [];
      if (sessions.length > 0) {
        void this.complete(sessions);
        continue;
      }
      this.stirred = false;
      await condition(() => this.stirred || (this.running === 0 && wantsNewRun()));
    }
  }

  private async complete(sessions: BulkSession[]): Promise<void> {
    const { record } = this;
    this.running += 1;
    for (const { index } of sessions) this.busy.add(index);
    try {
      const trust = resolveVerifyFirst(this.input.verifyFirst) === 'trust';
      const { plan, bytesPerSession } = this;
      const result = await completeMany({ sessions, plan, bytesPerSession, ...(trust ? { trust } : {}) });
      const { ended, open, hold, chunk } = result;
      this.possiblySent.learn(result);
      for (const [index, end] of ended) {
        record.rows[index] = fitted(rowOf(end, plan), bytesPerSession);
        record.open[index] = null;
      }
      for (const [index, done, dueInMs] of open) record.open[index] = { done, due: Date.now() + dueInMs };
      record.chunk = chunk;
      record.holdUntil = hold ? Date.now() + hold.forMs : 0;
      record.heldUpBy = hold ? hold.why : null;
      this.waits.hold(hold?.forMs ?? 0);
      this.waits.postpone(open.map(([index, , byMs]) => ({ index, byMs })));
      this.describe();
    } catch (error) {
      this.failure = { error };
    } finally {
      for (const { index } of sessions) this.busy.delete(index);
      this.running -= 1;
      this.stirred = true;
    }
  }

  /** Sessions that were not begun yet, in their order; when there are none, those that are due again. */
  private nextChunk(): BulkSession[] {
    const { rows, open, chunk, heldUpBy } = this.record;
    const idle = rows.flatMap((row, index) => (row === null && !this.busy.has(index) ? [index] : []));
    const fresh = idle.filter((index) => !open[index]);
    const due = fresh.length > 0 || this.running > 0 ? fresh : idle.filter((index) => !this.waits.isEarly(index));
    // While Incode is in trouble one call looks whether it is over; the rest would only fill the history.
    return due.slice(0, heldUpBy === null ? chunk : PROBE_CHUNK).map((index) => {
      const done = this.possiblySent.doneOf(index, open[index]?.done);
      return { ...(this.input.sessions[index] as BulkSession), index, ...(done ? { done } : {}) };
    });
  }

  /** What the run before this one was waiting for. */
  private resumeWaits(): void {
    const { open, holdUntil } = this.record;
    this.waits.hold(holdUntil - Date.now());
    this.waits.postpone(open.flatMap((session, index) => (session ? [{ index, byMs: session.due - Date.now() }] : [])));
  }

  /** Tokens of sessions that have ended are not carried any further, and rows only in the record. */
  private remaining(): BatchInput {
    const { earlier: _, ...input } = this.input;
    const sessions = input.sessions.map((session, index) =>
      this.record.rows[index] ? { interviewId: session.interviewId } : session,
    );
    return { ...input, sessions };
  }

  private set(change: Partial<Pick<BatchRecord, 'paused' | 'stopped'>>): void {
    Object.assign(this.record, change);
    this.stirred = true;
    this.describe();
  }

  private describe(): void {
    const { total, done, failed, waiting, paused, heldUpBy } = progressOf(this.input, this.record);
    const counts = `${done} of ${total} done, ${failed} failed, ${waiting} waiting`;
    setCurrentDetails(
      [counts, ...(paused ? ['paused'] : []), ...(heldUpBy ? [`held up: ${heldUpBy}`] : [])].join('\n\n'),
    );
  }

  private result(): BatchResult {
    const { batchId, shard, sessions } = this.input;
    this.possiblySent.handOver(this.record);
    const rows = this.record.rows.map(
      (row, index) =>
        row ??
        fitted(stoppedRow(sessions[index]?.interviewId ?? '', this.record.open[index] ?? null), this.bytesPerSession),
    );
    return { batchId, shard, rows };
  }
}
