/** The gateway stops. A request that waits for a session then ends early, because the session goes on without it. */
export class Closing {
  private readonly waiting = new Set<() => void>();
  isClosing = false;

  close(): void {
    this.isClosing = true;
    for (const end of this.waiting) end();
  }

  /**
   * Calls `end` when the gateway stops; at once if it stops already, because a body may arrive after that.
   *
   * @returns a function that forgets it
   */
  onClose(end: () => void): () => void {
    if (this.isClosing) end();
    this.waiting.add(end);
    return () => this.waiting.delete(end);
  }

  /** @returns the result of the work; `undefined` if the gateway stops before */
  async orClosing<T>(work: Promise<T>): Promise<T | undefined> {
    let forget = () => {};
    const closed = new Promise<undefined>((resolve) => {
      forget = this.onClose(() => resolve(undefined));
    });
    // The work may fail after nobody waits for it.
    work.catch(() => undefined);
    try {
      return await Promise.race([work, closed]);
    } finally {
      forget();
    }
  }
}
