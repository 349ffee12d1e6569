import type { SuspectedOrphan } from '../../contract/index.js';

// Decides what follows a request to open a session. `POST /omni/start` has no idempotency key, so a repeated request may open a second
// session.

/** A request to open a session, with an `externalCustomerId` that no other request has. */
export interface OpeningAttempt {
  externalCustomerId: string;
  /** The session that Incode's webhook or answer named first. `null` if there was neither. */
  interviewId: string | null;
  /** The request may have opened a session that the workflow has no token for. Also `true` until the answer arrives. */
  isAnswerLost: boolean;
  /** A request for a token of its session is in flight. Incode may open another session instead. */
  isTakingOver?: true;
  /** Further sessions that webhooks or answers named. Absent if there are none. */
  otherIds?: string[];
  /** How many further sessions requests for a token may have opened, those in `otherIds` included. Absent for none. */
  opensInstead?: number;
}

/** Anybody who knows the `externalCustomerId` can name sessions, so the record must not grow without end. */
const MAX_OTHER_IDS = 20;

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

/** Records a session that a webhook or an answer names. Another `externalCustomerId` changes nothing. @returns whether the session was unknown */
export function recordStartedSession(
  attempts: OpeningAttempt[],
  { interviewId, externalCustomerId }: UsedSession,
): boolean {
  const attempt = attempts.find((known) => known.externalCustomerId === externalCustomerId);
  if (!attempt || idsOf(attempt).includes(interviewId)) return false;
  if (attempt.interviewId === null) attempt.interviewId = interviewId;
  else if ((attempt.otherIds ?? []).length >= MAX_OTHER_IDS) return false;
  else attempt.otherIds = [...(attempt.otherIds ?? []), interviewId];
  return true;
}

/**
 * Records a session that Incode has opened instead of giving a token for a known one.
 *
 * @param earlierRequests requests before it whose answers were lost, so that each may have opened a session too
 */
export function recordOpenedInstead(attempts: OpeningAttempt[], opened: UsedSession, earlierRequests = 0): void {
  recordStartedSession(attempts, opened);
  const attempt = attempts.find(({ externalCustomerId }) => externalCustomerId === opened.externalCustomerId);
  if (attempt) attempt.opensInstead = (attempt.opensInstead ?? 0) + 1 + earlierRequests;
}

/** The sessions that may exist for this person and are not used. */
export function suspectedOrphans(attempts: readonly OpeningAttempt[], used: UsedSession | null): SuspectedOrphan[] {
  return attempts.flatMap((attempt) => {
    const { externalCustomerId } = attempt;
    const named = idsOf(attempt).filter((interviewId) => interviewId !== used?.interviewId);
    const ids: (string | null)[] = mayHaveUnknown(attempt) ? [...named, null] : named;
    return ids.map((interviewId) => ({ externalCustomerId, interviewId }));
  });
}

function idsOf({ interviewId, otherIds = [] }: OpeningAttempt): string[] {
  return interviewId === null ? otherIds : [interviewId, ...otherIds];
}

/** Whether a session may exist that neither a webhook nor an answer has named. */
function mayHaveUnknown({
  interviewId,
  isAnswerLost,
  isTakingOver,
  otherIds = [],
  opensInstead = 0,
}: OpeningAttempt): boolean {
  if (isTakingOver) return true;
  return interviewId === null ? isAnswerLost : otherIds.length < opensInstead;
}
