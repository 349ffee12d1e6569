/** How fast a batch is. */
export interface Pace {
  /** Items with an outcome or a failure, per second. `null` until it is known. */
  perSecond: number | null;
  /** `null` if it is not known. */
  timeLeftMs: number | null;
}

/** Long enough for a steady rate, short enough to show an outage. */
const WINDOW_MS = 60_000;

/** Measures a batch from what a page has seen of it. */
export class PaceMeter {
  private readonly samples: { at: number; ended: number }[] = [];

  add(ended: number, left: number, at: number): Pace {
    this.samples.push({ at, ended });
    while ((this.samples[1]?.at ?? at) <= at - WINDOW_MS) this.samples.shift();
    const [oldest] = this.samples;
    if (left === 0) return { perSecond: null, timeLeftMs: 0 };
    if (!oldest || at === oldest.at) return { perSecond: null, timeLeftMs: null };
    const perSecond = Math.max(0, ((ended - oldest.ended) * 1_000) / (at - oldest.at));
    return { perSecond, timeLeftMs: perSecond > 0 ? (left / perSecond) * 1_000 : null };
  }
}
