import { IncodeError } from '../../incode/index.js';
import { isToBeMended } from '../failure.js';
import { NotSentError } from '../lease.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { Step } from './complete-session.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { RequestPacer } from './request-pacer.js';

export interface SharedThrottleOptions {
  /** Sessions at a time. */
  concurrency: number;
  /** Requests per second in this worker while an activity runs. @default no limit */
  perSecond?: number | undefined;
  /** The longest hold while the operator has something to mend. */
  operatorRetryMs: number;
  /** Told when nothing more is to be begun, and when it is over. */
  onHeld?: (held: boolean) => void;
}

/** What all bulk activities of a worker share, so that Incode sees one client and not one for each. */
export class SharedThrottle {
  readonly slots: ConcurrencyLimit;
  readonly pace: RequestPacer;
  readonly breaker: CircuitBreaker;
  private readonly operatorRetryMs: number;
  private shrunkAt = Number.NEGATIVE_INFINITY;

  constructor({ concurrency, perSecond, operatorRetryMs, onHeld }: SharedThrottleOptions) {
    this.slots = new ConcurrencyLimit(concurrency);
    this.pace = new RequestPacer(perSecond);
    this.operatorRetryMs = operatorRetryMs;
    this.breaker = new CircuitBreaker(onHeld);
  }

  /** Takes in how a session fared. */
  report(step: Step): void {
    const error = 'open' in step ? step.error : undefined;
    if (error === undefined) {
      this.breaker.succeeded();
      this.slots.grow();
      this.pace.grow();
      return;
    }
    // A token source that fails says nothing about Incode, and neither does a request that was not sent.
    if (!(error instanceof IncodeError) || error instanceof NotSentError) {
      this.breaker.abandoned();
      return;
    }
    if (error.httpStatus === 429) this.shrink();
    const atMostMs = isToBeMended(error.kind) ? this.operatorRetryMs : Number.POSITIVE_INFINITY;
    this.breaker.failed(error.message, { retryAfterMs: error.retryAfterMs, atMostMs });
  }

  /** Those that were under way together are refused together: that is one reason to slow down, not many. */
  private shrink(now = Date.now()): void {
    if (now - this.shrunkAt < 1_000) return;
    this.shrunkAt = now;
    this.slots.shrink();
    this.pace.shrink();
  }
}
