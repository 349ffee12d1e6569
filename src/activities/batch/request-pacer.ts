/** Spaces requests evenly, so that a rate limit with a small burst does not answer 429. Without a rate, no request waits. */
export class RequestPacer {
  /** Requests per second; `Infinity` for no limit. */
  private readonly most: number;
  private rate: number;
  private next = 0;

  constructor(perSecond = Number.POSITIVE_INFINITY) {
    this.most = perSecond;
    this.rate = perSecond;
  }

  /**
   * @param requests how many requests follow each other without another turn
   * @returns a promise that resolves when the first one may be sent; `undefined` if it may be sent now
   */
  turn(now = performance.now(), requests = 1): Promise<void> | undefined {
    if (this.rate === Number.POSITIVE_INFINITY) return undefined;
    const at = Math.max(now, this.next);
    this.next = at + (requests * 1_000) / this.rate;
    // Node's timers have a resolution of one millisecond.
    return at - now < 1 ? undefined : new Promise((resolve) => setTimeout(resolve, at - now));
  }

  /** @returns how many requests wait for their turn */
  backlog(now = performance.now()): number {
    return this.rate === Number.POSITIVE_INFINITY ? 0 : (Math.max(0, this.next - now) / 1_000) * this.rate;
  }

  /** Halves the rate after a 429. */
  shrink(): void {
    if (this.rate !== Number.POSITIVE_INFINITY) this.rate = Math.max(this.most / 64, this.rate / 2);
  }

  /** Raises the rate after a successful session. About 50 of them restore the full rate. */
  grow(): void {
    if (this.rate < this.most) this.rate = Math.min(this.most, this.rate + this.most / 50);
  }
}
