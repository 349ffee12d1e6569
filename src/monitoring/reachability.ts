import { withTimeLimit } from '../network/time-limit.js';

/** Every process of a large fleet is probed every few seconds. This limits the calls to the server. */
const FRESH_MS = 5_000;

/** Probes time out after one or a few seconds. */
export const ANSWER_WITHIN_MS = 2_000;

/**
 * @param call resolves if the server answers
 * @returns a function that tells whether the server has answered within the last seconds. It repeats the call only after that, and
 * makes one call at a time
 */
export function cachedReachability(call: () => Promise<unknown>): () => Promise<boolean> {
  let answeredAt = Number.NEGATIVE_INFINITY;
  let inFlight: Promise<boolean> | undefined;

  async function answers(): Promise<boolean> {
    try {
      await call();
      answeredAt = performance.now();
      return true;
    } catch {
      return false;
    }
  }

  return async () => {
    if (performance.now() - answeredAt < FRESH_MS) return true;
    inFlight ??= answers().finally(() => {
      inFlight = undefined;
    });
    const answer = inFlight;
    // The SDK may retry a failing call beyond its deadline.
    return withTimeLimit(ANSWER_WITHIN_MS, () => answer).catch(() => false);
  };
}
