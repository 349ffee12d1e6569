/** Ten minutes. A wrong value must not stop sessions for a day, and an early retry costs only one more refusal. */
export const MAX_RETRY_AFTER_MS = 600_000;

/**
 * Reads `Retry-After`, in seconds or as an HTTP date.
 *
 * @returns milliseconds from `now`, at most {@link MAX_RETRY_AFTER_MS}; `undefined` for any other value
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = String(value).trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : HTTP_DATE.test(text) ? Date.parse(text) - now : Number.NaN;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/**
 * RFC 9110 dates begin with a day's name. `Date.parse` alone reads "-5" and "1.5" as years and months. The oldest of the three forms is
 * excluded: it has no comma and no time zone, and would be read as local time.
 */
const HTTP_DATE = /^(mon|tue|wed|thu|fri|sat|sun)[a-z]*, /i;
