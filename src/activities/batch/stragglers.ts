/** A straggler takes at least this long. A full activity lasts this long anyway. */
const MIN_MS = 10_000;

/** A straggler takes at least this many times as long as the slowest session that has ended. If Incode is slow for all, there is none. */
const TIMES_SLOWER = 4;

/** Finds the sessions of an activity that take far longer than the others, so that the others do not wait for them. */
export class Stragglers {
  private readonly begun = new Set<{ at: number }>();
  private slowestMs: number | undefined;

  async time<T>(work: () => Promise<T>): Promise<T> {
    const begun = { at: performance.now() };
    this.begun.add(begun);
    try {
      return await work();
    } finally {
      this.begun.delete(begun);
      this.slowestMs = Math.max(this.slowestMs ?? 0, performance.now() - begun.at);
    }
  }

  /** Whether only stragglers are still in flight. */
  get areLeft(): boolean {
    if (this.slowestMs === undefined) return false;
    const since = performance.now() - Math.max(MIN_MS, this.slowestMs * TIMES_SLOWER);
    return this.begun.size > 0 && [...this.begun].every(({ at }) => at < since);
  }
}
