import { recall, remember } from './recent-requests.js';

/** Earlier requests to finish the session that may have taken effect. Empty if there were none. */
export interface EarlierRequests {
  /** When the last one was sent, by the server's clock, in ms since the epoch. */
  lastSentAt?: number;
  /** Incode answered one of them with 2xx, so none is sent again. */
  accepted?: true;
}

/**
 * What an attempt passes to the next one. It does not contain the time of the attempt's own request, because the clocks of two workers may
 * differ by more than the settle time. A session would then be finished twice.
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
