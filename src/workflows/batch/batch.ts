import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  makeContinueAsNewFunc,
  patched,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BulkActivities, BulkSession } from '../../activities/batch/types.js';
import { type ResolvedBatchPlan, resolveBatchPlan } from '../../contract/batch.js';
import { bytesPerSession, fitted } from '../../contract/batch-size.js';
import {
  BATCH_QUERIES,
  BATCH_SIGNALS,
  type BatchInput,
  type BatchProgress,
  type BatchResult,
  checkBatchInput,
} from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { resolveVerifyFirst } from '../../contract/verify-first.js';
import { guarded } from '../failures.js';
import { NEW_RUN, wantsNewRun } from '../new-run.js';
import { BULK_OPTIONS } from '../options.js';
import { needed, readableInput } from '../unreadable.js';
import { publishProgress } from '../visibility.js';
import { ShardClaim } from './claim.js';
import { PossiblySent } from './possibly-sent.js';
import {
  type BatchRecord,
  MIN_CONCURRENT_ACTIVITIES,
  newBatchRecord,
  nextActivities,
  progressAtBegin,
  progressOf,
  rowOf,
  stoppedRow,
} from './record.js';
import { BatchWaits } from './timers.js';

const { completeMany } = proxyActivities<BulkActivities>(BULK_OPTIONS);

const pause = defineSignal(BATCH_SIGNALS.pause);
const resume = defineSignal(BATCH_SIGNALS.resume);
const stop = defineSignal(BATCH_SIGNALS.stop);
const progress = defineQuery<BatchProgress>(BATCH_QUERIES.progress);

/**
 * Completes one shard of a batch and returns a row for every session. Bulk activities make each call once. The workflow keeps sessions
 * that wait or need a retry, and gives them to a later activity.
 *
 * @param carried the record of the previous run; callers omit it
 */
export async function onboardingBatch(input: BatchInput, carried?: BatchRecord): Promise<BatchResult> {
  const checkedInput = guarded(() => checkBatchInput(readableInput(input)));
  const record = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : needed(carried);
  return new Batch(checkedInput, record).run();
}

/** Marks histories of shards that claim their sessions. */
const CLAIMS = 'claims';

/** Number of sessions that test whether an outage at Incode is over. More would only fill the history. */
const PROBE_CHUNK = 20;

class Batch {
  private readonly input: BatchInput;
  private readonly record: BatchRecord;
  private readonly plan: ResolvedBatchPlan;
  private readonly bytesPerSession: number;
  /** Indexes of the sessions that an activity works on. */
  private readonly busy = new Set<number>();
  private runningActivities = 0;
  private readonly waits = new BatchWaits(() => {
    this.changed = true;
  });
  /** Something changed that may allow another activity to begin. */
  private changed = false;
  private failure: { error: unknown } | undefined;
  private readonly possiblySent: PossiblySent;
  private readonly claim: ShardClaim;
  private isContinued = false;

  constructor(input: BatchInput, carried: BatchRecord | undefined) {
    this.input = input;
    this.record = carried ?? newBatchRecord(input);
    this.possiblySent = new PossiblySent(this.record, carried !== undefined);
    this.plan = resolveBatchPlan(input.plan);
    this.bytesPerSession = bytesPerSession(input.sessions);
    this.claim = new ShardClaim({
      sessions: input.sessions,
      isEnded: (index) => this.record.rows[index] !== null || this.record.open[index]?.done.finish !== undefined,
      onPassedOn: (indexes) => this.possiblySent.add(indexes),
      onChange: () => {
        this.changed = true;
        this.describe();
      },
    });
    setHandler(pause, () => this.set({ paused: true }));
    setHandler(resume, () => this.set({ paused: false }));
    setHandler(stop, () => this.set({ stopped: true }));
    setHandler(progress, () => this.progress());
    this.claim.listen();
    if (carried) this.resumeWaits();
  }

  async run(): Promise<BatchResult> {
    // `trust` asks nobody. A batch that an earlier version began has no claim.
    if (!this.isTrusted && patched(CLAIMS)) this.claim.begin();
    try {
      return await this.completeAll();
    } finally {
      if (!this.isContinued) await CancellationScope.nonCancellable(() => this.end());
    }
  }

  private async end(): Promise<void> {
    // A cancelled workflow must have no open activity when it ends.
    if (this.runningActivities > 0) await condition(() => this.runningActivities === 0);
    await this.claim.end();
  }

