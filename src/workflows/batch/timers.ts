import { sleep } from '@temporalio/workflow';

/** A place in the shard, and how long to leave it alone; it may be due already. */
interface Postponed {
  index: number;
  byMs: number;
}

/**
 * When a shard may go on. What it does next hangs on timers that have fired, and never on the clock: a worker that answers a query
 * about a workflow that it has not cached goes through what has happened since the last workflow task with the time of that task
 * (SDK 1.24), and goes on from there. Whoever replays it later has another time, and must come to the same.
 */
export class BatchWaits {
  private readonly onFired: () => void;
  /** Numbers of the timers that count. */
  private holdTimer: number | null = null;
  private readonly timers = new Map<number, number>();
  private started = 0;

  constructor(onFired: () => void) {
    this.onFired = onFired;
  }

  /** Whether nothing is to be begun. */
  get isHeld(): boolean {
    return this.holdTimer !== null;
  }

  /** Whether the session at this place is to be left alone. */
  isEarly(index: number): boolean {
    return this.timers.has(index);
  }

  /** Instead of what was said before. @param forMs 0 or less for not at all */
  hold(forMs: number): void {
    this.holdTimer = null;
    if (forMs <= 0) return;
    this.holdTimer = this.start(forMs, (timer) => {
      if (this.holdTimer === timer) this.holdTimer = null;
    });
  }

  /** One timer for all that are due within the same second, counted from now. */
  postpone(sessions: Postponed[]): void {
    const bySeconds = new Map<number, number[]>();
    for (const { index, byMs } of sessions) {
      this.timers.delete(index);
      const seconds = Math.ceil(byMs / 1_000);
      if (seconds <= 0) continue;
      const together = bySeconds.get(seconds);
      if (together) together.push(index);
      else bySeconds.set(seconds, [index]);
    }
    for (const [seconds, indexes] of bySeconds) this.postponeTogether(indexes, seconds);
  }

  private postponeTogether(indexes: number[], seconds: number): void {
    // To the end of a second, so that what two activities have postponed goes together.
    const due = Math.ceil((Date.now() + seconds * 1_000) / 1_000) * 1_000;
    const started = this.start(due - Date.now(), (timer) => {
      for (const index of indexes) if (this.timers.get(index) === timer) this.timers.delete(index);
    });
    for (const index of indexes) this.timers.set(index, started);
  }

  private start(ms: number, fired: (timer: number) => void): number {
    this.started += 1;
    const timer = this.started;
    sleep(ms, { summary: 'Until the next call is due' }).then(
      () => {
        fired(timer);
        this.onFired();
      },
      // A batch that is cancelled ends by its own wait.
      () => undefined,
    );
    return timer;
  }
}
