const LOOK_EVERY_MS = 50;

/** Shorter stalls do not affect any check of times. */
const LEAST_MS = 200;

/** When this process stood still. The simulated Incode in it then exceeded its own time limit. */
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
