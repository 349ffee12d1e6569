/** So many sessions at a time in this worker, over all activities; fewer after Incode has said that it is too much. */
export class ConcurrencyLimit {
  private readonly most: number;
  private limit: number;
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(most: number) {
    this.most = most;
    this.limit = most;
  }

  /** First come, first served. */
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

  /** 429: half as many at a time. */
  shrink(): void {
    this.limit = Math.max(1, Math.floor(this.limit / 2));
  }

  /** A call went well: one more at a time for every round of them. */
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
