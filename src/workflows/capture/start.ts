import { condition, patched, uuid4 } from '@temporalio/workflow';
import type { OpenedSession } from '../../activities/capture/types.js';
import { externalCustomerIdOf, FAILURES } from '../../contract/index.js';
import { activityRefusal } from '../failures.js';
import { addEvent } from '../record.js';
import { failedWith } from './failures.js';
import { nextOpeningStep, type OpeningAttempt, recordOpenedInstead, recordStartedSession } from './opening.js';
import type { Person } from './person.js';
import type { CaptureRecord } from './record.js';
import { requestSession } from './session-access.js';

/** Opens a session. If an answer is lost, first looks for the session that the request may have opened, and takes it over. */
export async function openSession(person: Person): Promise<void> {
  const { record } = person;
  const unusable: string[] = [];
  let hasWaited = false;
  while (record.session === null) {
    const step = nextOpeningStep(record.attempts, hasWaited, unusable);
    if (step === 'wait') {
      await untilFound(person, unusable);
      hasWaited = true;
    } else if (step === 'open') {
      await open(person);
      hasWaited = false;
    } else if (!(await takeOver(person, step.externalCustomerId, step.takeOver))) {
      unusable.push(step.takeOver);
    }
  }
}

/** Marks in a history that the workflow waits for another webhook after a session that Incode did not hand over. */
const WAITS_AGAIN = 'finding-session-again';

async function open(person: Person): Promise<void> {
  const { record, input } = person;
  person.enter('starting');
  const externalCustomerId = externalCustomerIdOf(input.reference, uuid4().replaceAll('-', '').slice(0, 12));
  // If somebody cancels or terminates the workflow now, the answer is lost.
  const attempt: OpeningAttempt = { externalCustomerId, interviewId: null, isAnswerLost: true };
  const how = record.attempts.at(-1)?.isAnswerLost ? ({ afterLostAnswer: true } as const) : {};
  record.attempts.push(attempt);
  try {
    const opened = await requestSession(person, externalCustomerId, how);
    const { interviewId } = opened;
    attempt.isAnswerLost = false;
    recordStartedSession(record.attempts, { interviewId, externalCustomerId });
    record.session = usedSession(opened, externalCustomerId);
    addEvent(record, `Session ${interviewId} opened`);
  } catch (error) {
    if (!failedWith(error, FAILURES.maybeOpened)) {
      // Every other failure of the activity says that there is no session. A cancellation says nothing.
      attempt.isAnswerLost = activityRefusal(error) === undefined;
      throw error;
    }
    addEvent(record, `Incode may have opened a session for ${externalCustomerId}, and its answer was lost`);
  }
}

/** The worker's answer decides about the task queues, because workflow code must not read a configuration. */
function usedSession(
  { interviewId, sessionToken, perEndpoint }: OpenedSession,
  externalCustomerId: string,
): CaptureRecord['session'] {
  return { interviewId, externalCustomerId, sessionToken, ...(perEndpoint ? { perEndpoint } : {}) };
}

/** Incode's webhook names the session that a request has opened, if there is one. */
async function untilFound(person: Person, unusable: readonly string[]): Promise<void> {
  const { attempts } = person.record;
  // Histories of older versions end this wait at once if any session was ever found.
  const ignored = unusable.length > 0 && patched(WAITS_AGAIN) ? unusable : [];
  person.enter('findingSession', person.plan.findSessionWithinMs);
  const isFound = await condition(
    () => attempts.some(({ interviewId }) => interviewId !== null && !ignored.includes(interviewId)),
    person.plan.findSessionWithinMs,
    { summary: 'Time for the Session Started webhook' },
  );
  if (!isFound) addEvent(person.record, 'No webhook named the session: another one is opened');
}

/** @returns whether there is a session now */
async function takeOver(person: Person, externalCustomerId: string, interviewId: string): Promise<boolean> {
  const { record } = person;
  person.enter('starting');
  try {
    const opened = await requestSession(person, externalCustomerId, { interviewId });
    // If Incode opens another session instead, the workflow uses the new session. The found session is then an orphan.
    if (opened.interviewId !== interviewId) {
      const instead = { interviewId: opened.interviewId, externalCustomerId };
      recordOpenedInstead(record.attempts, instead, opened.earlierRequests);
    }
    record.session = usedSession(opened, externalCustomerId);
    addEvent(record, `Session ${opened.interviewId} taken over`);
    return true;
  } catch (error) {
    if (!failedWith(error, FAILURES.badRequest, FAILURES.unknownSession)) throw error;
    addEvent(record, `Incode does not hand over session ${interviewId}`);
    return false;
  }
}
