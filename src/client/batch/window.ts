/** Limits how many results are pending, and yields them in order or as they complete. */
export class Window<T> {
  private readonly limit: number;
  private readonly inOrder: boolean;
  private readonly entries: Entry<T>[] = [];
  private end: { error?: unknown } | undefined;
  private wake!: () => void;
  private changed = this.nextChange();

  constructor(limit: number, inOrder: boolean) {
    this.limit = limit;
    this.inOrder = inOrder;
  }

  get isClosed(): boolean {
    return this.end !== undefined;
  }

  /** Waits until there is room for one more, or the window is closed. */
  async room(): Promise<void> {
    while (this.entries.length >= this.limit && !this.end) await this.changed;
  }

  add(result: Promise<T>): void {
    const entry: Entry<T> = {};
    this.entries.push(entry);
    result
      .then(
        (value) => {
          entry.settled = { value };
        },
        (error: unknown) => this.close(error),
      )
      .finally(() => this.stir());
  }

  /** Ends the input. With an error, `take` throws it instead of yielding the remaining results. */
  close(error?: unknown): void {
    if (this.end === undefined || !('error' in this.end)) this.end = error === undefined ? {} : { error };
    this.stir();
  }

  /** @returns `undefined` at the end */
  async take(): Promise<{ value: T } | undefined> {
    for (;;) {
      if (this.end && 'error' in this.end) throw this.end.error;
      const at = this.inOrder ? 0 : this.entries.findIndex(({ settled }) => settled);
      const settled = this.entries[at]?.settled;
      if (settled) {
        this.entries.splice(at, 1);
        this.stir();
        return settled;
      }
      if (this.end && this.entries.length === 0) return undefined;
      await this.changed;
    }
  }

  private stir(): void {
    const { wake } = this;
    this.changed = this.nextChange();
    wake();
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

interface Entry<T> {
  settled?: { value: T };
}
