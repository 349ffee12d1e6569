/** People of a shard who may be begun at the same time. Incode's rate limits allow about one call a second, and a person takes about ten seconds. */
const MAX_IN_FLIGHT = 20;

/**
 * The places of people in flight. A person who lasts long waits for somebody, such as a reviewer, and must not keep others from beginning.
 * So a place is free after one to two periods.
 */
export class Places {
  private readonly taken = new Map<number, number>();
  private period = 0;

  get free(): number {
    return MAX_IN_FLIGHT - this.taken.size;
  }

  take(index: number): void {
    this.taken.set(index, this.period);
  }

  release(index: number): void {
    this.taken.delete(index);
  }

  nextPeriod(): void {
    for (const [index, period] of this.taken) if (period < this.period) this.taken.delete(index);
    this.period += 1;
  }
}
