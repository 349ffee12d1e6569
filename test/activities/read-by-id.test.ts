import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { type ActivityEvent, createIncodeActivities } from '../../src/activities/index.js';
import { FAILURES } from '../../src/contract/index.js';
import { type IncodeClient, IncodeError } from '../../src/incode/index.js';
import { namedSession } from '../support/tokens.js';

/** An Incode that answers session tokens with another session's status and score. */
const incode = {
  onboardingStatus: async ({ sessionToken }: { sessionToken: string }) => ({
    onboardingStatus: sessionToken === 'executive' ? 'MANUAL_REVIEW_REJECTED' : 'MANUAL_REVIEW_APPROVED',
  }),
  score: async ({ sessionToken }: { sessionToken: string }) => ({
    status: sessionToken === 'executive' ? 'FAIL' : 'OK',
    value: null,
  }),
} as unknown as IncodeClient;

describe('reads by id with an executive token', () => {
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
  ])('%s returns the status that the executive token reads', async (_, read) => {
    expect(await read()).toEqual({ onboardingStatus: 'MANUAL_REVIEW_REJECTED' });
  });

  it('score returns the score that the executive token reads', async () => {
    const read = await environment().run(activities.score, { ...session, readyWithinMs: 1_000 });
    expect(read).toEqual({ status: 'FAIL', value: null });
  });

  it('confirmStatus uses no other token while the executive user cannot log in', async () => {
    const refused = new IncodeError({ kind: 'misconfigured', operation: 'logIn', what: 'answered 401' });
    const { confirmStatus } = createIncodeActivities({ incode, executive: { token: () => Promise.reject(refused) } });
    const asking = environment().run(confirmStatus, { ...session, hints: ['MANUAL_REVIEW_APPROVED'] });
    await expect(asking).rejects.toMatchObject({ type: FAILURES.misconfigured });
  });
});

describe('reads by id without an executive token', () => {
  const refused = new IncodeError({ kind: 'tokenRefused', operation: 'onboardingStatus', what: 'answered 401' });
  /** An Incode that refuses the token for this id, because it belongs to another session. */
  const foreign = {
    onboardingStatus: async ({ interviewId }: { interviewId?: string }) => {
      if (interviewId !== undefined) throw refused;
      return { onboardingStatus: 'MANUAL_REVIEW_APPROVED' };
    },
  } as unknown as IncodeClient;
  const activities = createIncodeActivities({ incode: foreign });
  const session = { ...namedSession(), sessionToken: 'opaque' };

  it('confirmStatus fails if Incode refuses the token for this id only', async () => {
    const asking = new MockActivityEnvironment().run(activities.confirmStatus, { ...session, hints: ['EXPIRED'] });
    await expect(asking).rejects.toMatchObject({ type: FAILURES.tokenMismatch, nonRetryable: true });
  });

  it('confirmStatus uses a token of the source if the token of the session belongs to another one', async () => {
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

  it('confirmStatus returns null if Incode refuses the token for every session twice', async () => {
    const { confirmStatus } = createIncodeActivities({
      incode: { onboardingStatus: () => Promise.reject(refused) } as unknown as IncodeClient,
    });
    const input = { ...session, hints: ['EXPIRED'] };
    const asking = new MockActivityEnvironment({ attempt: 1 }).run(confirmStatus, input);
    await expect(asking).rejects.toMatchObject({ type: FAILURES.milestoneNotReached, nonRetryable: false });
    expect(await new MockActivityEnvironment({ attempt: 2 }).run(confirmStatus, input)).toEqual({
      onboardingStatus: null,
    });
  });

  it('confirmStatus believes no webhook while the token source fails', async () => {
    const { confirmStatus } = createIncodeActivities({
      incode: { onboardingStatus: () => Promise.reject(refused) } as unknown as IncodeClient,
      tokenSource: { token: () => Promise.reject(new Error('the vault is sealed')) },
    });
    const scheduledTimestampMs = 1_700_000_000_000;
    // Long after the time in which the status may lag behind.
    const currentAttemptScheduledTimestampMs = scheduledTimestampMs + 3_600_000;
    const environment = new MockActivityEnvironment({ scheduledTimestampMs, currentAttemptScheduledTimestampMs });
    const asking = environment.run(confirmStatus, { ...session, hints: ['MANUAL_REVIEW_APPROVED'] });
    await expect(asking).rejects.toMatchObject({ message: expect.stringContaining('the vault is sealed') });
  });

  it.each(['unknownSession', 'badRequest'] as const)(
    'confirmStatus counts a contradiction if Incode refuses the read for good with %s',
    async (kind) => {
      const events: ActivityEvent[] = [];
      const error = new IncodeError({ kind, operation: 'onboardingStatus', what: 'answered 4xx' });
      const { confirmStatus } = createIncodeActivities({
        incode: { onboardingStatus: () => Promise.reject(error) } as unknown as IncodeClient,
        observe: (event) => events.push(event),
      });
      const asking = new MockActivityEnvironment().run(confirmStatus, { ...session, hints: ['EXPIRED'] });
      await expect(asking).rejects.toMatchObject({ nonRetryable: true });
      expect(events).toEqual([{ type: 'hint', result: 'contradicted' }]);
    },
  );

  it('onboardingStatus fails if the token belongs to another session', async () => {
    const looking = new MockActivityEnvironment().run(activities.onboardingStatus, session);
    await expect(looking).rejects.toMatchObject({ type: FAILURES.tokenMismatch });
  });
});
