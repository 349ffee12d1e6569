import type { ResolvedActivityOptions } from './options.js';

/** Of the whole time, so that there are six reads. */
const FIRST_PAUSE = 1 / 36;

/**
 * How long to wait before a status is read again that may lag behind: each pause doubles what has passed, by the server's clock.
 *
 * @returns `undefined` when the time is over
 */
export function nextPause(
  { statusLagMs }: Pick<ResolvedActivityOptions, 'statusLagMs'>,
  since: { scheduledTimestampMs: number; currentAttemptScheduledTimestampMs: number },
): number | undefined {
  const passed = since.currentAttemptScheduledTimestampMs - since.scheduledTimestampMs;
  const pause = passed + statusLagMs * FIRST_PAUSE;
  return passed + pause <= statusLagMs ? pause : undefined;
}
