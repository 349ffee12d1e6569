import { sleep } from '@temporalio/workflow';

/** The index of a session, and how long it has to wait. It may be due already. */
interface Postponed {
  index: number;
  byMs: number;
}

/**
 * Decides when a shard may continue. Fired timers decide, never the clock. When a worker answers a query about a workflow that it has not
 * cached, SDK 1.24 runs the code on events after the last workflow task with the time of that task. A later replay of the same events
 * has another time and must make the same decisions.
 */
export class BatchWaits {
  private readonly onFired: () => void;
  /** Number of the current timer of `hold`. */
  private holdTimer: number | null = null;
  /** Number of the current timer by index of the session. */
  private readonly timers = new Map<number, number>();
  private started = 0;

  constructor(onFired: () => void) {
    this.onFired = onFired;
  }

  /** Whether the whole shard has to wait. */
  get isHeld(): boolean {
    return this.holdTimer !== null;
  }

  /** Whether the session with this index still has to wait. */
  isEarly(index: number): boolean {
    return this.timers.has(index);
  }

  /** Replaces the current hold. @param forMs 0 or less ends it */
  hold(forMs: number): void {
    this.holdTimer = null;
    if (forMs <= 0) return;
    this.holdTimer = this.start(forMs, (timer) => {
      if (this.holdTimer === timer) this.holdTimer = null;
    });
  }

  /** Starts one timer for all sessions that are due within the same second. */
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
    // Rounded up to a full second, so that sessions of two activities are due together.
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
      // Cancellation ends the batch itself, so the timer needs no action.
      () => undefined,
    );
    return timer;
  }
}
