import type { Notified, Settings } from './options.js';
import type { StatusDelivery } from './parse-delivery.js';

/** Incode sends a delivery again after 30 s. Within this time it has told nothing new to a workflow that has it. */
const REMEMBERED_MS = 60_000;

/** Incode knows about ten statuses, so a session that has more news within ten minutes is being flooded. */
const MAX_NEWS = 20;
const NEWS_WINDOW_MS = 600_000;

/** About 300 bytes each. Whoever can send more sessions only makes the oldest forgotten. */
const MAX_SESSIONS = 10_000;

interface HandedOn {
  taken: Promise<Notified>;
  /** Until when it is remembered, by the monotonic clock. */
  until: number;
}

interface KnownSession {
  statuses: Map<string, HandedOn>;
  /** What was handed on since the window began. */
  news: number;
  windowEnds: number;
}

/** `tooMany`: so much was handed on for the session that this one has to come again later. */
export type Coalesced = Notified | 'tooMany';

/**
 * Hands each status of a session on once while the same one is in flight, or was delivered within the last minute: thousands of signals
 * that wait for one workflow stop it.
 */
export function coalescing(
  { notify, notifyTimeoutMs }: Pick<Settings, 'notify' | 'notifyTimeoutMs'>,
  now = () => performance.now(),
): (delivery: StatusDelivery) => Promise<Coalesced> {
  const sessions = new Map<string, KnownSession>();

  function sessionOf(interviewId: string): KnownSession {
    const known = sessions.get(interviewId);
    const windowEnds = now() + NEWS_WINDOW_MS;
    const session =
      known && known.windowEnds > now() ? known : { statuses: known?.statuses ?? new Map(), news: 0, windowEnds };
    for (const [status, { until }] of session.statuses) if (until <= now()) session.statuses.delete(status);
    // The latest one last, so that the first one is the oldest.
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
    const known = session.statuses.get(onboardingStatus);
    if (known) return known.taken;
    if (session.news >= MAX_NEWS) return 'tooMany';
    session.news += 1;
    // Nobody waits for it for longer than that, and the next delivery is to try anew.
    const handedOn: HandedOn = { taken: (async () => notify(delivery))(), until: now() + notifyTimeoutMs };
    session.statuses.set(onboardingStatus, handedOn);
    try {
      const taken = await handedOn.taken;
      // A session that is unknown, or has ended, may be started in a moment, and has heard nothing then.
      handedOn.until = taken === 'delivered' ? now() + REMEMBERED_MS : 0;
      return taken;
    } catch (error) {
      handedOn.until = 0;
      throw error;
    }
  };
}
