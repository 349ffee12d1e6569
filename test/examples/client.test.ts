import { BatchMismatchError } from 'temporal-incode/client';
import { startTestOnboarding, type TestOnboarding } from 'temporal-incode/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextPage, nextPageOrError } from './client-finish.js';
import { completeAll, saved, startAll } from './client-many.js';

let test: TestOnboarding;
beforeAll(async () => {
  test = await startTestOnboarding();
}, 120_000);
afterAll(() => test?.stop());

type SessionSpec = Parameters<TestOnboarding['incode']['openSession']>[0];

async function openSession(spec: SessionSpec = {}) {
  const { interviewId, token } = await test.incode.openSession(spec);
  return { interviewId, sessionToken: token };
}

describe('nextPage', () => {
  it.each([
    ['approved', { action: 'approved', redirectionUrl: 'https://example.com/next' }, 'https://example.com/next'],
    ['rejected', { action: 'rejected' }, '/refused'],
    ['undecided', { action: 'none' }, '/checking'],
    ['unknown to us', { action: 'somethingNew' }, '/checking'],
    ['expired', { onboardingStatus: 'EXPIRED' }, '/expired'],
  ])('sends the person to the page for an answer that is %s', async (_answer, spec, page) => {
    expect(await nextPage(test.onboarding, await openSession(spec))).toBe(page);
  });
});

describe('nextPageOrError', () => {
  it('offers a new start when the stored token is malformed', async () => {
    const { interviewId } = await openSession();
    expect(await nextPageOrError(test.onboarding, { interviewId, sessionToken: 'not a token' })).toBe('/start-again');
  });

  it('names the reason when Incode does not know the session', async () => {
    const session = await openSession();
    test.incode.fault({ interviewId: session.interviewId, kind: 'status', status: 404, times: null });
    expect(await nextPageOrError(test.onboarding, session)).toBe('/contact-us?reason=IncodeUnknownSession');
  });
});

it('startAll returns the ids of the sessions that could not be started', async () => {
  const session = await openSession();
  expect(await startAll(test.onboarding, [session, { ...session, interviewId: '' }])).toEqual(['']);
  expect((await test.onboarding.result(session.interviewId)).outcome).toBe('approved');
});

it('completeAll saves an ending for each session, and refuses another list under the same id', async () => {
  const sessions = [await openSession(), await openSession({ score: { status: 'FAIL', value: '1.0' } })];
  await completeAll(test.onboarding, sessions, 'tonight');
  expect(sessions.map(({ interviewId }) => saved.get(interviewId))).toEqual(['approved', 'rejected']);
  const another = completeAll(test.onboarding, [await openSession()], 'tonight');
  await expect(another).rejects.toThrow(BatchMismatchError);
});
