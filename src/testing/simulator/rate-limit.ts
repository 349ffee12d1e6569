import { checkRateLimit } from './checks.js';
import type { Clock } from './clock.js';
import type { RateLimit, RateLimits, SimulatedOperation } from './types.js';

type RateClass = 'documents' | 'faces' | 'others';

/** The operations of the slow classes. All others share one class. */
const CLASSES: Partial<Record<SimulatedOperation, RateClass>> = {
  addFrontId: 'documents',
  addBackId: 'documents',
  processId: 'documents',
  addFace: 'faces',
  processFace: 'faces',
};

/** One token bucket for each class of calls, or for each call. */
export class RateLimiter {
  private readonly limits: RateLimits;
  private readonly clock: Clock;
  private readonly buckets = new Map<string, TokenBucket>();

  /** @throws TypeError if a limit would refuse every call */
  constructor(limit: RateLimit | RateLimits, clock: Clock) {
    checkRateLimit(limit);
    this.limits = 'perSecond' in limit ? { others: limit } : limit;
    this.clock = clock;
  }

  /** @returns the headers of a 429, or `undefined` if the call is within the limit */
  take(operation: SimulatedOperation): Record<string, string> | undefined {
    const rateClass = CLASSES[operation] ?? 'others';
    const limit = this.limits[rateClass];
    if (!limit) return undefined;
    const name = this.limits.buckets === 'endpoint' ? operation : rateClass;
    const bucket = this.buckets.get(name) ?? new TokenBucket(limit, this.clock);
    this.buckets.set(name, bucket);
    return bucket.take();
  }
}

/** A token bucket that fills at `perSecond` up to `burst`. */
class TokenBucket {
  private readonly limit: RateLimit;
  private readonly clock: Clock;
  private tokens: number;
  private filledAt: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.limit = limit;
    this.clock = clock;
    this.tokens = limit.burst;
    this.filledAt = clock.now();
  }

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
