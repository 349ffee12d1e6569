import { ApplicationFailure } from '@temporalio/workflow';
import type { CaptureActivities, OpenedSession, OpenSessionInput } from '../../activities/capture/types.js';
import type { SessionInput } from '../../activities/types.js';
import { FAILURES } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { addEvent } from '../record.js';
import { capture, capturePerEndpoint } from './activities.js';
import { factsOf, failedWith } from './failures.js';
import { recordOpenedInstead, type UsedSession } from './opening.js';
import type { Person } from './person.js';

/** @param how `interviewId` is a session to take over. Without it, Incode opens a new one */
export function requestSession(
  { input }: Person,
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
  return capture.openSession(request);
}

/**
 * Calls Incode with the session's token. If Incode refuses the token, gets another one and calls again.
 *
 * @param call gets the activities on the task queues of this person
 */
export async function withSession<T>(
  person: Person,
  call: (access: SessionInput, activities: CaptureActivities) => Promise<T>,
): Promise<T> {
  const { record } = person;
  for (let isRenewed = false; ; isRenewed = true) {
    const { session } = record;
    if (session === null) throw new Error('There is no session');
    const { interviewId, sessionToken, perEndpoint } = session;
    try {
      return await call(
        { interviewId, sessionToken, issuedByIncode: true },
        perEndpoint ? capturePerEndpoint : capture,
      );
    } catch (error) {
      if (isRenewed || !failedWith(error, FAILURES.tokenRefused)) throw error;
      addEvent(record, 'Incode refused the session token');
      const renewed = await requestSession(person, session.externalCustomerId, { interviewId });
      if (renewed.interviewId !== interviewId) throw anotherSession(person, session, renewed);
      session.sessionToken = renewed.sessionToken;
    }
  }
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
