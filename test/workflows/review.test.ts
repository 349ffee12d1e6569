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

/** Webhooks are lost here: what a session hears, it is told by `say`. */
let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ activities: { reviewPollMs: 24 * 3_600_000 } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** A session that a person has to look at. */
const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };
const WAIT = { plan: { review: 'wait' } } as const;
const BRIEFLY = { plan: { review: 'wait', reviewDeadline: '1s' } } as const;

async function inReview(input: Parameters<typeof begin>[1] = WAIT, of = world): Promise<string> {
  const { interviewId } = await begin(of, input, WARN);
  await untilStage(of, interviewId, 'inReview');
  await untilLooks(of, interviewId, 2);
  return interviewId;
}

describe('a session that a person has to look at', () => {
  it.each([
    ['the score says WARN', WARN, {}],
    ['the score says MANUAL_PENDING', { ...WARN, score: { status: 'MANUAL_PENDING', value: '61.0' } }, {}],
    ['the rules decided nothing, and no score is asked for', { action: 'none' }, { score: false }],
  ])('is waited for if the plan says so: %s', async (_, spec, plan) => {
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

  it('is reported without a wait by default', async () => {
    const { interviewId } = await begin(world, {}, WARN);
    expect((await world.onboarding.result(interviewId)).outcome).toBe('needsReview');
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual(['finishStatus', 'score']);
  });

  it.each([
    ['the score is OK', {}, 'approved'],
    ['the score is FAIL', { score: { status: 'FAIL', value: '1' } }, 'rejected'],
    ['the score is new to us', { score: { status: 'BRAND_NEW', value: '1' } }, 'undecided'],
  ])('is another one: nothing is waited for if %s', async (_, spec, outcome) => {
    const { interviewId } = await begin(world, WAIT, spec);
    expect((await world.onboarding.result(interviewId)).outcome).toBe(outcome);
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual(['finishStatus', 'score']);
  });

  it('is not waited for if the score did not come in time', async () => {
    const plan = { review: 'wait', scoreDeadline: '1s' } as const;
    const { interviewId } = await begin(world, { plan }, { ...WARN, scoreReadyAfterMs: null });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('undecided');
  });
});

describe('the verdict', () => {
  it.each([
    ['APPROVED', 'approved'],
    ['REJECTED', 'rejected'],
  ] as const)('comes by webhook: %s', async (verdict, outcome) => {
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
  ])('is found by the poll if the webhook is lost: %s', async (verdict, outcome) => {
    const interviewId = await inReview();
    world.simulator.setOnboardingStatus(interviewId, `MANUAL_REVIEW_${verdict}`);
    await pass(world, interviewId, '1 day');
    expect((await world.onboarding.result(interviewId)).outcome).toBe(outcome);
    expect(attemptsOf(await expectSound(world, interviewId), 'awaitMilestone')).toBe(2);
  });

  it('on the third day of a month ends the wait then', async () => {
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

  it('that comes before the score is kept for it', async () => {
    const { interviewId } = await begin(world, WAIT, { ...WARN, scoreReadyAfterMs: 1_000 });
    await untilStage(world, interviewId, 'scoring');
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', score: WARN.score });
    await expectSound(world, interviewId);
  });

  it('overrides the score also if nobody waited for it', async () => {
    const { interviewId } = await begin(world, {}, { scoreReadyAfterMs: 1_000 });
    await untilStage(world, interviewId, 'scoring');
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'rejected', score: { status: 'OK' } });
  });

  it('is not taken back by statuses that come late or again', async () => {
    const { interviewId } = await begin(world, WAIT, { ...WARN, scoreReadyAfterMs: 1_000 });
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
    const { outcome, onboardingStatus } = await world.onboarding.result(interviewId);
    expect({ outcome, onboardingStatus }).toEqual({ outcome: 'approved', onboardingStatus: 'MANUAL_REVIEW_APPROVED' });
    await expectSound(world, interviewId);
  });

  it.each([
    [['APPROVED', 'REJECTED'], 'rejected'],
    [['REJECTED', 'APPROVED'], 'approved'],
    [['APPROVED', 'REJECTED', 'APPROVED'], 'approved'],
  ])(
    'of several before the score that contradict each other is the one that Incode tells: %j',
    async (verdicts, outcome) => {
      const { interviewId } = await begin(world, WAIT, { ...WARN, scoreReadyAfterMs: 1_000 });
      await untilStage(world, interviewId, 'scoring');
      await happens(world, interviewId, ...verdicts.map((verdict) => `MANUAL_REVIEW_${verdict}`));
      expect((await world.onboarding.result(interviewId)).outcome).toBe(outcome);
      await expectSound(world, interviewId);
    },
  );

  it('in the review is the first one: the session is over then', async () => {
    const interviewId = await inReview();
    await happens(world, interviewId, 'MANUAL_REVIEW_REJECTED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
    const said = { interviewId, onboardingStatus: 'MANUAL_REVIEW_APPROVED' };
    expect(await world.onboarding.statusChanged(said)).toBe('ended');
  });

  it('of a session that Incode has forgotten comes by webhook only, and the outcome is not lost', async () => {
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
  it('ends the wait with what was known without a verdict, a month later', async () => {
    const interviewId = await inReview();
    await pass(world, interviewId, '30 days');
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'needsReview',
      onboardingStatus: 'ONBOARDING_FINISHED',
      reason: "The score's overall status is WARN. No manual review decided within the review deadline.",
    });
    const history = await expectSound(world, interviewId);
    expect(scheduledActivities(history)).toEqual(['finishStatus', 'score', 'awaitMilestone', 'onboardingStatus']);
    // A look a day, and the last one; the history has none of them.
    expect(operationsOf(world, interviewId).filter((call) => call.startsWith('onboardingStatus')).length).toBeLessThan(
      150,
    );
    expect(history.events?.length).toBeLessThan(100);
  });

  it('is not taken at its word if the last look finds a verdict', async () => {
    const interviewId = await inReview(BRIEFLY);
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(scheduledActivities(await expectSound(world, interviewId)).at(-1)).toBe('onboardingStatus');
  });

  it('counts if the last look fails', async () => {
    const interviewId = await inReview(BRIEFLY);
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 404, times: null });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('needsReview');
    await expectSound(world, interviewId);
  });

  it('can be moved, once and again', async () => {
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
