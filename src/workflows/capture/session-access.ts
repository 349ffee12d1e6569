import { ApplicationFailure, condition, patched } from '@temporalio/workflow';
import type { CaptureActivities, OpenedSession, OpenSessionInput } from '../../activities/capture/types.js';
import type { SessionInput } from '../../activities/types.js';
import { BACKOFF_COEFFICIENT, MIN_BACKOFF_MS } from '../../contract/backoff.js';
import { FAILURES } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { activityRefusal } from '../failures.js';
import { NewRunIsDue, newRunIsDue } from '../new-run.js';
import { addEvent } from '../record.js';
import { capture, capturePerEndpoint } from './activities.js';
import { factsOf, failedWith } from './failures.js';
import { recordOpenedInstead, type UsedSession } from './opening.js';
import type { Person } from './person.js';

/** @param how `interviewId` is a session to take over. Without it, Incode opens a new one */
export async function requestSession(
  { input, record }: Person,
  externalCustomerId: string,
  how: Pick<OpenSessionInput, 'interviewId' | 'afterLostAnswer'> = {},
): Promise<OpenedSession> {
  const { reference, configurationId, countryCode, customFields } = input;
  const request: OpenSessionInput = {
    reference,
    externalCustomerId,
    ...omitUndefined({ configurationId, countryCode, customFields }),
    ...how,
  };
  const attempt = record.attempts.find((known) => known.externalCustomerId === externalCustomerId);
  if (attempt && how.interviewId !== undefined) attempt.isTakingOver = true;
  try {
    const opened = await capture.openSession(request);
    if (attempt) delete attempt.isTakingOver;
    return opened;
  } catch (error) {
    // A cancellation does not say what Incode has done.
    if (attempt && activityRefusal(error)) delete attempt.isTakingOver;
    throw error;
  }
}

/** Marks in a history that the workflow waits if Incode refuses a fresh token, too. Earlier versions failed. */
const WAITS_FOR_TOKEN = 'waits-for-a-token';

/**
 * Calls Incode with the session's token. If Incode refuses the token, gets another one and calls again. If Incode refuses that one, too, waits
 * longer before each further one, because somebody may have to correct an account or a flow at Incode.
 *
 * @param call gets the activities on the task queues of this person
 */
export async function withSession<T>(
  person: Person,
  call: (access: SessionInput, activities: CaptureActivities) => Promise<T>,
): Promise<T> {
  const { record } = person;
  for (;;) {
    const { session } = record;
    if (session === null) throw new Error('There is no session');
    const { interviewId, sessionToken, perEndpoint } = session;
    try {
      const result = await call(
        { interviewId, sessionToken, issuedByIncode: true },
        perEndpoint ? capturePerEndpoint : capture,
      );
      tokenAccepted(person);
      return result;
    } catch (error) {
      if (!failedWith(error, FAILURES.tokenRefused)) {
        // Incode checks the token before the request.
        if (failedWith(error, FAILURES.badRequest)) tokenAccepted(person);
        // Whatever happens next, the person no longer waits for a token.
        delete record.refusedTokens;
        throw error;
      }
      await tokenRefused(person, error);
      const renewed = await requestSession(person, session.externalCustomerId, { interviewId });
      if (renewed.interviewId !== interviewId) throw anotherSession(person, session, renewed);
      session.sessionToken = renewed.sessionToken;
    }
  }
}

function tokenAccepted(person: Person): void {
  const { record, needsToken } = person;
  delete record.refusedTokens;
  if (!needsToken) return;
  addEvent(record, 'Incode accepts the session token again');
  person.publish();
}

/** The longest pause between two tokens. A day has 144 of them, each with three billable actions: the timer, the token and the call. */
const MAX_PAUSE_MS = 600_000;

/**
 * Returns when it is time for another token.
 *
 * @throws the refusal after the deadline
 */
async function tokenRefused(person: Person, refusal: unknown): Promise<void> {
  const { record } = person;
  const { count, since } = record.refusedTokens ?? { count: 0, since: Date.now() };
  if (count > 0 && !patched(WAITS_FOR_TOKEN)) throw refusal;
  record.refusedTokens = { count: count + 1, since };
  if (count < 2)
    addEvent(record, count === 0 ? 'Incode refused the session token' : 'Incode refused a fresh session token too');
  if (count === 0) return;
  person.publish();
  const left = (person.tokenDeadline ?? 0) - Date.now();
  if (left <= 0) throw refusal;
  const pauseMs = Math.min(MIN_BACKOFF_MS * BACKOFF_COEFFICIENT ** (count - 1), MAX_PAUSE_MS, left);
  const isDue = await condition(newRunIsDue, Math.max(1, pauseMs), {
    summary: 'Until another session token is requested',
  });
  if (isDue) throw new NewRunIsDue();
}

/** The images so far are in a session that Incode gives no token for. */
function anotherSession(
  person: Person,
  { interviewId, externalCustomerId }: UsedSession,
  { interviewId: opened, earlierRequests }: OpenedSession,
): ApplicationFailure {
  const { input, record } = person;
  recordOpenedInstead(record.attempts, { interviewId: opened, externalCustomerId }, earlierRequests);
  return ApplicationFailure.create({
    type: FAILURES.wrongSession,
    message: `Person ${input.reference}: Incode has opened session ${opened} instead of giving a token for ${interviewId}`,
    nonRetryable: true,
    details: [{ ...factsOf(person), opened }],
  });
}
