import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/contract/index.js';
import { parseDelivery } from '../../src/webhook/index.js';

const ID = '5f3a0000c0ffee';
/** The `externalCustomerId` of a request of the workflow for people from images. */
const REQUEST = 'ann-1~0123456789ab';
const STATUS = { interviewId: ID, onboardingStatus: 'ONBOARDING_FINISHED' };

describe('parseDelivery', () => {
  it.each<[string, object, object]>([
    [
      'an onboarding status webhook',
      { ...STATUS, clientId: 'acme', flowId: 'f-1', externalId: 'c-1' },
      { ...STATUS, flowId: 'f-1', externalId: 'c-1' },
    ],
    ['a body with the two required fields', STATUS, STATUS],
    [
      "Incode's misspelled status, which it corrects",
      { interviewId: ID, onboardingStatus: 'ONBOADING_FINISHED' },
      STATUS,
    ],
    [
      'an unknown status',
      { ...STATUS, onboardingStatus: 'SOMETHING_NEW' },
      { ...STATUS, onboardingStatus: 'SOMETHING_NEW' },
    ],
    [
      'a session webhook with a status',
      { ...STATUS, event_type: 'Session Succeeded', externalCustomerId: 'c-1', identityId: 'i-1' },
      { ...STATUS, externalId: 'c-1' },
    ],
    ['a session webhook in the other spelling', { ...STATUS, eventType: 'SESSION_SUCCEEDED' }, STATUS],
    [
      'externalId instead of externalCustomerId if both are present',
      { ...STATUS, externalId: 'a', externalCustomerId: 'b' },
      { ...STATUS, externalId: 'a' },
    ],
    ['unknown fields of any type, which it drops', { ...STATUS, score: { overall: [1] }, timestamp: null }, STATUS],
    [
      'optional fields that are null, empty or not a string as absent',
      { ...STATUS, flowId: null, externalId: 7, externalCustomerId: '' },
      STATUS,
    ],
    ['an event type that is not a string as absent', { ...STATUS, event_type: 7 }, STATUS],
    ['a status with space around it', { ...STATUS, onboardingStatus: ' ONBOARDING_FINISHED\n' }, STATUS],
    [
      'the longest status',
      { ...STATUS, onboardingStatus: 'S'.repeat(100) },
      { ...STATUS, onboardingStatus: 'S'.repeat(100) },
    ],
  ])('reads %s', (_, body, delivery) => {
    expect(parseDelivery(body)).toEqual({ kind: 'status', delivery });
  });

  it.each([
    [{ event_type: 'Session Started', interviewId: ID }, 'Session Started'],
    [{ eventType: 'SESSION_FAILED', interviewId: ID, onboardingStatus: null }, 'SESSION_FAILED'],
    // The decision of the rules or of a person: parseDelivery cannot know the status.
    [{ event_type: 'Session Succeeded', interviewId: ID, onboardingStatus: '' }, 'Session Succeeded'],
    [{ event_type: 'Identity Enrolled', identityId: 'i-1' }, 'Identity Enrolled'],
    [{ event_type: 'No Session Started', interviewId: ID, externalCustomerId: REQUEST }, 'No Session Started'],
    [{ event_type: 'Session Started Late', interviewId: ID, externalCustomerId: REQUEST }, 'Session Started Late'],
  ])('ignores the session webhook %j, which has no status', (body, eventType) => {
    expect(parseDelivery(body)).toEqual({ kind: 'ignored', eventType });
  });

  it.each([
    { event_type: 'Session Started', interviewId: ID, externalCustomerId: REQUEST },
    { eventType: 'SESSION_STARTED', interviewId: ID, externalId: REQUEST, onboardingStatus: 'UNKNOWN' },
  ])('reads the start of the session of a person from images: %j', (body) => {
    const delivery = { interviewId: ID, externalCustomerId: REQUEST };
    expect(parseDelivery(body)).toEqual({ kind: 'started', delivery });
  });

  it('reads the start of another session as a status', () => {
    const body = {
      event_type: 'SESSION_STARTED',
      interviewId: ID,
      externalCustomerId: 'c-1',
      onboardingStatus: 'UNKNOWN',
    };
    const delivery = { interviewId: ID, onboardingStatus: 'UNKNOWN', externalId: 'c-1' };
    expect(parseDelivery(body)).toEqual({ kind: 'status', delivery });
  });

  it("refuses the start of a person's session without its id", () => {
    const body = { event_type: 'SESSION_STARTED', externalCustomerId: REQUEST };
    expect(refusalOf(body).field).toBe('interviewId');
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'body'],
    ['a list', [STATUS], 'body'],
    ['a string', 'secret', 'body'],
    ['a number', 7, 'body'],
    ['an empty object', {}, 'interviewId'],
    ['a missing interviewId', { onboardingStatus: 'secret' }, 'interviewId'],
    ['a number as interviewId', { ...STATUS, interviewId: 5 }, 'interviewId'],
    ['an interviewId with a line break', { ...STATUS, interviewId: 'secret\nx' }, 'interviewId'],
    ['an interviewId of 600 characters', { ...STATUS, interviewId: 'secret'.repeat(100) }, 'interviewId'],
    ['an interviewId under another name', { interview_id: 'secret', onboardingStatus: 'X' }, 'interviewId'],
    [
      'an inherited interviewId',
      JSON.parse('{"__proto__": {"interviewId": "secret"}, "onboardingStatus": "X"}'),
      'interviewId',
    ],
    ['a missing status', { interviewId: 'secret' }, 'onboardingStatus'],
    ['an object as status', { ...STATUS, onboardingStatus: { secret: 1 } }, 'onboardingStatus'],
    ['a number as status of an event', { ...STATUS, event_type: 'E', onboardingStatus: 1 }, 'onboardingStatus'],
    ['an empty status without an event', { ...STATUS, onboardingStatus: '' }, 'onboardingStatus'],
    ['a status with spaces', { ...STATUS, onboardingStatus: 'a secret' }, 'onboardingStatus'],
    ['a status of 102 characters', { ...STATUS, onboardingStatus: 'secret'.repeat(17) }, 'onboardingStatus'],
  ])('refuses %s, names the field and shows no value', (_, body, field) => {
    const refusal = refusalOf(body);
    expect(refusal.field).toBe(field);
    expect(refusal.message).toMatch(new RegExp(`^${field} must (?!.*secret)`));
  });
});

function refusalOf(body: unknown): InvalidInputError {
  try {
    return parseDelivery(body) as never;
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
}
