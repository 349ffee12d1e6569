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
  private isTripped = false;
  private holdMs = FIRST_HOLD_MS;
  private openUntil = 0;
  private isProbing = false;
  private why = '';
  private readonly onChange: (isTripped: boolean) => void;

  constructor(onChange: (isTripped: boolean) => void = () => undefined) {
    this.onChange = onChange;
  }

  /** @returns whether a session may be begun, and whether as a probe; each that was begun has to be reported */
  admit(now = Date.now()): 'freely' | 'asProbe' | 'no' {
    if (!this.isTripped) return 'freely';
    if (now < this.openUntil || this.isProbing) return 'no';
    this.isProbing = true;
    return 'asProbe';
  }

  /** @returns for how long nothing is to be begun; `undefined` if there is no trouble */
  hold(now = Date.now()): { forMs: number; why: string } | undefined {
    if (!this.isTripped) return undefined;
    // A probe is under way: its result comes soon.
    return { forMs: Math.max(this.openUntil - now, FIRST_HOLD_MS), why: this.why };
  }

  succeeded(): void {
    this.failures = 0;
    if (this.isTripped) this.onChange(false);
    this.isTripped = false;
    this.isProbing = false;
    this.holdMs = FIRST_HOLD_MS;
  }

  /** It was begun, but says nothing about Incode. */
  abandoned(): void {
    this.isProbing = false;
  }

  /**
   * @param why for people; never a secret
   * @param wait what Incode asks for, and a limit for the hold
   */
  failed(why: string, { retryAfterMs = 0, atMostMs = Number.POSITIVE_INFINITY }: Wait = {}, now = Date.now()): void {
    this.failures += 1;
    const isProbe = this.isProbing;
    this.isProbing = false;
    if (this.failures < THRESHOLD || (this.isTripped && !isProbe)) return;
    if (!this.isTripped) this.onChange(true);
    this.isTripped = true;
    this.why = why;
    this.openUntil = now + Math.min(Math.max(this.holdMs, retryAfterMs), atMostMs);
    this.holdMs = Math.min(this.holdMs * 2, MAX_HOLD_MS);
  }
}
