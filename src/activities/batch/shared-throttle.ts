import { IncodeError } from '../../incode/index.js';
import { needsOperator } from '../failure.js';
import { NotSentError } from '../lease.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { Step } from './complete-session.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { BusyTime } from './rate-share.js';
import { RequestPacer } from './request-pacer.js';

export interface SharedThrottleOptions {
  /** Maximum number of sessions at the same time. */
  concurrency: number;
  /** Requests per second in this worker while an activity runs. @default no limit */
  perSecond?: number | undefined;
  /** Maximum hold while an operator must correct something. */
  operatorRetryMs: number;
  /** Called with `true` when the breaker opens, and with `false` when it closes. */
  onHeld?: (held: boolean) => void;
}

/** Limits that all bulk activities of a worker share, so that together they use Incode like one client. */
export class SharedThrottle {
  readonly slots: ConcurrencyLimit;
  readonly pace: RequestPacer;
  readonly breaker: CircuitBreaker;
  readonly busy = new BusyTime();
  private readonly operatorRetryMs: number;
  private shrunkAt = Number.NEGATIVE_INFINITY;

  constructor({ concurrency, perSecond, operatorRetryMs, onHeld }: SharedThrottleOptions) {
    this.slots = new ConcurrencyLimit(concurrency);
    this.pace = new RequestPacer(perSecond);
    this.operatorRetryMs = operatorRetryMs;
    this.breaker = new CircuitBreaker(onHeld);
  }

  /** Adjusts the limits to the result of a session. */
  report(step: Step): void {
    const error = 'open' in step ? step.error : undefined;
    if (error === undefined) {
      this.breaker.succeeded();
      this.slots.grow();
      this.pace.grow();
      return;
    }
    // A failed token source, a request that was not sent and a refused key that has been replaced since say nothing about Incode.
    if (!(error instanceof IncodeError) || error instanceof NotSentError || isOfReplacedKey(error)) {
      this.breaker.abandoned();
      return;
    }
    if (error.httpStatus === 429) this.shrink();
    const atMostMs = needsOperator(error.kind) ? this.operatorRetryMs : Number.POSITIVE_INFINITY;
    this.breaker.failed(error.message, { retryAfterMs: error.retryAfterMs, atMostMs });
  }

  /** At most once a second, because requests in flight at the same time are refused together. */
  private shrink(now = Date.now()): void {
    if (now - this.shrunkAt < 1_000) return;
    this.shrunkAt = now;
    this.slots.shrink();
    this.pace.shrink();
  }
}

/** Incode's answer to another API key is 403 too, but of the kind that waits for an operator. */
function isOfReplacedKey({ kind, httpStatus }: IncodeError): boolean {
  return kind === 'notTaken' && httpStatus === 403;
}
