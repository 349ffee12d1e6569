/** Ten years: longer than any onboarding, and a safe timer for Temporal. */
export const MAX_DURATION_MS = 3_650 * 86_400_000;

/**
 * Parses the duration strings of Temporal's TypeScript SDK, from milliseconds to weeks. It is our own parser because the contract
 * imports nothing.
 *
 * @returns milliseconds, or `undefined` if the text is not a positive duration of at most ten years
 * @example parseDuration('15 minutes') // 900000
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  if (!match?.[1] || !match[2]) return undefined;
  const unit = UNITS.get(match[2].toLowerCase());
  if (unit === undefined) return undefined;
  const ms = Math.round(Number(match[1]) * unit);
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : undefined;
}

const UNITS = new Map([
  ...units(1, 'ms', 'msec', 'msecs', 'millisecond', 'milliseconds'),
  ...units(1_000, 's', 'sec', 'secs', 'second', 'seconds'),
  ...units(60_000, 'm', 'min', 'mins', 'minute', 'minutes'),
  ...units(3_600_000, 'h', 'hr', 'hrs', 'hour', 'hours'),
  ...units(86_400_000, 'd', 'day', 'days'),
  ...units(604_800_000, 'w', 'week', 'weeks'),
]);

function units(ms: number, ...names: string[]): [string, number][] {
  return names.map((name) => [name, ms]);
}
