/** Failures in a row after which Incode counts as being in trouble. With 5 % of random ones, once in 25 billion calls. */
const THRESHOLD = 8;

const FIRST_HOLD_MS = 1_000;

/** As long as the retry policy of a single session's calls. */
const MAX_HOLD_MS = 120_000;

interface Wait {
  retryAfterMs?: number | undefined;
  atMostMs?: number;
}

/**
 * Shared by all activities of a worker, so that an outage is found once, and not once for each shard: while it lasts one
 * call now and then looks whether it is over.
 */
export class CircuitBreaker {
  private failures = 0;
  private holdMs = FIRST_HOLD_MS;
  /** While Incode is in trouble. */
  private open: { why: string; until: number; isProbing: boolean } | undefined;
  private readonly onChange: (isTripped: boolean) => void;

  constructor(onChange: (isTripped: boolean) => void = () => undefined) {
    this.onChange = onChange;
  }

  /** @returns whether a session may be begun, and whether as a probe; each that was begun has to be reported */
  admit(now = Date.now()): 'freely' | 'asProbe' | 'no' {
    if (!this.open) return 'freely';
    if (now < this.open.until || this.open.isProbing) return 'no';
    this.open.isProbing = true;
    return 'asProbe';
  }

  /** @returns for how long nothing is to be begun; `undefined` if there is no trouble */
  hold(now = Date.now()): { forMs: number; why: string } | undefined {
    if (!this.open) return undefined;
    const { why, until } = this.open;
    // A probe is under way: its result comes soon.
    return { forMs: Math.max(until - now, FIRST_HOLD_MS), why };
  }

  succeeded(): void {
    this.failures = 0;
    this.holdMs = FIRST_HOLD_MS;
    if (!this.open) return;
    this.open = undefined;
    this.onChange(false);
  }

  /** It was begun, but says nothing about Incode. */
  abandoned(): void {
    if (this.open) this.open.isProbing = false;
  }

  /**
   * @param why for people; never a secret
   * @param wait what Incode asks for, and a limit for the hold
   */
  failed(why: string, { retryAfterMs = 0, atMostMs = Number.POSITIVE_INFINITY }: Wait = {}, now = Date.now()): void {
    this.failures += 1;
    if (this.failures < THRESHOLD || (this.open && !this.open.isProbing)) return;
    if (!this.open) this.onChange(true);
    const until = now + Math.min(Math.max(this.holdMs, retryAfterMs), atMostMs);
    this.open = { why, until, isProbing: false };
    this.holdMs = Math.min(this.holdMs * 2, MAX_HOLD_MS);
  }
}
