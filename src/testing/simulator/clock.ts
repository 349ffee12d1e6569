/** Later than any test or any `dev` runs. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** Longest that Node waits; beyond it, a timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The last moment that JavaScript's dates know. */
const LAST_DATE = 8.64e15;

interface Due {
  due: number;
  what: () => unknown;
}

/** The simulator's own time: it runs as the machine's does, and can be moved forward. Whatever waits, waits here. */
export class Clock {
  /** By due time; what is due at the same time, in the order in which it was set. */
  private readonly waiting: Due[] = [];
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly onMove: () => void;
  private offset = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(onMove: () => void = () => undefined) {
    this.onMove = onMove;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.offset;
  }

  /** By how much it has been moved in all. */
  get advancedMs(): number {
    return this.offset;
  }

  /** Goes on from where another one was; before anything waits. */
  resume(advancedMs: number): void {
    this.offset = advancedMs;
  }

  /** @param due by this clock; what is past is done soon, but never within the call */
  at(due: number, what: () => unknown): void {
    if (this.stopped || due >= NEVER) return;
    const place = this.placeOf(due);
    this.waiting.splice(place, 0, { due, what });
    if (place === 0) this.arm();
  }

  /** @returns what `what` gives, once `ms` have passed; never settles if the clock is stopped before */
  after<T>(ms: number, what: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.at(this.now() + ms, () => (async () => what())().then(resolve, reject));
    });
  }

  /** Lets `advance` wait for it, as for everything that `at` starts. */
  track(work: unknown): void {
    if (!(work instanceof Promise)) return;
    this.underWay.add(work);
    void work.finally(() => this.underWay.delete(work));
  }

  /**
   * Moves on by `ms`. What falls due meanwhile happens one after the other, at its own time, and has ended before the
   * next begins. Several moves at once add up.
   *
   * @throws TypeError if `ms` is no time to move on by
   */
  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !(ms >= 0) || this.now() + ms > LAST_DATE) {
      throw new TypeError(
        'The time to advance by must be milliseconds, 0 or more, to a date that exists; time never goes back',
      );
    }
    let left = Math.round(ms);
    for (;;) {
      // What has not ended yet may set what falls due next, such as a webhook's retry.
      while (this.underWay.size > 0) await Promise.allSettled(this.underWay);
      if (this.stopped) throw new Error('The simulator is closed');
      const [next] = this.waiting;
      const step = next ? Math.max(0, Math.ceil(next.due - this.now())) : Number.POSITIVE_INFINITY;
      if (step > left) break;
      left -= step;
      this.offset += step;
      this.runDue();
    }
    this.offset += left;
    this.arm();
    this.onMove();
  }

  stop(): void {
    this.stopped = true;
    this.waiting.length = 0;
    clearTimeout(this.timer);
  }

  /** By halving, because tens of thousands of sessions may wait for months. */
  private placeOf(due: number): number {
    let from = 0;
    let to = this.waiting.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (Number(this.waiting[middle]?.due) <= due) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private runDue(): void {
    for (let [next] = this.waiting; next && next.due <= this.now(); [next] = this.waiting) {
      this.waiting.shift();
      this.track(next.what());
    }
    this.arm();
  }

  /** Also while it is moved: a webhook's receiver may ask something whose answer takes its time. */
  private arm(): void {
    clearTimeout(this.timer);
    const [next] = this.waiting;
    if (!next) return;
    const wait = Math.min(Math.max(next.due - this.now(), 0), MAX_TIMER_MS);
    this.timer = setTimeout(() => this.runDue(), wait);
  }
}
