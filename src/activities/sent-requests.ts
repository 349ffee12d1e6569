import { recall, remember } from './recent-requests.js';

/** Earlier requests to finish the session that may have taken effect. Empty if there were none. */
export interface EarlierRequests {
  /** When the last one was sent, by the server's clock, in ms since the epoch. */
  lastSentAt?: number;
  /** Incode answered one of them with 2xx, so none is sent again. */
  accepted?: true;
}

/**
 * The same, as an attempt passes it to the next one. An attempt does not name the time of its own request, because workers' clocks differ:
 * with a difference above the settle time, a session would be finished twice.
 */
export interface SentRequests extends Omit<EarlierRequests, 'lastSentAt'> {
  lastSentAt?: number | 'inThisAttempt';
}

export function mayBeSent({ lastSentAt, accepted }: EarlierRequests): boolean {
  return lastSentAt !== undefined || accepted === true;
}

/** Adds what other workflows and lists sent from this process. @param now the server's clock */
export function withRecent(earlier: EarlierRequests, interviewId: string, now: () => number): EarlierRequests {
  const recent = recall(interviewId);
  if (!recent) return earlier;
  const lastSentAt = Math.max(earlier.lastSentAt ?? 0, now() - recent.sentMsAgo);
  return { ...earlier, lastSentAt, ...(recent.accepted ? { accepted: true } : {}) };
}

/** @param keptMs how long to remember the request after it was sent @param now the server's clock */
export function rememberSent(interviewId: string, sent: SentRequests, keptMs: number, now: () => number): void {
  const { lastSentAt, accepted = false } = sent;
  if (lastSentAt === undefined) return;
  const sentMsAgo = lastSentAt === 'inThisAttempt' ? 0 : Math.max(0, now() - lastSentAt);
  remember(interviewId, { sentMsAgo, accepted }, keptMs);
}
