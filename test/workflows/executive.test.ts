import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActivityEvent } from '../../src/activities/index.js';
import { completeBatch, SessionFailedError } from '../../src/client/index.js';
import { FAILURES } from '../../src/contract/index.js';
import { createIncodeClient, type ExecutiveToken, executiveLogIn, type IncodeClient } from '../../src/incode/index.js';
import type { SessionSpec, SimulatorOptions } from '../../src/testing/index.js';
import { all, outcomes } from '../support/batch.js';
import { fetchHistory, scheduledActivities, textOf } from '../support/history.js';
import { begin, expectSound, happens, say, stateOf, until, untilStage } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { API_KEY, openSessions, startTestWorld, type TestWorld, timesFinished } from '../support/world.js';

const PASSWORD = 'password-that-must-not-be-seen';

/** An Incode that ignores `?id=` with a session token, so that only an executive token shows whose answer it was. */
const IGNORES_ID: SimulatorOptions = { behavior: { foreignId: 'ignored', tokenForm: 'opaque' } };

const ACTIVITIES = {
  statusLagMs: 1_200,
  confirmFinishPollMs: 50,
  processedPollMs: 86_400_000,
  reviewPollMs: 86_400_000,
};

const events: ActivityEvent[] = [];
const observe = (event: ActivityEvent) => {
  events.push(event);
};
const tokens: string[] = [];

/** With a fast clock, so that a refused log-in is retried within a second. */
function executive(incode: IncodeClient): ExecutiveToken {
  const now = () => performance.now() * 1_000;
  const loggedIn = executiveLogIn(incode, () => ({ email: 'kyc@example.com', password: PASSWORD }), { now });
  return {
    async token(refused) {
      const token = await loggedIn.token(refused);
      tokens.push(token);
      return token;
    },
  };
}

async function startExecutiveWorld(simulator: SimulatorOptions): Promise<TestWorld> {
  // One log-in for both workers, which share a simulator.
  let shared: ExecutiveToken | undefined;
  const lazy: ExecutiveToken = { token: (refused) => (shared as ExecutiveToken).token(refused) };
  const activities = { ...ACTIVITIES, executive: lazy, observe };
  const world = await startTestWorld({ simulator, activities });
  const client = createIncodeClient({ baseUrl: world.simulator.url, apiKey: API_KEY });
  shared = executive(client);
  return {
    ...world,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await client.close();
    },
  };
}

let world: TestWorld;
let ignoring: TestWorld;
beforeAll(async () => {
  [world, ignoring] = await Promise.all([startExecutiveWorld({}), startExecutiveWorld(IGNORES_ID)]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await ignoring[Symbol.asyncDispose]();
});

async function untilContradicted(of: TestWorld, interviewId: string): Promise<void> {
  const isContradiction = ({ event }: { event: string }) => event.startsWith('Incode contradicts a webhook');
  await until(async () => (await stateOf(of, interviewId)).timeline.some(isContradiction), true);
}

const REVIEW = { plan: { review: 'wait' } } as const;
const PROCESSED = { plan: { finishWhen: 'processed' } } as const;
const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };

