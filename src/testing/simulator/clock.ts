/** A due time that no simulator reaches. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** The longest timer of Node. A longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The last date of JavaScript. */
const LAST_DATE = 8.64e15;

interface Task {
  due: number;
  run: () => unknown;
}

/** The simulator's clock and scheduler. It runs like the machine's clock and can be moved forward. */
export class Clock {
  /** By due time, and tasks with the same due time in the order of `at`. */
  private readonly waiting: Task[] = [];
  private readonly inFlight = new Set<Promise<unknown>>();
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

  /** How far the clock was moved in total. */
  get advancedMs(): number {
    return this.offset;
  }

  /** Continues from another clock. Call it before `at`. */
  resume(advancedMs: number): void {
    this.offset = advancedMs;
  }

  /** Schedules a task. A task whose due time has passed runs soon, but never during this call. @param due by this clock */
  at(due: number, run: () => unknown): void {
    if (this.stopped || due >= NEVER) return;
    const place = this.placeOf(due);
    this.waiting.splice(place, 0, { due, run });
    if (place === 0) this.arm();
  }

  /** @returns the result of `run` after `ms`; never settles if the clock is stopped before */
  after<T>(ms: number, run: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.at(this.now() + ms, () => (async () => run())().then(resolve, reject));
    });
  }

  /** Makes `advance` wait for the work, as it does for the tasks of `at`. */
  track(work: unknown): void {
    if (!(work instanceof Promise)) return;
    this.inFlight.add(work);
    void work.finally(() => this.inFlight.delete(work));
  }

  /**
   * Moves the clock forward by `ms`. Each task that falls due runs at its own time and completes before the next one. Several moves at the
   * same time add up.
   *
   * @throws TypeError if `ms` is not a number of milliseconds from 0
   */
  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !(ms >= 0) || this.now() + ms > LAST_DATE) {
      throw new TypeError(
        'The time to advance by must be milliseconds, 0 or more, to a date that exists; time never goes back',
      );
    }
    let left = Math.round(ms);
    for (;;) {
      // Work in flight may schedule the next task, such as a webhook's retry.
      while (this.inFlight.size > 0) await Promise.allSettled(this.inFlight);
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

  /** A binary search, because tens of thousands of tasks may wait. */
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
      this.track(next.run());
    }
    this.arm();
  }

  /** Also runs during `advance`, because a webhook's receiver may wait for a slow answer of the simulator. */
  private arm(): void {
    clearTimeout(this.timer);
    const [next] = this.waiting;
    if (!next) return;
    const wait = Math.min(Math.max(next.due - this.now(), 0), MAX_TIMER_MS);
    this.timer = setTimeout(() => this.runDue(), wait);
  }
}
