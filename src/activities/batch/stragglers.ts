/** A call that takes no longer is none, however fast the others are: an activity that has enough to do lasts as long. */
const MIN_MS = 10_000;

/** How much slower than every other session one has to be: where Incode is slow for all, each is waited for. */
const TIMES_SLOWER = 4;

/** Sessions of an activity that take far longer than its others, so that those need not wait for them. */
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

  /** Whether stragglers are all that is under way. */
  get areLeft(): boolean {
    if (this.slowestMs === undefined) return false;
    const since = performance.now() - Math.max(MIN_MS, this.slowestMs * TIMES_SLOWER);
    return this.begun.size > 0 && [...this.begun].every(({ at }) => at < since);
  }
}