describe('a single session with an executive token', () => {
  it('is confirmed by id without another activity', async () => {
    const { interviewId } = await begin(ignoring);
    expect((await ignoring.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(scheduledActivities(await expectSound(ignoring, interviewId))).toEqual(['finishStatus', 'score']);
    // The reads with both tokens, and the confirmation.
    expect(ignoring.simulator.callsOf(interviewId, 'onboardingStatus')).toHaveLength(3);
  });

  it('fails without the answer if its token belongs to another session', async () => {
    const [one, other] = await Promise.all([ignoring.simulator.openSession(), ignoring.simulator.openSession()]);
    events.length = 0;
    const { interviewId } = one;
    const answer = ignoring.onboarding.finish({ interviewId, sessionToken: other.token });
    const failure = await thrown(answer);
    expect(failure).toBeInstanceOf(SessionFailedError);
    expect(failure).toMatchObject({ type: FAILURES.notConfirmed });
    expect(await thrown(ignoring.onboarding.result(interviewId))).toMatchObject({ type: FAILURES.notConfirmed });
    expect((await ignoring.onboarding.state(interviewId)).state?.finish).toBeNull();
    expect(events).toContainEqual({ type: 'notConfirmed' });
    expect(ignoring.logs()).toMatch(
      new RegExp(`"level":"ERROR","message":"A session was answered as finished and is not[^}]*${interviewId}`),
    );
    expect(ignoring.simulator.effects(other.interviewId).finished).toBe(1);
    expect(ignoring.simulator.effects(interviewId).finished).toBe(0);
  });

  it('fails and is not expired if its token belongs to an expired session', async () => {
    const other = await ignoring.simulator.openSession({ onboardingStatus: 'EXPIRED' });
    const { interviewId } = await begin(ignoring, { sessionToken: other.token });
    expect(await thrown(ignoring.onboarding.result(interviewId))).toMatchObject({ type: FAILURES.notConfirmed });
  });

  it('is confirmed later and finished once if its status lags', async () => {
    await using lagging = await startExecutiveWorld({ behavior: { statusLagMs: 300 } });
    const { interviewId } = await begin(lagging);
    expect(await lagging.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { action: 'approved', confirmedBy: 'response' },
    });
    expect(scheduledActivities(await expectSound(lagging, interviewId))).toEqual([
      'finishStatus',
      'confirmFinish',
      'score',
    ]);
  });

  it('keeps the answer to its own token if Incode has a new status for finished sessions', async () => {
    await using renamed = await startExecutiveWorld({ behavior: { statusSpelling: 'newValue' } });
    const { interviewId } = await begin(renamed);
    expect(await renamed.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { action: 'approved', confirmedBy: 'response' },
    });
    const list = await openSessions(renamed.simulator, 2);
    expect(outcomes(await all(completeBatch(renamed.onboarding, list, renamed.batch())))).toEqual([
      'approved',
      'approved',
    ]);
    expect(timesFinished(renamed.simulator, list)).toEqual([1, 1]);
  });

  it('fails with a new status if the token may belong to another session, and does not call the session unfinished', async () => {
    await using renamed = await startExecutiveWorld({
      behavior: { statusSpelling: 'newValue', tokenForm: 'anonymous' },
    });
    const { interviewId } = await begin(renamed);
    const failure = await thrown(renamed.onboarding.result(interviewId));
    expect(failure).toMatchObject({ type: FAILURES.notConfirmed });
    expect(failure.message).toContain('but its status by id does not say so');
  });

  it('waits visibly while the executive user cannot log in and is finished once', async () => {
    await using refusing = await startExecutiveWorld({});
    refusing.simulator.fault({ operation: 'logIn', kind: 'status', status: 401, times: null });
    const { interviewId } = await begin(refusing);
    await until(async () => (await refusing.onboarding.state(interviewId)).call?.activity, 'finishStatus');
    await until(
      async () => (await refusing.onboarding.state(interviewId)).call?.lastFailure?.type,
      FAILURES.misconfigured,
    );
    expect(refusing.logs()).toContain('Incode refuses the executive user');
    expect(refusing.simulator.effects(interviewId).finished).toBe(0);
    refusing.simulator.clearFaults();
    expect((await refusing.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(refusing, interviewId);
  });

  it('has neither the password nor the executive token in its history', async () => {
    const { interviewId } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    await world.onboarding.result(interviewId);
    const text = textOf(await fetchHistory(world.temporal, interviewId)) + world.logs();
    expect(tokens.length).toBeGreaterThan(0);
    expect([PASSWORD, ...tokens].filter((secret) => text.includes(secret))).toEqual([]);
  });
});

describe('a webhook with an executive token', () => {
  it('ends nothing if it is forged, even without a session token', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    await say(world, interviewId, 'EXPIRED');
    await untilContradicted(world, interviewId);
    expect((await stateOf(world, interviewId)).stage).toBe('needsToken');
    await happens(world, interviewId, 'EXPIRED');
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'expired', confirmedBy: 'incode' });
  });

  it('is confirmed by id even if the session token is refused', async () => {
    const { interviewId } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    world.simulator.revokeTokens(interviewId);
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'rejected', confirmedBy: 'incode' });
  });

  it('approves no session if it is forged and the session token belongs to an approved one', async () => {
    const approved = await ignoring.simulator.openSession({ onboardingStatus: 'MANUAL_REVIEW_APPROVED' });
    const { interviewId } = await begin(ignoring, REVIEW, WARN);
    await untilStage(ignoring, interviewId, 'inReview');
    await ignoring.onboarding.renewToken(interviewId, approved.token);
    await say(ignoring, interviewId, 'MANUAL_REVIEW_APPROVED');
    await untilContradicted(ignoring, interviewId);
    await ignoring.onboarding.cancel(interviewId);
  });
});

describe('a batch with an executive token', () => {
  it('confirms each session by id and fails those with the token of another session', async () => {
    const [first, second, third] = await openSessions(ignoring.simulator, 3);
    if (!first || !second || !third) throw new Error('Three sessions expected');
    const list = [first, { ...second, sessionToken: third.sessionToken }];
    const rows = await all(completeBatch(ignoring.onboarding, list, ignoring.batch()));
    expect(outcomes(rows)).toEqual(['approved', FAILURES.notConfirmed]);
    expect(rows[1]?.finish).toBeUndefined();
    expect(timesFinished(ignoring.simulator, [first, second, third])).toEqual([1, 0, 1]);
  });

  it('waits for lagging statuses and finishes each session once', async () => {
    await using lagging = await startExecutiveWorld({ behavior: { statusLagMs: 300 } });
    const list = await openSessions(lagging.simulator, 3);
    const rows = await all(completeBatch(lagging.onboarding, list, lagging.batch()));
    expect(outcomes(rows)).toEqual(['approved', 'approved', 'approved']);
    expect(timesFinished(lagging.simulator, list)).toEqual([1, 1, 1]);
  });
});
