import { activityInfo, Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { fitted, MIN_BYTES_PER_SESSION } from '../../contract/batch-size.js';
import { FAILURES } from '../../contract/index.js';
import { IncodeError } from '../../incode/index.js';
import { isFirstAttempt, serverClock } from '../call.js';
import { needsOperator, warnOperator } from '../failure.js';
import { Lease, leased, NotCurrentError } from '../lease.js';
import { emit } from '../observe.js';
import type { ResolvedActivityOptions } from '../options.js';
import { type AttemptProgress, detailsOf, progressOf } from './attempt-progress.js';
import { type BulkSessionOptions, completeSession, type Step } from './complete-session.js';
import { inTurn, pacedClient } from './paced-client.js';
import { correction, needsMore, type RateShare } from './rate-share.js';
import { requestsOf, sessionsPerActivity } from './request-count.js';
import { RequestPacer } from './request-pacer.js';
import type { SharedThrottle } from './shared-throttle.js';
import { Stragglers } from './stragglers.js';
import type { BulkProgress, BulkSession, CompleteManyInput, CompleteManyResult } from './types.js';

export interface ManyOptions {
  concurrency: number;
  /** `undefined` for no limit. */
  share: RateShare | undefined;
  /** Sessions per activity without a limit. */
  chunk: number;
}

/**
 * After this time, an attempt begins no session and sends no finish. A worker that lost the server continues without knowing. Another worker
 * takes over after the heartbeat timeout, reads each status and leaves unfinished sessions alone for the settle time. By then, every request
 * of the first worker has ended.
 */
const BEGIN_WITHIN_MS = 10_000;

/** Interval of the search for calls that hang. */
const STRAGGLER_CHECK_MS = 1_000;

export function completeMany(options: ResolvedActivityOptions, throttle: SharedThrottle, limits: ManyOptions) {
  return (input: CompleteManyInput): Promise<CompleteManyResult> =>
    new BulkAttempt(options, throttle, limits, input).run();
}

class BulkAttempt {
  private readonly options: BulkSessionOptions;
  private readonly throttle: SharedThrottle;
  private readonly limits: ManyOptions;
  private readonly input: CompleteManyInput;
  private readonly signal = Context.current().cancellationSignal;
  private readonly progress: AttemptProgress;
  private readonly open: CompleteManyResult['open'] = [];
  /** Sessions to begin, in reverse order. */
  private readonly pending: BulkSession[];
  private readonly beginBy = performance.now() + BEGIN_WITHIN_MS;
  private readonly lease = new Lease();
  private readonly stragglers = new Stragglers();
  private readonly givenUp = new AbortController();
  /** Aborts calls in flight. */
  private readonly callSignal = AbortSignal.any([this.signal, this.givenUp.signal]);
  private requestsLeft: number;
  /** Spaces the begins of sessions, so that activities of other workers can use the rest of the rate limit at the same time. */
  private readonly begins: RequestPacer;
  private readonly waitedMs = Date.now() - activityInfo().currentAttemptScheduledTimestampMs;
  /** Resolves when no more sessions begin: after the time, all sessions or all requests, or after a cancellation. */
  private readonly isOver: Promise<false>;
  private readonly allBegun = new AbortController();

  constructor(
    options: ResolvedActivityOptions,
    throttle: SharedThrottle,
    limits: ManyOptions,
    input: CompleteManyInput,
  ) {
    this.throttle = throttle;
    const { incode, tokenSource } = options;
    this.options = {
      ...options,
      incode: pacedClient(
        leased(incode, this.lease, () => detailsOf(this.progress)),
        throttle.pace,
        () => performance.now() <= this.beginBy,
      ),
      // Paced too, because the built-in source calls Incode.
      ...(tokenSource
        ? { tokenSource: { ...tokenSource, token: inTurn(throttle.pace, (...args) => tokenSource.token(...args)) } }
        : {}),
      now: serverClock(),
      trust: input.trust === true,
      onAccepted: (index) => this.progress.accepted.add(index),
    };
    this.limits = limits;
    this.input = input;
    this.requestsLeft = limits.share?.requests ?? Number.POSITIVE_INFINITY;
    this.begins = new RequestPacer(limits.share?.perSecond);
    const over = AbortSignal.any([this.signal, this.allBegun.signal, AbortSignal.timeout(BEGIN_WITHIN_MS)]);
    this.isOver = new Promise((resolve) => over.addEventListener('abort', () => resolve(false), { once: true }));
    this.progress = progressOf(activityInfo().heartbeatDetails);
    const { ended, accepted } = this.progress;
    const isEnded = new Set(ended.map(([index]) => index));
    const left = input.sessions.filter(({ index }) => !isEnded.has(index)).map(withSentTime);
    this.pending = (isFirstAttempt() ? left : left.map((session) => asPossiblyBegun(session, accepted))).reverse();
  }

  async run(): Promise<CompleteManyResult> {
    const { heartbeatTimeoutMs } = activityInfo();
    // Three heartbeats fit into the timeout, so that a late one does no harm.
    const heartbeats = heartbeatTimeoutMs ? setInterval(() => this.sendHeartbeat(), heartbeatTimeoutMs / 3) : undefined;
    const watch = setInterval(() => this.giveUpStragglers(), STRAGGLER_CHECK_MS);
    try {
      // This task may have reached the worker so late that the server has already given it to another worker.
      await this.lease.renew(detailsOf(this.progress));
      await this.keepToShare();
      do {
        const parallel = Math.min(this.limits.concurrency, this.pending.length);
        await Promise.all(Array.from({ length: parallel }, () => this.completeInSequence()));
        // Repeated after a successful probe.
      } while (this.mayBegin() && !this.throttle.breaker.hold());
    } catch (error) {
      if (!(error instanceof NotCurrentError)) throw error;
      // A replaced attempt needs no result. Any other attempt has begun nothing, so the server must retry it.
      if (!error.isReplaced) throw ApplicationFailure.retryable(error.message, FAILURES.notTaken);
    } finally {
      clearInterval(heartbeats);
      clearInterval(watch);
    }
    const hold = this.throttle.breaker.hold();
    const open = [...this.open, ...this.leftOver()];
    const runId = activityInfo().workflowExecution?.runId;
    const chunk = sessionsPerActivity(this.limits, this.options, this.input);
    const { ended } = this.progress;
    const { share } = this.limits;
    const more = share && needsMore(share, this.waitedMs) ? { more: true as const } : {};
    return { ended, open, chunk, ...more, ...(hold ? { hold } : {}), ...(runId ? { runId } : {}) };
  }

  /**
   * Saves the sessions that have ended, so that the next attempt skips them if this worker dies. The SDK's heartbeat receives a
   * cancellation, but does not report whether the server got the heartbeat. So the lease sends another heartbeat.
   */
  private sendHeartbeat(): void {
    const details = detailsOf(this.progress);
    heartbeat(details);
    this.lease.renew(details).catch(() => undefined);
  }

  /**
   * Aborts stragglers, so that all other sessions do not wait for them: a call may last longer than half a minute. Their requests may still
   * take effect, so the workflow has their status read later.
   */
  private giveUpStragglers(): void {
    if (!this.mayBegin() && this.stragglers.areLeft) this.givenUp.abort();
  }

  /** Sessions that this attempt did not begin, but an earlier attempt may have. Returned as open, so that the next activity reads their status. */
  private leftOver(): CompleteManyResult['open'] {
    if (isFirstAttempt()) return [];
    return this.pending.map(({ index, done = {} }) => [index, done, 0]);
  }

  /** Sends fewer requests if another activity of this worker still has some to send. */
  private async keepToShare(): Promise<void> {
    const { share } = this.limits;
    if (!share) return;
    const { waitMs, omit } = correction(share, this.waitedMs, this.throttle.busy.isAfterPause(share));
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    this.requestsLeft -= Math.max(omit, this.throttle.pace.backlog());
  }

  /** Completes one session after the other until no more may begin. */
  private async completeInSequence(): Promise<void> {
    const { slots, breaker } = this.throttle;
    while (this.mayBegin()) {
      const turn = this.begins.turn(performance.now(), this.requestsOfNext());
      if (turn && !(await Promise.race([turn.then(() => true), this.isOver]))) return;
      const slot = slots.acquire();
      // A slot is nearly always free. Then the code avoids a promise per session.
      if (slot) await slot;
      try {
        // Checked again, because others may have taken the last session or opened the breaker.
        const session = this.mayBegin() ? this.pending.at(-1) : undefined;
        const admission = session ? breaker.admit() : 'no';
        if (!session || admission === 'no') return;
        this.pending.pop();
        this.requestsLeft -= requestsOf(session, this.options, this.input);
        if (this.requestsLeft <= 0 || this.pending.length === 0) this.allBegun.abort();
        const { options, input, callSignal } = this;
        this.record(
          session,
          await this.stragglers.time(() => completeSession(options, session, input.plan, callSignal)),
        );
        if (admission === 'asProbe') return;
      } finally {
        slots.release();
      }
    }
  }

  private requestsOfNext(): number {
    const next = this.pending.at(-1);
    return next ? requestsOf(next, this.options, this.input) : 0;
  }

  private mayBegin(): boolean {
    return (
      this.pending.length > 0 &&
      this.requestsLeft > 0 &&
      !this.signal.aborted &&
      !this.lease.isLost &&
      performance.now() < this.beginBy
    );
  }

  private record({ index }: BulkSession, step: Step): void {
    emit(this.options.observe, { type: 'batchSession', result: resultOf(step) });
    const { bytesPerSession = MIN_BYTES_PER_SESSION } = this.input;
    if ('end' in step) {
      this.progress.ended.push([index, fitted(step.end, bytesPerSession)]);
      this.progress.accepted.delete(index);
    } else {
      this.open.push([index, fitted(step.open, bytesPerSession), step.dueInMs]);
      const { error } = step;
      if (error instanceof IncodeError && needsOperator(error.kind)) warnOperator(error, this.options.observe);
    }
    // An aborted call, or none, says nothing about Incode.
    if (this.signal.aborted || hasNoToken(step)) this.throttle.breaker.abandoned();
    else this.throttle.report(step);
  }
}

function resultOf(step: Step): 'finished' | 'expired' | 'failed' | 'postponed' {
  if ('open' in step) return 'postponed';
  if (step.end.failure) return 'failed';
  return step.end.finish ? 'finished' : 'expired';
}

function hasNoToken(step: Step): boolean {
  return 'end' in step && step.end.failure?.type === FAILURES.tokenRefused;
}

/** An earlier activity sent its requests before the server scheduled this one, by the server's clock. */
function withSentTime(session: BulkSession): BulkSession {
  if (!session.done?.justSent) return session;
  const { justSent: _, ...done } = session.done;
  return { ...session, done: { ...done, lastSentAt: activityInfo().scheduledTimestampMs } };
}

/** It is unknown which sessions a dead attempt began. Each may have been finished and closed until just now. */
function asPossiblyBegun(session: BulkSession, accepted: ReadonlySet<number>): BulkSession {
  const done: BulkProgress = { ...session.done, closeTried: true };
  if (done.finish) return { ...session, done };
  const lastSentAt = activityInfo().currentAttemptScheduledTimestampMs;
  const isAccepted = done.accepted || accepted.has(session.index);
  return { ...session, done: { ...done, verify: true, lastSentAt, ...(isAccepted ? { accepted: true } : {}) } };
}
