/** Longest that Node waits; beyond it, a timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Timers for months, that all end together. */
export class Timers {
  private readonly pending = new Set<NodeJS.Timeout>();
  private stopped = false;

  /** @param due ms since the epoch; what is past is done soon, but never within the call */
  at(due: number, what: () => void): void {
    if (this.stopped) return;
    const timer = setTimeout(
      () => {
        this.pending.delete(timer);
        if (Date.now() < due) this.at(due, what);
        else what();
      },
      Math.min(Math.max(due - Date.now(), 0), MAX_TIMER_MS),
    );
    this.pending.add(timer);
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.pending) clearTimeout(timer);
  }
}
