/** Limits how many sessions a worker completes at the same time, in all its activities. Lowers the limit after a 429. */
export class ConcurrencyLimit {
  private readonly most: number;
  private limit: number;
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(most: number) {
    this.most = most;
    this.limit = most;
  }

  /** Waits for a free place, in the order of the requests. @returns `undefined` if a place is free now */
  acquire(): Promise<void> | undefined {
    if (this.taken < this.limit && this.waiting.length === 0) {
      this.taken += 1;
      return undefined;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  release(): void {
    this.taken -= 1;
    this.admit();
  }

  /** Halves the limit after a 429. */
  shrink(): void {
    this.limit = Math.max(1, Math.floor(this.limit / 2));
  }

  /** Raises the limit after a successful session: by one when as many sessions as the limit have succeeded. */
  grow(): void {
    if (this.limit >= this.most) return;
    this.limit = Math.min(this.most, this.limit + 1 / this.limit);
    this.admit();
  }

  private admit(): void {
    while (this.taken < Math.floor(this.limit) && this.waiting.length > 0) {
      this.taken += 1;
      this.waiting.shift()?.();
    }
  }
}
