/**
 * Limits how many bytes of images a worker holds at a time, in all its uploads. Each class of calls has a task queue and uploads several
 * images at a time, so together they would hold 24 images of up to 7.5 MB. A worker's memory must not depend on the size of images.
 */
export class ImageMemory {
  private readonly limit: number;
  private held = 0;
  private readonly waiting: { bytes: number; admit: () => void }[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  /**
   * Waits for room, in the order of the calls, so that small images never overtake a large one for good. Then runs `use`, which may hold
   * the bytes until it ends.
   *
   * @throws the signal's reason if it is aborted before there is room
   */
  async hold<T>(bytes: number, signal: AbortSignal, use: () => Promise<T>): Promise<T> {
    await this.acquire(bytes, signal);
    try {
      return await use();
    } finally {
      this.held -= bytes;
      this.admit();
    }
  }

  private async acquire(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const cancel = () => {
        this.waiting.splice(this.waiting.indexOf(place), 1);
        // The next one may be smaller.
        this.admit();
        reject(signal.reason);
      };
      const place = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', cancel);
          resolve();
        },
      };
      signal.addEventListener('abort', cancel);
      this.waiting.push(place);
      this.admit();
    });
  }

  private admit(): void {
    for (let next = this.waiting[0]; next && this.fits(next.bytes); next = this.waiting[0]) {
      this.waiting.shift();
      this.held += next.bytes;
      next.admit();
    }
  }

  /** An image that is larger than the limit is held alone. */
  private fits(bytes: number): boolean {
    return this.held === 0 || this.held + bytes <= this.limit;
  }
}
