const LOOK_EVERY_MS = 50;

/** Below it nothing that is judged by time is touched. */
const LEAST_MS = 200;

/** When this process, and the simulated Incode in it, stood still: then Incode broke its own limit, not the product. */
export class Stalls {
  readonly all: { from: number; to: number }[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor() {
    let last = Date.now();
    this.timer = setInterval(() => {
      const now = Date.now();
      if (now - last > LOOK_EVERY_MS + LEAST_MS) this.all.push({ from: last, to: now });
      last = now;
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
