import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ActivityEvent, reissuingTokenSource, type TokenSource } from '../../src/activities/index.js';
import { OnboardingClient } from '../../src/client/index.js';
import type { OnboardingInput } from '../../src/contract/index.js';
import type { SessionSpec } from '../../src/testing/index.js';
import { scheduledActivities } from '../support/history.js';
import {
  begin,
  expectSound,
  finishElsewhere,
  happens,
  looksAt,
  pass,
  say,
  stateOf,
  until,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// A webhook from `say` is forged if the simulator's status differs.

/** With long polls, only a webhook leads to a quick result. The worker reads at 0, 0.07, 0.2, 0.5, 1.0 and 2.1 s. */
const ACTIVITIES = { processedPollMs: 86_400_000, reviewPollMs: 86_400_000, statusLagMs: 2_400 };

const events: ActivityEvent[] = [];
const observe = (event: ActivityEvent) => {
  events.push(event);
};
const heard = () => events.flatMap((event) => (event.type === 'hint' ? event.result : []));

let world: TestWorld;
let withSource: TestWorld;
beforeAll(async () => {
  [world, withSource] = await Promise.all([
    startTestWorld({ activities: { ...ACTIVITIES, observe } }),
    startTestWorld({
      activities: { ...ACTIVITIES, observe },
      tokenSource: (incode) => reissuingTokenSource(incode, { configurationId: 'flow' }),
    }),
  ]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await withSource[Symbol.asyncDispose]();
});

const PROCESSED = { plan: { finishWhen: 'processed' } } as const;
const ASKED = { plan: { finishWhen: 'asked' } } as const;
const REVIEW = { plan: { review: 'wait' } } as const;
const FAIL: SessionSpec = { action: 'rejected', score: { status: 'FAIL', value: '3.0' } };
const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };

/** How the worker can ask Incode. */
const TOKENS = ['session token', 'token source'] as const;

async function start(
  how: (typeof TOKENS)[number],
  input: Omit<OnboardingInput, 'interviewId'>,
  spec: SessionSpec = {},
) {
  const of = how === 'session token' ? world : withSource;
  if (how === 'session token') return { of, ...(await begin(of, input, spec)) };
  const { interviewId, token } = await of.simulator.openSession(spec);
  await of.onboarding.start({ interviewId, ...input });
  return { of, interviewId, token };
}

/** @returns the contradictions in the timeline */
async function contradictionsOf(of: TestWorld, interviewId: string): Promise<string[]> {
  const { timeline } = await stateOf(of, interviewId);
  return timeline.flatMap(({ event }) => (event.startsWith('Incode contradicts') ? event : []));
}

describe.each(TOKENS)('a forged webhook for a worker with a %s', (how) => {
  it('a forged MANUAL_REVIEW_APPROVED does not approve a session that Incode rejected', async () => {
    const { of, interviewId } = await start(how, {}, { ...FAIL, scoreReadyAfterMs: null });
    await untilStage(of, interviewId, 'scoring');
    events.length = 0;
    await say(of, interviewId, 'MANUAL_REVIEW_APPROVED');
    of.simulator.setScoreReady(interviewId);
    expect(await of.onboarding.result(interviewId)).toMatchObject({
      outcome: 'rejected',
      onboardingStatus: 'ONBOARDING_FINISHED',
      confirmedBy: 'incode',
    });
    expect(heard()).toEqual(['contradicted']);
    expect(of.logs()).toMatch(
      new RegExp(`"level":"WARN","message":"A webhook contradicts Incode[^}]*"interviewId":"${interviewId}"`),
    );
    await expectSound(of, interviewId);
  });

  it('a forged MANUAL_REVIEW_APPROVED does not end a review, and a true webhook later does', async () => {
    const { of, interviewId } = await start(how, REVIEW, WARN);
    await untilStage(of, interviewId, 'inReview');
    await say(of, interviewId, 'MANUAL_REVIEW_APPROVED');
    await until(async () => (await contradictionsOf(of, interviewId)).length, 1);
    expect(await stateOf(of, interviewId)).toMatchObject({
      stage: 'inReview',
      onboardingStatus: 'ONBOARDING_FINISHED',
    });

    of.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await say(of, interviewId, 'MANUAL_REVIEW_APPROVED');
    expect(await of.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', confirmedBy: 'incode' });
    await expectSound(of, interviewId);
  });

  it('a forged MANUAL_REVIEW_APPROVED does not hide the rejection by a person', async () => {
    const { of, interviewId } = await start(how, REVIEW, WARN);
    await untilStage(of, interviewId, 'inReview');
    of.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_REJECTED');
    await say(of, interviewId, 'MANUAL_REVIEW_APPROVED');
    expect((await of.onboarding.result(interviewId)).outcome).toBe('rejected');
  });

  it.each(['EXPIRED', 'POST_PROCESSING_FINISHED', 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED'])(
    'a forged %s does not end the wait for an open session, which is finished once it is processed',
    async (status) => {
      const { of, interviewId } = await start(how, PROCESSED);
      await untilLooks(of, interviewId, 1);
      await say(of, interviewId, status);
      await until(async () => (await contradictionsOf(of, interviewId)).length, 1);
      expect(await stateOf(of, interviewId)).toMatchObject({ stage: 'waiting', finish: null });
      expect(of.simulator.callsOf(interviewId, 'finishStatus')).toEqual([]);

      of.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
      await say(of, interviewId, 'POST_PROCESSING_FINISHED');
      expect(await of.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', confirmedBy: 'incode' });
      expect((await stateOf(of, interviewId)).timeline.map(({ event }) => event)).toContain(`Webhook: ${status}`);
      await expectSound(of, interviewId);
    },
  );

  it.each(['EXPIRED', 'ONBOARDING_FINISHED'])('a forged %s does not prevent the update finish', async (status) => {
    const { of, interviewId } = await start(how, ASKED);
    await untilStage(of, interviewId, 'waiting');
    await say(of, interviewId, status);
    expect(await of.onboarding.finish({ interviewId })).toMatchObject({ action: 'approved', confirmedBy: 'response' });
    expect((await of.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(of, interviewId);
  });
});

describe.each(TOKENS)('a true webhook for a worker with a %s', (how) => {
  it.each([
    ['MANUAL_REVIEW_APPROVED', 'approved'],
    ['MANUAL_REVIEW_REJECTED', 'rejected'],
  ])('a true %s ends the review after one read', async (status, outcome) => {
    const { of, interviewId } = await start(how, REVIEW, WARN);
    await untilStage(of, interviewId, 'inReview');
    await untilLooks(of, interviewId, 2);
    events.length = 0;
    of.simulator.setOnboardingStatus(interviewId, status);
    await say(of, interviewId, status);
    expect(await of.onboarding.result(interviewId)).toMatchObject({ outcome, confirmedBy: 'incode' });
    expect(heard()).toEqual(['confirmed']);
    expect(looksAt(of, interviewId)).toBe(3);
    await expectSound(of, interviewId);
  });

  it('EXPIRED ends the wait', async () => {
    const { of, interviewId } = await start(how, ASKED);
    await untilStage(of, interviewId, 'waiting');
    of.simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    await say(of, interviewId, 'EXPIRED');
    expect(await of.onboarding.result(interviewId)).toMatchObject({ outcome: 'expired', confirmedBy: 'incode' });
  });

  it('MANUAL_REVIEW_APPROVED before the score decides the outcome', async () => {
    const { of, interviewId } = await start(how, {}, { ...FAIL, scoreReadyAfterMs: null });
    await untilStage(of, interviewId, 'scoring');
    await happens(of, interviewId, 'MANUAL_REVIEW_APPROVED');
    of.simulator.setScoreReady(interviewId);
    expect(await of.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', score: FAIL.score });
  });
});

describe('a webhook for a session without a valid token', () => {
  it.each([
    ['EXPIRED', 'expired'],
    ['MANUAL_REVIEW_REJECTED', 'rejected'],
  ])('%s decides the outcome, confirmedBy webhook', async (status, outcome) => {
    const { interviewId, token } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    const waiting = await world.simulator.openSession();
    await world.onboarding.start({ interviewId: waiting.interviewId, ...PROCESSED });
    const id = status === 'EXPIRED' ? waiting.interviewId : interviewId;
    world.simulator.revokeTokens(id);
    events.length = 0;
    await say(world, id, status);
    expect(await world.onboarding.result(id)).toMatchObject({
      outcome,
      confirmedBy: 'webhook',
      reason: expect.stringContaining('Only a webhook said so'),
    });
    expect(heard()).toEqual(['unconfirmed']);
    expect(token).toBeDefined();
    await world.onboarding.cancel(interviewId);
    await world.onboarding.cancel(waiting.interviewId);
  });

  it('ONBOARDING_FINISHED finishes the session, confirmedBy webhook', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await untilStage(world, interviewId, 'needsToken');
    await say(world, interviewId, 'ONBOARDING_FINISHED');
    await until(async () => (await stateOf(world, interviewId)).finish?.confirmedBy, 'webhook');
    await world.onboarding.cancel(interviewId);
  });

  it('POST_PROCESSING_FINISHED waits until a token can ask Incode', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    await say(world, interviewId, 'POST_PROCESSING_FINISHED');
    await pass(world, interviewId, '8 days');
    expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'needsToken', outcome: null });

    world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', confirmedBy: 'incode' });
    await expectSound(world, interviewId);
  });

  it('EXPIRED ends the session even if an earlier webhook waits for a token', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    events.length = 0;
    await say(world, interviewId, 'POST_PROCESSING_FINISHED');
    await until(() => heard().length, 1);
    await say(world, interviewId, 'EXPIRED');
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'expired', confirmedBy: 'webhook' });
  });

  it('EXPIRED counts although it comes while Incode is asked about another one', async () => {
    let calls = 0;
    let answer = () => {};
    const asked = new Promise<void>((resolve) => (answer = resolve));
    const vault: TokenSource = {
      token: async () => {
        calls += 1;
        if (calls > 1) await asked;
        throw ApplicationFailure.nonRetryable('The vault has no token');
      },
    };
    await using slow = await startTestWorld({ activities: ACTIVITIES, tokenSource: () => vault });
    const { interviewId } = await slow.simulator.openSession();
    await slow.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(slow, interviewId, 'needsToken');
    await say(slow, interviewId, 'POST_PROCESSING_FINISHED');
    await until(() => calls, 2);
    await say(slow, interviewId, 'EXPIRED');
    const isHeard = ({ event }: { event: string }) => event === 'Webhook: EXPIRED';
    await until(async () => (await stateOf(slow, interviewId)).timeline.some(isHeard), true);
    answer();
    expect(await slow.onboarding.result(interviewId)).toMatchObject({ outcome: 'expired', confirmedBy: 'webhook' });
  });

  it('POST_PROCESSING_FINISHED does not finish an open session if it is forged and a token arrives', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    await say(world, interviewId, 'POST_PROCESSING_FINISHED');
    await pass(world, interviewId, '8 days');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect((await world.onboarding.result(interviewId)).outcome).toBe('expired');
    expect(world.simulator.callsOf(interviewId, 'finishStatus')).toEqual([]);
    await expectSound(world, interviewId);
  });
});