  private async completeAll(): Promise<BatchResult> {
    const { record } = this;
    for (;;) {
      if (this.failure) throw this.failure.error;
      const { isIdle } = this;
      const isRunOver = wantsNewRun();
      if (isIdle && (record.stopped || record.rows.every((row) => row !== null))) return this.result();
      if (isIdle && isRunOver && allHandlersFinished()) {
        this.possiblySent.writeTo(record);
        this.isContinued = true;
        await makeContinueAsNewFunc<typeof onboardingBatch>(NEW_RUN)(this.remaining(), record);
      }
      const sessions = isRunOver ? [] : this.nextChunk();
      if (sessions.length > 0) {
        if (!this.claim.renewAfterReset()) void this.complete(sessions);
        continue;
      }
      this.changed = false;
      await condition(() => this.changed || (this.isIdle && wantsNewRun()));
    }
  }

  /** Whether no activity or message is in flight. The next run would not get its result. */
  private get isIdle(): boolean {
    return this.runningActivities === 0 && !this.claim.isSending;
  }

  private get isTrusted(): boolean {
    return resolveVerifyFirst(this.input.verifyFirst) === 'trust';
  }

  private async complete(sessions: BulkSession[]): Promise<void> {
    const { record } = this;
    this.runningActivities += 1;
    for (const { index } of sessions) this.busy.add(index);
    try {
      const trust = this.isTrusted || undefined;
      const { plan, bytesPerSession } = this;
      const result = await completeMany({ sessions, plan, bytesPerSession, ...omitUndefined({ trust }) });
      const { ended, open, hold, chunk, more = false } = result;
      this.possiblySent.remove(result);
      for (const [index, end] of ended) {
        record.rows[index] = fitted(rowOf(end, plan), bytesPerSession);
        record.open[index] = null;
      }
      for (const [index, done, dueInMs] of open) record.open[index] = { done, due: Date.now() + dueInMs };
      record.chunk = chunk;
      record.activities = nextActivities(record, more);
      record.holdUntil = hold ? Date.now() + hold.forMs : 0;
      record.heldUpBy = hold ? hold.why : null;
      this.waits.hold(hold?.forMs ?? 0);
      this.waits.postpone(open.map(([index, , byMs]) => ({ index, byMs })));
      this.claim.releaseEnded();
      this.describe();
    } catch (error) {
      this.failure = { error };
    } finally {
      for (const { index } of sessions) this.busy.delete(index);
      this.runningActivities -= 1;
      this.changed = true;
    }
  }

  /** @returns sessions that were not begun yet or, if there are none, sessions that are due for a retry; none if nothing may begin */
  private nextChunk(): BulkSession[] {
    const { rows, open, chunk, activities, heldUpBy, stopped, paused } = this.record;
    const isOutage = heldUpBy !== null;
    const maxActivities = isOutage ? 1 : (activities ?? MIN_CONCURRENT_ACTIVITIES);
    if (stopped || paused || this.waits.isHeld || this.runningActivities >= maxActivities) return [];
    const idle = rows.flatMap((row, index) => (row === null && this.mayBegin(index) ? [index] : []));
    const fresh = idle.filter((index) => !open[index]);
    const useFresh = fresh.length > 0 || this.runningActivities > 0;
    const due = useFresh ? fresh : idle.filter((index) => !this.waits.isEarly(index));
    return due.slice(0, isOutage ? PROBE_CHUNK : chunk).map((index) => {
      const done = this.possiblySent.progressOf(index, progressAtBegin(open[index] ?? null));
      return { ...(this.input.sessions[index] as BulkSession), index, ...omitUndefined({ done }) };
    });
  }

  private mayBegin(index: number): boolean {
    return !this.busy.has(index) && this.claim.mayBegin(index);
  }

  /** Restarts the timers of the previous run. */
  private resumeWaits(): void {
    const { open, holdUntil } = this.record;
    this.waits.hold(holdUntil - Date.now());
    this.waits.postpone(open.flatMap((session, index) => (session ? [{ index, byMs: session.due - Date.now() }] : [])));
  }

  /** The input of the next run, without the tokens of ended sessions and without the rows, which are in the record. */
  private remaining(): BatchInput {
    const { earlier: _, ...input } = this.input;
    const sessions = input.sessions.map((session, index) =>
      this.record.rows[index] ? { interviewId: session.interviewId } : session,
    );
    return { ...input, sessions };
  }

  private set(change: Partial<Pick<BatchRecord, 'paused' | 'stopped'>>): void {
    Object.assign(this.record, change);
    this.changed = true;
    this.describe();
  }

  private progress(): BatchProgress {
    const { heldUpBy, ...counts } = progressOf(this.input, this.record);
    return { ...counts, heldUpBy: heldUpBy ?? this.claim.waitsFor };
  }

  private describe(): void {
    publishProgress(this.progress());
  }

  private result(): BatchResult {
    const { batchId, shard, sessions } = this.input;
    this.possiblySent.writeTo(this.record);
    const rows = this.record.rows.map(
      (row, index) =>
        row ??
        fitted(stoppedRow(sessions[index]?.interviewId ?? '', this.record.open[index] ?? null), this.bytesPerSession),
    );
    return { batchId, shard, rows };
  }
}
