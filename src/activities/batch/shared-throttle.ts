import { IncodeError } from '../../incode/index.js';
import { NotSentError } from '../lease.js';
import { Breaker } from './circuit-breaker.js';
import type { Step } from './complete-session.js';
import { Slots } from './concurrency-limit.js';
import { Pace } from './request-pacer.js';

export interface GateOptions {
  /** Sessions at a time. */
  concurrency: number;
  /** Requests per second in this worker while an activity runs. @default no limit */
  perSecond?: number | undefined;
  /** Told when nothing more is to be begun, and when it is over. */
  onHeld?: (held: boolean) => void;
}

/** What all bulk activities of a worker share, so that Incode sees one client and not one for each. */
export class Gate {
  readonly slots: Slots;
  readonly pace: Pace;
  readonly breaker: Breaker;
  private shrunkAt = Number.NEGATIVE_INFINITY;

  constructor({ concurrency, perSecond, onHeld }: GateOptions) {
    this.slots = new Slots(concurrency);
    this.pace = new Pace(perSecond);
    this.breaker = new Breaker(onHeld);
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
    this.breaker.failed(error.message, error.retryAfterMs);
  }

  /** Those that were under way together are refused together: that is one reason to slow down, not many. */
  private shrink(now = Date.now()): void {
    if (now - this.shrunkAt < 1_000) return;
    this.shrunkAt = now;
    this.slots.shrink();
    this.pace.shrink();
  }
}
