import { BACKOFF_COEFFICIENT, MAX_BACKOFF_MS, MIN_BACKOFF_MS } from '../../contract/backoff.js';

/** Failures in a row that open the breaker. If 5 % of the calls fail at random, that happens once in 25 billion calls. */
const THRESHOLD = 8;

interface Wait {
  retryAfterMs?: number | undefined;
  atMostMs?: number;
}

/**
 * Stops the batches of a worker during an outage. All its activities share one breaker, so that the worker detects an outage once and not
 * once per shard. While the breaker is open, one session at a time probes whether Incode works again.
 */
export class CircuitBreaker {
  private failures = 0;
  private holdMs = MIN_BACKOFF_MS;
  /** Set while the breaker is open. */
  private open: { why: string; until: number; isProbing: boolean } | undefined;
  private readonly onChange: (isTripped: boolean) => void;

  constructor(onChange: (isTripped: boolean) => void = () => undefined) {
    this.onChange = onChange;
  }

  /** @returns whether a session may begin, and whether as a probe. Report the result of every session that begins */
  admit(now = Date.now()): 'freely' | 'asProbe' | 'no' {
    if (!this.open) return 'freely';
    if (now < this.open.until || this.open.isProbing) return 'no';
    this.open.isProbing = true;
    return 'asProbe';
  }

  /** @returns how long no session may begin; `undefined` while the breaker is closed */
  hold(now = Date.now()): { forMs: number; why: string } | undefined {
    if (!this.open) return undefined;
    const { why, until } = this.open;
    // At least the first backoff, because a probe in flight ends soon.
    return { forMs: Math.max(until - now, MIN_BACKOFF_MS), why };
  }

  succeeded(): void {
    this.failures = 0;
    this.holdMs = MIN_BACKOFF_MS;
    if (!this.open) return;
    this.open = undefined;
    this.onChange(false);
  }

  /** For a session that began, but whose result says nothing about Incode. */
  abandoned(): void {
    if (this.open) this.open.isProbing = false;
  }

  /**
   * @param why readable text without a secret
   * @param wait the delay that Incode asks for, and a limit for the hold
   */
  failed(why: string, { retryAfterMs = 0, atMostMs = Number.POSITIVE_INFINITY }: Wait = {}, now = Date.now()): void {
    this.failures += 1;
    if (this.failures < THRESHOLD || (this.open && !this.open.isProbing)) return;
    if (!this.open) this.onChange(true);
    const until = now + Math.min(Math.max(this.holdMs, retryAfterMs), atMostMs);
    this.open = { why, until, isProbing: false };
    this.holdMs = Math.min(this.holdMs * BACKOFF_COEFFICIENT, MAX_BACKOFF_MS);
  }
}
