// The backoff of calls to Incode, in single sessions and in batches: 1 s, doubled up to 2 minutes.

export const MIN_BACKOFF_MS = 1_000;

export const BACKOFF_COEFFICIENT = 2;

export const MAX_BACKOFF_MS = 120_000;

/** The delay before the next attempt. @param attempts failed attempts in a row, from 1 */
export function backoffMs(attempts: number): number {
  return Math.min(MIN_BACKOFF_MS * BACKOFF_COEFFICIENT ** (attempts - 1), MAX_BACKOFF_MS);
}
