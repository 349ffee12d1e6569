/** The gateway stops. Requests that wait then end early, because Temporal goes on without them. */
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
}
