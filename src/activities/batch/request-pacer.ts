/**
 * Spaces requests evenly, so that a rate limit with a small burst never answers 429. Without a rate it lets everything pass.
 */
export class RequestPacer {
  /** Requests per second; `Infinity` for no limit. */
  private readonly most: number;
  private rate: number;
  private next = 0;

  constructor(perSecond = Number.POSITIVE_INFINITY) {
    this.most = perSecond;
    this.rate = perSecond;
  }

  /** @returns when the request may be sent; `undefined` for at once */
  turn(now = performance.now()): Promise<void> | undefined {
    if (this.rate === Number.POSITIVE_INFINITY) return undefined;
    const at = Math.max(now, this.next);
    this.next = at + 1_000 / this.rate;
    // Node's timers are exact to a millisecond, and late rather than early.
    return at - now < 1 ? undefined : new Promise((resolve) => setTimeout(resolve, at - now));
  }

  /** @returns how many requests are still to be sent before one that asks for its turn now */
  backlog(now = performance.now()): number {
    return this.rate === Number.POSITIVE_INFINITY ? 0 : (Math.max(0, this.next - now) / 1_000) * this.rate;
  }

  /** 429: half as fast. */
  shrink(): void {
    if (this.rate !== Number.POSITIVE_INFINITY) this.rate = Math.max(this.most / 64, this.rate / 2);
  }

  /** A call went well: back to full speed within some 50 of them. */
  grow(): void {
    if (this.rate < this.most) this.rate = Math.min(this.most, this.rate + this.most / 50);
  }
}