describe('a status that lags behind a true webhook', () => {
  it('is read again and is no contradiction', async () => {
    const { interviewId } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    await untilLooks(world, interviewId, 2);
    events.length = 0;
    await say(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    await untilLooks(world, interviewId, 4);
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(heard()).toEqual(['confirmed']);
  });

  it('is found by the poll if it lags longer than statusLagMs', async () => {
    const { interviewId } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    await say(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    await until(async () => (await contradictionsOf(world, interviewId)).length, 1);
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await pass(world, interviewId, '1 day');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('delays a deadline until Incode has confirmed or contradicted the webhook', async () => {
    // The worker reads at 0, 0.3 and 0.9 s, and on a busy machine later. With a shorter lag, the second read may be the last.
    await using slow = await startTestWorld({ activities: { ...ACTIVITIES, statusLagMs: 10_000 } });
    const { interviewId, token } = await slow.simulator.openSession();
    const plan = { finishWhen: 'asked', captureDeadline: '200ms' } as const;
    const said = { interviewId, onboardingStatus: 'ONBOARDING_FINISHED' };
    await slow.onboarding.statusChanged(said, { sessionToken: token, plan });
    await untilLooks(slow, interviewId, 2);
    await finishElsewhere(slow, interviewId);
    expect(await slow.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'status' },
    });
  });
});

describe('the check of a webhook', () => {
  it('retries the check of a webhook while Incode is unavailable', async () => {
    const { interviewId } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    await untilLooks(world, interviewId, 2);
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_REJECTED');
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 503, times: 2 });
    await say(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
  });

  it('ends if Incode refuses it, and the session continues without the webhook', async () => {
    const { interviewId } = await begin(world, {}, { ...FAIL, scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 404, times: null });
    await say(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    world.simulator.setScoreReady(interviewId);
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
  });

  it('restarts when another webhook arrives, so that a forged one does not delay a true one', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    events.length = 0;
    await say(world, interviewId, 'EXPIRED');
    await untilLooks(world, interviewId, 2);
    world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    await say(world, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(heard()).toEqual(['confirmed']);
    await expectSound(world, interviewId);
  });

  it('makes one read for several webhooks', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const taskQueue = `later-${interviewId}`;
    // They arrive before the first worker starts.
    const later = new OnboardingClient({ client: world.temporal, taskQueue });
    await later.start({ interviewId, sessionToken: token, ...ASKED });
    for (const onboardingStatus of ['POST_PROCESSING_FINISHED', 'ONBOARDING_FINISHED', 'EXPIRED']) {
      await later.statusChanged({ interviewId, onboardingStatus });
    }
    await finishElsewhere(world, interviewId);
    await using _ = await startTestWorld({
      taskQueue,
      incode: { baseUrl: world.simulator.url },
      activities: ACTIVITIES,
    });
    expect((await later.result(interviewId)).outcome).toBe('approved');
    const activities = scheduledActivities(await expectSound(world, interviewId));
    expect(activities).toEqual(['confirmStatus', 'finishStatus', 'score']);
    // One read for the webhooks, one before finishing.
    expect(looksAt(world, interviewId)).toBe(2);
  });
});
