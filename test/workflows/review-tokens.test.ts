import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reissuingTokenSource } from '../../src/activities/index.js';
import type { SessionSpec } from '../../src/testing/index.js';
import { scheduledActivities } from '../support/history.js';
import {
  begin,
  expectSound,
  happens,
  operationsOf,
  pass,
  stateOf,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let withSource: TestWorld;
beforeAll(async () => {
  [world, withSource] = await Promise.all([
    startTestWorld(),
    startTestWorld({ tokenSource: (incode) => reissuingTokenSource(incode, { configurationId: 'flow' }) }),
  ]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await withSource[Symbol.asyncDispose]();
});

const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };
const WAIT = { plan: { review: 'wait', reviewDeadline: '30 days' } } as const;

async function inReview(of: TestWorld, input: Parameters<typeof begin>[1] = WAIT): Promise<string> {
  const { interviewId } = await begin(of, input, WARN);
  await untilStage(of, interviewId, 'inReview');
  await untilLooks(of, interviewId, 2);
  return interviewId;
}

/** Revokes the session's tokens and lets the next poll find that. */
async function tokenRunsOut(of: TestWorld, interviewId: string): Promise<void> {
  of.simulator.revokeTokens(interviewId);
  await pass(of, interviewId, '7h');
}

async function renewals(of: TestWorld, interviewId: string): Promise<number> {
  const { timeline } = await stateOf(of, interviewId);
  return timeline.filter(({ event }) => event === 'The token source gave a fresh session token').length;
}

describe('a token that expires during a review', () => {
  it('is renewed by the token source each time', async () => {
    const interviewId = await inReview(withSource);
    for (const times of [1, 2, 3]) {
      await tokenRunsOut(withSource, interviewId);
      await expect.poll(() => renewals(withSource, interviewId)).toBe(times);
    }
    await expect.poll(() => operationsOf(withSource, interviewId).at(-1)).toBe('onboardingStatus 200');
    expect((await stateOf(withSource, interviewId)).stage).toBe('inReview');
    withSource.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await pass(withSource, interviewId, '7h');
    expect((await withSource.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(withSource, interviewId);
  });

  it('is waited for visibly if Incode refuses the token of the token source at once', async () => {
    const interviewId = await inReview(withSource);
    withSource.simulator.fault({
      operation: 'onboardingStatus',
      interviewId,
      kind: 'status',
      status: 401,
      times: null,
    });
    await pass(withSource, interviewId, '7h');
    await untilStage(withSource, interviewId, 'needsToken');
    expect(await renewals(withSource, interviewId)).toBe(1);
    expect((await stateOf(withSource, interviewId)).waitingFor).toContain('refused the token of the token source');
    await withSource.onboarding.cancel(interviewId);
    await expectSound(withSource, interviewId);
  });

  it('is waited for visibly without a token source, and the review continues with a new token', async () => {
    const interviewId = await inReview(world);
    await tokenRunsOut(world, interviewId);
    await untilStage(world, interviewId, 'needsToken');
    expect(await stateOf(world, interviewId)).toMatchObject({
      waitingFor: expect.stringContaining('renewToken'),
      deadline: expect.any(String),
      finish: { action: 'none' },
    });
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await untilStage(world, interviewId, 'inReview');
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
    await pass(world, interviewId, '7h');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it('is not needed if a webhook reports the verdict', async () => {
    const interviewId = await inReview(world);
    await tokenRunsOut(world, interviewId);
    await untilStage(world, interviewId, 'needsToken');
    await happens(world, interviewId, 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_REJECTED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
    expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'done', waitingFor: null });
    await expectSound(world, interviewId);
  });

  it('does not delay the review deadline, which then needs no last read', async () => {
    const interviewId = await inReview(world);
    await tokenRunsOut(world, interviewId);
    await untilStage(world, interviewId, 'needsToken');
    await pass(world, interviewId, '30 days');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('needsReview');
    expect(scheduledActivities(await expectSound(world, interviewId))).not.toContain('onboardingStatus');
  });

  it('does not prevent that the deadline is extended', async () => {
    const interviewId = await inReview(world);
    await tokenRunsOut(world, interviewId);
    await untilStage(world, interviewId, 'needsToken');
    await world.onboarding.extendDeadline(interviewId, '10 days');
    await pass(world, interviewId, '35 days');
    expect((await stateOf(world, interviewId)).stage).toBe('needsToken');
    await pass(world, interviewId, '5 days');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('needsReview');
    await expectSound(world, interviewId);
  });

  it('can be replaced before a poll finds that it expired', async () => {
    const interviewId = await inReview(world);
    world.simulator.revokeTokens(interviewId);
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    // The current poll still has the old token.
    await pass(world, interviewId, '7h');
    await expect
      .poll(() => operationsOf(world, interviewId).slice(-2))
      .toEqual(['onboardingStatus 401', 'onboardingStatus 200']);
    expect((await stateOf(world, interviewId)).stage).toBe('inReview');
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });
});
