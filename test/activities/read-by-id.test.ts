import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createIncodeActivities } from '../../src/activities/index.js';
import { FAILURES } from '../../src/contract/index.js';
import { type IncodeClient, IncodeError } from '../../src/incode/index.js';
import { namedSession } from '../support/tokens.js';

/** An Incode that answers a session's own token for another session. */
const incode = {
  onboardingStatus: async ({ sessionToken }: { sessionToken: string }) => ({
    onboardingStatus: sessionToken === 'executive' ? 'MANUAL_REVIEW_REJECTED' : 'MANUAL_REVIEW_APPROVED',
  }),
  score: async ({ sessionToken }: { sessionToken: string }) => ({
    status: sessionToken === 'executive' ? 'FAIL' : 'OK',
    value: null,
  }),
} as unknown as IncodeClient;

describe('with an executive token, what is reported is read with it', () => {
  const executive = { token: async () => 'executive' };
  const activities = createIncodeActivities({ incode, executive });
  const environment = () => new MockActivityEnvironment();
  const session = namedSession();

  it.each([
    ['onboardingStatus', () => environment().run(activities.onboardingStatus, session)],
    [
      'awaitMilestone',
      () => environment().run(activities.awaitMilestone, { ...session, milestone: 'reviewed' as const }),
    ],
    [
      'confirmStatus',
      () => environment().run(activities.confirmStatus, { ...session, hints: ['MANUAL_REVIEW_REJECTED'] }),
    ],
  ])('%s', async (_, read) => {
    expect(await read()).toEqual({ onboardingStatus: 'MANUAL_REVIEW_REJECTED' });
  });

  it('score', async () => {
    const read = await environment().run(activities.score, { ...session, readyWithinMs: 1_000 });
    expect(read).toEqual({ status: 'FAIL', value: null });
  });

  it('and a webhook is not confirmed with another token while the executive user cannot log in', async () => {
    const refused = new IncodeError({ kind: 'misconfigured', operation: 'logIn', what: 'answered 401' });
    const { confirmStatus } = createIncodeActivities({ incode, executive: { token: () => Promise.reject(refused) } });
    const asking = environment().run(confirmStatus, { ...session, hints: ['MANUAL_REVIEW_APPROVED'] });
    await expect(asking).rejects.toMatchObject({ type: FAILURES.misconfigured });
  });
});

describe('without an executive token', () => {
  const refused = new IncodeError({ kind: 'tokenRefused', operation: 'onboardingStatus', what: 'answered 401' });
  /** Of another session, and the look by id refuses it. */
  const foreign = {
    onboardingStatus: async ({ interviewId }: { interviewId?: string }) => {
      if (interviewId !== undefined) throw refused;
      return { onboardingStatus: 'MANUAL_REVIEW_APPROVED' };
    },
  } as unknown as IncodeClient;
  const activities = createIncodeActivities({ incode: foreign });
  const session = { ...namedSession(), sessionToken: 'opaque' };

  it('a webhook is not taken at its word because Incode refuses the token for this id only', async () => {
    const asking = new MockActivityEnvironment().run(activities.confirmStatus, { ...session, hints: ['EXPIRED'] });
    await expect(asking).rejects.toMatchObject({ type: FAILURES.tokenMismatch, nonRetryable: true });
  });

  it('a webhook is confirmed with a token of the source if the one of the session is for another one', async () => {
    const { confirmStatus } = createIncodeActivities({
      incode: {
        onboardingStatus: async (access: { interviewId?: string; sessionToken: string }) =>
          access.sessionToken === 'fresh' ? { onboardingStatus: 'EXPIRED' } : foreign.onboardingStatus(access),
      } as unknown as IncodeClient,
      tokenSource: { token: async () => 'fresh' },
    });
    const asking = new MockActivityEnvironment().run(confirmStatus, { ...session, hints: ['EXPIRED'] });
    expect(await asking).toEqual({ onboardingStatus: 'EXPIRED' });
  });

  it('a webhook is taken at its word if Incode refuses the token altogether', async () => {
    const { confirmStatus } = createIncodeActivities({
      incode: { onboardingStatus: () => Promise.reject(refused) } as unknown as IncodeClient,
    });
    const asking = new MockActivityEnvironment().run(confirmStatus, { ...session, hints: ['EXPIRED'] });
    expect(await asking).toEqual({ onboardingStatus: null });
  });

  it('the look before a deadline finds that the token is for another session', async () => {
    const looking = new MockActivityEnvironment().run(activities.onboardingStatus, session);
    await expect(looking).rejects.toMatchObject({ type: FAILURES.tokenMismatch });
  });
});
