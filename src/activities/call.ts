import { activityInfo, Context, heartbeat } from '@temporalio/activity';

/**
 * Runs one Incode call with the activity's cancellation, and heartbeats while it lasts: so that the server notices a dead
 * worker before the start-to-close timeout, and a cancellation reaches the call.
 *
 * A call that ends before the first beat, which nearly all do, records no heartbeat: each recorded one is billed.
 *
 * @param details asked for each beat's. The server keeps those of the last one alone.
 */
export async function callIncode<T>(call: (signal: AbortSignal) => Promise<T>, details?: () => unknown): Promise<T> {
  const { heartbeatTimeoutMs } = activityInfo();
  // Three beats fit into a heartbeat timeout, so that a late one does no harm.
  const timer = heartbeatTimeoutMs ? setInterval(() => heartbeat(details?.()), heartbeatTimeoutMs / 3) : undefined;
  try {
    return await call(Context.current().cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

/**
 * The server's clock, as far as an activity can know it: never ahead, and behind by what the task waited for a worker. So what
 * it measures since an earlier moment of the server's is at least that long ago.
 */
export function serverClock(): () => number {
  const { currentAttemptScheduledTimestampMs } = activityInfo();
  const begunAt = performance.now();
  return () => currentAttemptScheduledTimestampMs + performance.now() - begunAt;
}

/**
 * Whether nothing was sent before. An operator who resets an activity has its attempts counted from one again, but not the time at
 * which it was scheduled, which is that of its first attempt, to the millisecond.
 */
export function isFirstAttempt(): boolean {
  const { attempt, scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  return attempt === 1 && currentAttemptScheduledTimestampMs <= scheduledTimestampMs;
}
