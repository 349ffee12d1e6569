import { activityInfo, Context, heartbeat } from '@temporalio/activity';

/**
 * Runs one call to Incode with the activity's cancellation and sends heartbeats meanwhile. With heartbeats, the server notices a dead worker
 * before the start-to-close timeout, and a cancellation reaches the call.
 *
 * Most calls end before the first heartbeat and send none. Each recorded heartbeat is billed.
 *
 * @param details returns the details of the next heartbeat. The server keeps only those of the last one
 */
export async function callIncode<T>(call: (signal: AbortSignal) => Promise<T>, details?: () => unknown): Promise<T> {
  const { heartbeatTimeoutMs } = activityInfo();
  // Three heartbeats fit into the timeout, so that a late one does no harm.
  const timer = heartbeatTimeoutMs ? setInterval(() => heartbeat(details?.()), heartbeatTimeoutMs / 3) : undefined;
  try {
    return await call(Context.current().cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

/**
 * The server's clock as far as an activity can know it. It is never ahead. It is behind by the time that the task waited for a worker. So a
 * duration since an earlier time of the server is never measured too long.
 */
export function serverClock(): () => number {
  const { currentAttemptScheduledTimestampMs } = activityInfo();
  const begunAt = performance.now();
  return () => currentAttemptScheduledTimestampMs + performance.now() - begunAt;
}

/** Time since the activity was scheduled. Uses only the server's clock, so that a wrong clock of a worker makes no wait longer or shorter. */
export function passedMs(): number {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  return currentAttemptScheduledTimestampMs - scheduledTimestampMs;
}

/**
 * Whether no earlier attempt can have sent anything. After an operator resets an activity, its attempts count from one again, but its
 * scheduled time stays that of the first attempt, to the millisecond.
 */
export function isFirstAttempt(): boolean {
  const { attempt, scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  return attempt === 1 && currentAttemptScheduledTimestampMs <= scheduledTimestampMs;
}
