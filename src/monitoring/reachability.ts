/** Probes ask every few seconds, each process of a large fleet: the server is asked no more often than this. */
const FRESH_MS = 5_000;

/** Probes give up after a second or a few. */
export const ANSWER_WITHIN_MS = 2_000;

/**
 * @param ask resolves if the server answers
 * @returns whether it has answered within the last seconds; asks it again only after them, and once at a time
 */
export function cachedReachability(ask: () => Promise<unknown>): () => Promise<boolean> {
  let answeredAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | undefined;

  async function answers(): Promise<boolean> {
    try {
      await ask();
      answeredAt = performance.now();
      return true;
    } catch {
      return false;
    }
  }

  return async () => {
    if (performance.now() - answeredAt < FRESH_MS) return true;
    asking ??= answers().finally(() => {
      asking = undefined;
    });
    // The SDK repeats a call that fails for longer than its deadline.
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
    });
    return Promise.race([asking, limit]).finally(() => clearTimeout(timer));
  };
}
