/** About 150 bytes each. The oldest are dropped first. */
const MAX_SESSIONS = 100_000;

interface RecentRequest {
  /** Time of the monotonic clock. */
  sentAt: number;
  forgetAt: number;
  accepted: boolean;
}

/**
 * Requests to finish a session that this process sent. Workflows and lists do not know of each other, and Incode's status may lag behind its
 * answer.
 */
const sessions = new Map<string, RecentRequest>();

/** @returns how long ago the last request was sent, and whether Incode has accepted one; `undefined` if none is known */
export function recall(
  interviewId: string,
  now = performance.now(),
): { sentMsAgo: number; accepted: boolean } | undefined {
  const known = sessions.get(interviewId);
  return known && known.forgetAt > now ? { sentMsAgo: now - known.sentAt, accepted: known.accepted } : undefined;
}

/** For a request that turned out to be about another session. */
export function forget(interviewId: string): void {
  sessions.delete(interviewId);
}

/** @param keptMs how long to remember the request after it was sent */
export function remember(
  interviewId: string,
  { sentMsAgo, accepted }: { sentMsAgo: number; accepted: boolean },
  keptMs: number,
  now = performance.now(),
): void {
  const known = recall(interviewId, now);
  const sentAt = Math.max(now - sentMsAgo, known ? now - known.sentMsAgo : Number.NEGATIVE_INFINITY);
  // Inserted again as the last entry, so that the first entry is the oldest.
  sessions.delete(interviewId);
  sessions.set(interviewId, { sentAt, forgetAt: sentAt + keptMs, accepted: accepted || known?.accepted === true });
  for (const [oldest, { forgetAt }] of sessions) {
    if (forgetAt > now && sessions.size <= MAX_SESSIONS) break;
    sessions.delete(oldest);
  }
}
