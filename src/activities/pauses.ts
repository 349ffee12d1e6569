import { passedMs } from './call.js';
import type { ResolvedActivityOptions } from './options.js';

/** First pause as a part of `statusLagMs`. It results in six reads. */
const FIRST_PAUSE = 1 / 36;

/**
 * How long to wait before reading a status again that may lag. Each pause is as long as all time before it, by the server's clock.
 *
 * @returns `undefined` when the time is over
 */
export function nextPause({ statusLagMs }: Pick<ResolvedActivityOptions, 'statusLagMs'>): number | undefined {
  const passed = passedMs();
  const pause = passed + statusLagMs * FIRST_PAUSE;
  return passed + pause <= statusLagMs ? pause : undefined;
}
