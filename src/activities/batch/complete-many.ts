import { activityInfo, Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { fitted, MIN_BYTES_PER_SESSION } from '../../contract/batch-size.js';
import { FAILURES } from '../../contract/index.js';
import { IncodeError } from '../../incode/index.js';
import { isFirstAttempt, serverClock } from '../call.js';
import { isToBeMended, warnOperator } from '../failure.js';
import { Lease, leased, NotCurrentError } from '../lease.js';
import { emit } from '../observe.js';
import type { ResolvedActivityOptions } from '../options.js';
import { type Beat, beatOf, detailsOf } from './beat.js';
import { completeSession, type SessionOptions, type Step } from './complete-session.js';
import { inTurn, pacedClient } from './paced-client.js';
import { requestsOf, sessionsPerActivity } from './request-count.js';
import type { SharedThrottle } from './shared-throttle.js';
import { Stragglers } from './stragglers.js';
import type { BulkProgress, BulkSession, CompleteManyInput, CompleteManyResult } from './types.js';

export interface ManyOptions {
  concurrency: number;
  /** What one activity may send, and in how many ms it does; `undefined` for no limit. */
  share: { requests: number; withinMs: number } | undefined;
  /** Sessions of one activity without a limit. */
  chunk: number;
}

/**
 * No session is begun after this, and none that was begun is finished. An activity whose worker has lost the server goes on
 * without knowing; another one takes over after the heartbeat timeout of 10 s, reads each status and leaves unfinished sessions
 * alone for the settle time of 30 s. Whatever this one has sent by then is over by the time the other one finishes anything.
 */
const BEGIN_WITHIN_MS = 10_000;

/** For calls that hang. */
const LOOK_EVERY_MS = 1_000;

/** A task that nothing holds back is with a worker sooner than this, and clocks agree to less. */
const AT_ONCE_MS = 200;

export function completeMany(options: ResolvedActivityOptions, throttle: SharedThrottle, limits: ManyOptions) {
  return (input: CompleteManyInput): Promise<CompleteManyResult> =>
    new BulkAttempt(options, throttle, limits, input).run();
}

class BulkAttempt {
  private readonly options: SessionOptions;
  private readonly throttle: SharedThrottle;
  private readonly limits: ManyOptions;
  private readonly input: CompleteManyInput;
  private readonly signal = Context.current().cancellationSignal;
  private readonly progress: Beat;
  private readonly open: CompleteManyResult['open'] = [];
  /** Those that have to be begun, the last one first. */
  private readonly pending: BulkSession[];
  private readonly beginBy = performance.now() + BEGIN_WITHIN_MS;
  private readonly lease = new Lease();
  private readonly stragglers = new Stragglers();
  private readonly givenUp = new AbortController();
  /** Ends calls. */
  private readonly callSignal = AbortSignal.any([this.signal, this.givenUp.signal]);
  private requestsLeft: number;

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
      // The built-in source asks Incode.
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
    this.progress = beatOf(activityInfo().heartbeatDetails);
    const { ended, accepted } = this.progress;
    const isEnded = new Set(ended.map(([index]) => index));
    const left = input.sessions.filter(({ index }) => !isEnded.has(index)).map(dated);
    this.pending = (isFirstAttempt() ? left : left.map((session) => maybeBegun(session, accepted))).reverse();
  }

  async run(): Promise<CompleteManyResult> {
    const { heartbeatTimeoutMs } = activityInfo();
    // Three beats fit into a heartbeat timeout.
    const beat = heartbeatTimeoutMs ? setInterval(() => this.beat(), heartbeatTimeoutMs / 3) : undefined;
    const watch = setInterval(() => this.giveUpStragglers(), LOOK_EVERY_MS);
    try {
      // Tasks wait in a worker's connection, and may be another worker's by the time they are begun.
      await this.lease.renew(detailsOf(this.progress));
      await this.keepToShare();
      do {
        const lanes = Math.min(this.limits.concurrency, this.pending.length);
        await Promise.all(Array.from({ length: lanes }, () => this.lane()));
        // Again after a probe that found Incode well.
      } while (this.mayBegin() && !this.throttle.breaker.hold());
    } catch (error) {
      if (!(error instanceof NotCurrentError)) throw error;
      // What the server has given to another worker needs no result, and what is to end has one: nothing was begun.
      if (!error.isReplaced) throw ApplicationFailure.retryable(error.message, FAILURES.notTaken);
    } finally {
      clearInterval(beat);
      clearInterval(watch);
    }
    const hold = this.throttle.breaker.hold();
    const open = [...this.open, ...this.leftOver()];
    const runId = activityInfo().workflowExecution?.runId;
    const chunk = sessionsPerActivity(this.limits, this.options, this.input);
    const { ended } = this.progress;
    return { ended, open, chunk, ...(hold ? { hold } : {}), ...(runId ? { runId } : {}) };
  }

  /**
   * What has ended need not be looked at again if the worker dies. The worker's own heartbeat brings a cancellation; it tells nobody
   * whether the server has heard it, so the lease has one too.
   */
  private beat(): void {
    const details = detailsOf(this.progress);
    heartbeat(details);
    this.lease.renew(details).catch(() => undefined);
  }

  /**
   * Their requests may still take effect, so the workflow has them looked at later. The others' results, and those that wait for
   * another go, do not wait for them: a call may last for longer than half a minute.
   */
  private giveUpStragglers(): void {
    if (!this.mayBegin() && this.stragglers.areLeft) this.givenUp.abort();
  }

  /** Sessions that this attempt did not come to, and an earlier one may have begun: the next activity would not look at them. */
  private leftOver(): CompleteManyResult['open'] {
    if (isFirstAttempt()) return [];
    return this.pending.map(({ index, done = {} }) => [index, done, 0]);
  }

  /**
   * The server lets the first two activities after a pause begin closer to each other than later ones: it allows bursts of a
   * second. One that was held back, but for less than its time, therefore waits, and leaves out what it would have sent
   * meanwhile. The same goes for what another activity of this worker has still to send.
   */
  private async keepToShare(): Promise<void> {
    const { share } = this.limits;
    if (!share) return;
    const { requests, withinMs } = share;
    const heldBackMs = Date.now() - activityInfo().currentAttemptScheduledTimestampMs;
    const early = heldBackMs > AT_ONCE_MS && heldBackMs < withinMs ? withinMs - heldBackMs : 0;
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    this.requestsLeft -= Math.max((early / withinMs) * requests, this.throttle.pace.backlog());
  }

  /** One session after the other, until nothing more is to be begun. */
  private async lane(): Promise<void> {
    const { slots, breaker } = this.throttle;
    while (this.mayBegin()) {
      const slot = slots.acquire();
      // Nearly always there is one; a promise less for each session counts.
      if (slot) await slot;
      try {
        // Meanwhile others may have taken the last one, or met with trouble.
        const session = this.mayBegin() ? this.pending.at(-1) : undefined;
        const admission = session ? breaker.admit() : 'no';
        if (!session || admission === 'no') return;
        this.pending.pop();
        this.requestsLeft -= requestsOf(session, this.options, this.input);
        const { options, input, callSignal } = this;
        this.file(session, await this.stragglers.time(() => completeSession(options, session, input.plan, callSignal)));
        if (admission === 'asProbe') return;
      } finally {
        slots.release();
      }
    }
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

  private file({ index }: BulkSession, step: Step): void {
    emit(this.options.observe, { type: 'batchSession', result: resultOf(step) });
    const { bytesPerSession = MIN_BYTES_PER_SESSION } = this.input;
    if ('end' in step) {
      this.progress.ended.push([index, fitted(step.end, bytesPerSession)]);
      this.progress.accepted.delete(index);
    } else {
      this.open.push([index, fitted(step.open, bytesPerSession), step.dueInMs]);
      const { error } = step;
      if (error instanceof IncodeError && isToBeMended(error.kind)) warnOperator(error, this.options.observe);
    }
    // A call that was aborted, or not made, says nothing about Incode.
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

/** What was sent in the course of an earlier activity was sent before this one was scheduled, by the same clock of the server's. */
function dated(session: BulkSession): BulkSession {
  if (!session.done?.justSent) return session;
  const { justSent: _, ...done } = session.done;
  return { ...session, done: { ...done, lastSentAt: activityInfo().scheduledTimestampMs } };
}

/** Of an attempt that died it is not known which sessions it had begun: each may have been finished, and closed, until just now. */
function maybeBegun(session: BulkSession, accepted: ReadonlySet<number>): BulkSession {
  const done: BulkProgress = { ...session.done, closeTried: true };
  if (done.finish) return { ...session, done };
  const lastSentAt = activityInfo().currentAttemptScheduledTimestampMs;
  const isAccepted = done.accepted || accepted.has(session.index);
  return { ...session, done: { ...done, verify: true, lastSentAt, ...(isAccepted ? { accepted: true } : {}) } };
}
