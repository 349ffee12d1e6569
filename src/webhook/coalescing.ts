import type { Notified, Settings } from './options.js';
import type { StatusDelivery } from './parse-delivery.js';

/** How long a delivered status counts as a repeat. Incode sends a delivery again after 30 s. */
const REPEAT_WINDOW_MS = 60_000;

/** Incode documents about ten statuses, so more than this within ten minutes is a flood. */
const MAX_NOTIFICATIONS = 20;
const FLOOD_WINDOW_MS = 600_000;

/** A session takes about 300 bytes. Beyond this number, the oldest session is forgotten. */
const MAX_SESSIONS = 10_000;

interface Notification {
  result: Promise<Notified>;
  /** When it is forgotten, by the monotonic clock. */
  until: number;
}

interface KnownSession {
  byStatus: Map<string, Notification>;
  /** Number of notifications since the window began. */
  notifications: number;
  windowEnds: number;
}

/** `tooMany`: the session had too many notifications, so Incode has to send this delivery again later. */
export type Coalesced = Notified | 'tooMany';

/**
 * Calls `notify` once for deliveries with the same session and status, while one is in flight and for a minute after it was delivered.
 * Thousands of waiting signals would stop a workflow.
 */
export function coalescing(
  { notify, notifyTimeoutMs }: Pick<Settings, 'notify' | 'notifyTimeoutMs'>,
  now = () => performance.now(),
): (delivery: StatusDelivery) => Promise<Coalesced> {
  const sessions = new Map<string, KnownSession>();

  function sessionOf(interviewId: string): KnownSession {
    const known = sessions.get(interviewId);
    const windowEnds = now() + FLOOD_WINDOW_MS;
    const session =
      known && known.windowEnds > now()
        ? known
        : { byStatus: known?.byStatus ?? new Map(), notifications: 0, windowEnds };
    for (const [status, { until }] of session.byStatus) if (until <= now()) session.byStatus.delete(status);
    // Moved to the end, so that the first session is the oldest.
    sessions.delete(interviewId);
    sessions.set(interviewId, session);
    for (const oldest of sessions.keys()) {
      if (sessions.size <= MAX_SESSIONS) break;
      sessions.delete(oldest);
    }
    return session;
  }

  return async (delivery) => {
    const { interviewId, onboardingStatus } = delivery;
    const session = sessionOf(interviewId);
    const repeated = session.byStatus.get(onboardingStatus);
    if (repeated) return repeated.result;
    if (session.notifications >= MAX_NOTIFICATIONS) return 'tooMany';
    session.notifications += 1;
    // After the timeout, the next delivery calls `notify` again.
    const notification: Notification = { result: (async () => notify(delivery))(), until: now() + notifyTimeoutMs };
    session.byStatus.set(onboardingStatus, notification);
    try {
      const result = await notification.result;
      // A session that is unknown or has ended may be started in a moment.
      notification.until = result === 'delivered' ? now() + REPEAT_WINDOW_MS : 0;
      return result;
    } catch (error) {
      notification.until = 0;
      throw error;
    }
  };
}
