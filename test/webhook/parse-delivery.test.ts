import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/contract/index.js';
import { parseDelivery } from '../../src/webhook/index.js';

const ID = '5f3a0000c0ffee';
const STATUS = { interviewId: ID, onboardingStatus: 'ONBOARDING_FINISHED' };

describe('parseDelivery reads', () => {
  it.each<[string, object, object]>([
    [
      'an onboarding status webhook',
      { ...STATUS, clientId: 'acme', flowId: 'f-1', externalId: 'c-1' },
      { ...STATUS, flowId: 'f-1', externalId: 'c-1' },
    ],
    ['the least that is needed', STATUS, STATUS],
    ['the misspelt status, and corrects it', { interviewId: ID, onboardingStatus: 'ONBOADING_FINISHED' }, STATUS],
    [
      'a status that is new to us',
      { ...STATUS, onboardingStatus: 'SOMETHING_NEW' },
      { ...STATUS, onboardingStatus: 'SOMETHING_NEW' },
    ],
    [
      'a session webhook with a status',
      { ...STATUS, event_type: 'Session Succeeded', externalCustomerId: 'c-1', identityId: 'i-1' },
      { ...STATUS, externalId: 'c-1' },
    ],
    ['the same in its other spelling', { ...STATUS, eventType: 'SESSION_SUCCEEDED' }, STATUS],
    [
      'externalId before externalCustomerId',
      { ...STATUS, externalId: 'a', externalCustomerId: 'b' },
      { ...STATUS, externalId: 'a' },
    ],
    ['unknown fields of any type, and drops them', { ...STATUS, score: { overall: [1] }, timestamp: null }, STATUS],
    [
      'optional fields that are null, empty or no text as absent',
      { ...STATUS, flowId: null, externalId: 7, externalCustomerId: '' },
      STATUS,
    ],
    ['an event type that is no text as absent', { ...STATUS, event_type: 7 }, STATUS],
  ])('%s', (_, body, delivery) => {
    expect(parseDelivery(body)).toEqual({ kind: 'status', delivery });
  });
});

describe('parseDelivery ignores a session webhook without a status:', () => {
  it.each([
    [{ event_type: 'Session Started', interviewId: ID }, 'Session Started'],
    [{ eventType: 'SESSION_FAILED', interviewId: ID, onboardingStatus: null }, 'SESSION_FAILED'],
    // It could be the rules' decision or a person's: no status is made up.
    [{ event_type: 'Session Succeeded', interviewId: ID, onboardingStatus: '' }, 'Session Succeeded'],
    [{ event_type: 'Identity Enrolled', identityId: 'i-1' }, 'Identity Enrolled'],
  ])('%j', (body, eventType) => {
    expect(parseDelivery(body)).toEqual({ kind: 'ignored', eventType });
  });
});

describe('parseDelivery refuses', () => {
  it.each<[string, unknown, string]>([
    ['null', null, 'body'],
    ['a list', [STATUS], 'body'],
    ['a text', 'secret', 'body'],
    ['a number', 7, 'body'],
    ['nothing', {}, 'interviewId'],
    ['no interviewId', { onboardingStatus: 'secret' }, 'interviewId'],
    ['an interviewId that is no text', { ...STATUS, interviewId: 5 }, 'interviewId'],
    ['an interviewId with a line break', { ...STATUS, interviewId: 'secret\nx' }, 'interviewId'],
    ['an interviewId that is endless', { ...STATUS, interviewId: 'secret'.repeat(100) }, 'interviewId'],
    ['an interviewId under another name', { interview_id: 'secret', onboardingStatus: 'X' }, 'interviewId'],
    [
      'an inherited interviewId',
      JSON.parse('{"__proto__": {"interviewId": "secret"}, "onboardingStatus": "X"}'),
      'interviewId',
    ],
    ['no status', { interviewId: 'secret' }, 'onboardingStatus'],
    ['a status that is no text', { ...STATUS, onboardingStatus: { secret: 1 } }, 'onboardingStatus'],
    [
      'a status that is no text, of an event too',
      { ...STATUS, event_type: 'E', onboardingStatus: 1 },
      'onboardingStatus',
    ],
    ['an empty status without an event', { ...STATUS, onboardingStatus: '' }, 'onboardingStatus'],
    ['a status with spaces', { ...STATUS, onboardingStatus: 'a secret' }, 'onboardingStatus'],
    ['an endless status', { ...STATUS, onboardingStatus: 'secret'.repeat(20) }, 'onboardingStatus'],
  ])('%s, naming the field and repeating nothing', (_, body, field) => {
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
