import { checkRateLimit } from './checks.js';
import type { Clock } from './clock.js';
import type { RateLimit } from './types.js';

/** A token bucket that fills at `perSecond` up to `burst`. */
export class TokenBucket {
  private readonly limit: RateLimit;
  private readonly clock: Clock;
  private tokens: number;
  private filledAt: number;

  /** @throws TypeError if the limit would refuse every call */
  constructor(limit: RateLimit, clock: Clock) {
    checkRateLimit(limit);
    this.limit = limit;
    this.clock = clock;
    this.tokens = limit.burst;
    this.filledAt = clock.now();
  }

  /** @returns the headers of a 429, or `undefined` if the call is within the limit */
  take(): Record<string, string> | undefined {
    const now = this.clock.now();
    const { perSecond, burst, retryAfter = true } = this.limit;
    this.tokens = Math.min(burst, this.tokens + (Math.max(0, now - this.filledAt) / 1_000) * perSecond);
    this.filledAt = now;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      return undefined;
    }
    const seconds = Math.ceil((1 - this.tokens) / perSecond);
    return retryAfter ? { 'retry-after': String(seconds) } : {};
  }
}
