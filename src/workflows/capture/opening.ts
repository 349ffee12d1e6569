import type { SuspectedOrphan } from '../../contract/index.js';

// Decides what follows a request to open a session. `POST /omni/start` has no idempotency key, so a repeated request may open a second
// session.

/** A request to open a session, with an `externalCustomerId` that no other request has. */
export interface OpeningAttempt {
  externalCustomerId: string;
  /** The session that Incode's webhook or answer named. `null` if there was neither. */
  interviewId: string | null;
  /** The request may have opened a session that the workflow has no token for. */
  isAnswerLost: boolean;
}

/** The session that is used. */
export interface UsedSession {
  interviewId: string;
  externalCustomerId: string;
}

/** What to do next to get a session. */
export type OpeningStep = 'open' | 'wait' | { takeOver: string; externalCustomerId: string };

/**
 * @param hasWaited whether the time for the webhook of the latest attempt is over
 * @param unusable sessions that Incode has refused to hand over
 */
export function nextOpeningStep(
  attempts: readonly OpeningAttempt[],
  hasWaited: boolean,
  unusable: readonly string[],
): OpeningStep {
  // A webhook that comes late names the session of an earlier attempt. It is as good as that of the latest.
  const found = attempts.findLast(({ interviewId }) => interviewId !== null && !unusable.includes(interviewId));
  if (found?.interviewId) return { takeOver: found.interviewId, externalCustomerId: found.externalCustomerId };
  const latest = attempts.at(-1);
  const mayBeFound = latest?.isAnswerLost && latest.interviewId === null;
  return mayBeFound && !hasWaited ? 'wait' : 'open';
}

/** Records what a webhook says. A webhook about another id changes nothing. @returns whether it says something new */
export function recordStartedSession(
  attempts: OpeningAttempt[],
  { interviewId, externalCustomerId }: UsedSession,
): boolean {
  const attempt = attempts.find((known) => known.externalCustomerId === externalCustomerId);
  if (!attempt || attempt.interviewId !== null) return false;
  attempt.interviewId = interviewId;
  return true;
}

/** The sessions that may exist for this person and are not used. */
export function suspectedOrphans(attempts: readonly OpeningAttempt[], used: UsedSession | null): SuspectedOrphan[] {
  return attempts
    .filter(({ isAnswerLost, interviewId, externalCustomerId }) => {
      if (interviewId !== null) return interviewId !== used?.interviewId;
      return isAnswerLost && externalCustomerId !== used?.externalCustomerId;
    })
    .map(({ externalCustomerId, interviewId }) => ({ externalCustomerId, interviewId }));
}
