import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionSpec } from '../../src/testing/index.js';
import { attemptsOf, scheduledActivities } from '../support/history.js';
import {
  begin,
  expectSound,
  happens,
  operationsOf,
  pass,
  receiveWebhooks,
  say,
  stateOf,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

/** Without a webhook target. `say` sends the signals. */
let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ activities: { reviewPollMs: 24 * 3_600_000 } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** A session that needs a person's review. */
const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };
const WAIT = { plan: { review: 'wait' } } as const;
const BRIEFLY = { plan: { review: 'wait', reviewDeadline: '1s' } } as const;

/** Only the look before the finish and the last read at the deadline get an answer. */
function hangPoll({ simulator }: TestWorld, interviewId: string): void {
  simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'hang', skip: 1 });
}

async function inReview(input: Parameters<typeof begin>[1] = WAIT, of = world): Promise<string> {
  const { interviewId } = await begin(of, input, WARN);
  await untilStage(of, interviewId, 'inReview');
  await untilLooks(of, interviewId, 2);
  return interviewId;
}

describe('review', () => {
  it.each([
    ['the score is WARN', WARN, {}],
    ['the score is MANUAL_PENDING', { ...WARN, score: { status: 'MANUAL_PENDING', value: '61.0' } }, {}],
    ['the rules decided nothing and the plan has no score', { action: 'none' }, { score: false }],
  ])('review "wait" waits for a verdict if %s', async (_, spec, plan) => {
    const { interviewId } = await begin(world, { plan: { ...plan, review: 'wait' } }, spec);
    await untilStage(world, interviewId, 'inReview');
    expect(await stateOf(world, interviewId)).toMatchObject({
      waitingFor: "a person's verdict at Incode",
      outcome: null,
      finish: { action: 'none' },
    });
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it('reports needsReview without a wait by default', async () => {
    const { interviewId } = await begin(world, {}, WARN);
    expect((await world.onboarding.result(interviewId)).outcome).toBe('needsReview');
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual(['finishStatus', 'score']);
  });

  it.each([
    ['the score is OK', {}, 'approved'],
    ['the score is FAIL', { score: { status: 'FAIL', value: '1' } }, 'rejected'],
    ['the score is unknown', { score: { status: 'BRAND_NEW', value: '1' } }, 'undecided'],
  ])('review "wait" does not wait if %s', async (_, spec, outcome) => {
    const { interviewId } = await begin(world, WAIT, spec);
    expect((await world.onboarding.result(interviewId)).outcome).toBe(outcome);
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual(['finishStatus', 'score']);
  });

  it('review "wait" does not wait if the score was not ready in time', async () => {
    const plan = { review: 'wait', scoreDeadline: '1s' } as const;
    const { interviewId } = await begin(world, { plan }, { ...WARN, scoreReadyAfterMs: null });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('undecided');
  });
});

describe('the verdict', () => {
  it.each([
    ['APPROVED', 'approved'],
    ['REJECTED', 'rejected'],
  ] as const)('the verdict %s arrives by webhook', async (verdict, outcome) => {
    await using heard = await startTestWorld();
    await using _ = await receiveWebhooks(heard);
    const { interviewId } = await begin(heard, WAIT, { ...WARN, manualReview: { verdict, afterMs: 500 } });
    expect(await heard.onboarding.result(interviewId)).toEqual({
      interviewId,
      outcome,
      finish: { action: 'none', redirectionUrl: null, confirmedBy: 'response' },
      score: WARN.score,
      closed: null,
      onboardingStatus: `MANUAL_REVIEW_${verdict}`,
      confirmedBy: 'incode',
      reason: `A manual review ${outcome} the session.`,
    });
    await expectSound(heard, interviewId);
  });

  it.each([
    ['APPROVED', 'approved'],
    ['REJECTED', 'rejected'],
  ])('the verdict %s is found by the poll if the webhook is lost', async (verdict, outcome) => {
    const interviewId = await inReview();
    world.simulator.setOnboardingStatus(interviewId, `MANUAL_REVIEW_${verdict}`);
    await pass(world, interviewId, '1 day');
    expect((await world.onboarding.result(interviewId)).outcome).toBe(outcome);
    expect(attemptsOf(await expectSound(world, interviewId), 'awaitMilestone')).toBe(2);
  });

  it('ends the wait on the third day', async () => {
    const interviewId = await inReview();
    await pass(world, interviewId, '3 days');
    expect((await stateOf(world, interviewId)).stage).toBe('inReview');
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
    const { timeline } = await stateOf(world, interviewId);
    const days = (Date.parse(timeline.at(-1)?.at ?? '') - Date.parse(timeline[0]?.at ?? '')) / 86_400_000;
    expect(Math.round(days)).toBe(3);
    await expectSound(world, interviewId);
  });

  it('decides the outcome if it arrives before the score', async () => {
    const { interviewId } = await begin(world, WAIT, { ...WARN, scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    world.simulator.setScoreReady(interviewId);
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', score: WARN.score });
    await expectSound(world, interviewId);
  });

  it('overrides the score even if the plan does not wait for it', async () => {
    const { interviewId } = await begin(world, {}, { scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    world.simulator.setScoreReady(interviewId);
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'rejected', score: { status: 'OK' } });
  });

  it('is not replaced by late or repeated statuses', async () => {
    const { interviewId } = await begin(world, WAIT, { ...WARN, scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    const late = [
      'ONBOARDING_FINISHED',
      'MANUAL_REVIEW_PENDING',
      'POST_PROCESSING_FINISHED',
      'EXPIRED',
      'UNKNOWN',
      'NEW',
    ];
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await say(world, interviewId, 'MANUAL_REVIEW_APPROVED', ...late, 'MANUAL_REVIEW_APPROVED', ...late);
    world.simulator.setScoreReady(interviewId);
    const { outcome, onboardingStatus } = await world.onboarding.result(interviewId);
    expect({ outcome, onboardingStatus }).toEqual({ outcome: 'approved', onboardingStatus: 'MANUAL_REVIEW_APPROVED' });
    await expectSound(world, interviewId);
  });

  it.each([
    [['APPROVED', 'REJECTED'], 'rejected'],
    [['REJECTED', 'APPROVED'], 'approved'],
    [['APPROVED', 'REJECTED', 'APPROVED'], 'approved'],
  ])('is the one that Incode confirms if webhooks before the score conflict: %j', async (verdicts, outcome) => {
    const { interviewId } = await begin(world, WAIT, { ...WARN, scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await happens(world, interviewId, ...verdicts.map((verdict) => `MANUAL_REVIEW_${verdict}`));
    world.simulator.setScoreReady(interviewId);
    expect((await world.onboarding.result(interviewId)).outcome).toBe(outcome);
    await expectSound(world, interviewId);
  });

  it('is the first one during the review, which ends the session', async () => {
    const interviewId = await inReview();
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
    const said = { interviewId, onboardingStatus: 'MANUAL_REVIEW_APPROVED' };
    expect(await world.onboarding.statusChanged(said)).toBe('ended');
  });

  it('is not needed for an outcome if Incode does not know the session any more', async () => {
    const interviewId = await inReview();
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 404, times: null });
    await pass(world, interviewId, '3 days');
    expect((await world.onboarding.state(interviewId)).state?.stage).toBe('inReview');
    await pass(world, interviewId, '30 days');
    const { outcome, finish } = await world.onboarding.result(interviewId);
    expect({ outcome, action: finish?.action }).toEqual({ outcome: 'needsReview', action: 'none' });
    await expectSound(world, interviewId);
  });
});

describe('the review deadline', () => {
  it('ends the wait after a month with the outcome without a verdict', async () => {
    const interviewId = await inReview();
    await pass(world, interviewId, '30 days');
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'needsReview',
      onboardingStatus: 'ONBOARDING_FINISHED',
      reason: "The score's overall status is WARN. No manual review decided within the review deadline.",
    });
    const history = await expectSound(world, interviewId);
    expect(scheduledActivities(history)).toEqual(['finishStatus', 'score', 'awaitMilestone', 'onboardingStatus']);
    // One read a day and the last one. The history has none of them.
    expect(operationsOf(world, interviewId).filter((call) => call.startsWith('onboardingStatus')).length).toBeLessThan(
      150,
    );
    expect(history.events?.length).toBeLessThan(100);
  });

  it('does not end the review without the verdict that the last read finds', async () => {
    const manualReview = { verdict: 'APPROVED', afterMs: 0 } as const;
    const { interviewId, token } = await world.simulator.openSession({ ...WARN, manualReview });
    hangPoll(world, interviewId);
    await world.onboarding.start({ interviewId, sessionToken: token, ...BRIEFLY });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(scheduledActivities(await expectSound(world, interviewId)).at(-1)).toBe('onboardingStatus');
  });

  it('ends the review if the last read fails', async () => {
    const { interviewId, token } = await world.simulator.openSession(WARN);
    hangPoll(world, interviewId);
    world.simulator.fault({
      operation: 'onboardingStatus',
      interviewId,
      kind: 'status',
      status: 404,
      skip: 1,
      times: null,
    });
    await world.onboarding.start({ interviewId, sessionToken: token, ...BRIEFLY });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('needsReview');
    await expectSound(world, interviewId);
  });

  it('updates extend the review deadline twice', async () => {
    const interviewId = await inReview({ plan: { review: 'wait', reviewDeadline: '2 days' } });
    await pass(world, interviewId, '1 day');
    await world.onboarding.extendDeadline(interviewId, '3 days');
    await pass(world, interviewId, '3 days');
    const { deadline } = await world.onboarding.extendDeadline(interviewId, '1 day');
    await pass(world, interviewId, '1 day');
    expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'inReview', deadline });
    await pass(world, interviewId, '1 day');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('needsReview');
    await expectSound(world, interviewId);
  });
});
