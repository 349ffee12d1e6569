import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionSpec } from '../../src/testing/index.js';
import { billableActions, scheduledActivities } from '../support/history.js';
import { begin, expectSound, happens, looksAt, pass, untilLooks, untilStage } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const WARN: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };

type Play = () => Promise<string>;

async function ended(interviewId: string): Promise<string> {
  await world.onboarding.result(interviewId).catch(() => undefined);
  return interviewId;
}

/** Actions that Temporal bills, without the polls, whose number depends on the duration of a session. */
const COSTS: Record<string, [actions: number, play: Play]> = {
  'finished now, with its score': [4, async () => ended((await begin(world)).interviewId)],
  'finished now, without a score': [3, async () => ended((await begin(world, { plan: { score: false } })).interviewId)],
  'finished now and closed': [5, async () => ended((await begin(world, { plan: { close: true } })).interviewId)],
  // One more than necessary, because the session is listed as waiting for a moment.
  'asked for with the start': [
    6,
    async () => {
      const { interviewId, token } = await world.simulator.openSession();
      await world.onboarding.finish({ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } });
      return ended(interviewId);
    },
  ],
  'asked for after a month': [
    7,
    async () => {
      const { interviewId } = await begin(world, { plan: { finishWhen: 'asked', captureDeadline: '60 days' } });
      await pass(world, interviewId, '30 days');
      await world.onboarding.finish({ interviewId });
      return ended(interviewId);
    },
  ],
  // The webhook adds a read and the marker of a patch.
  'processed, reported by the webhook': [
    9,
    async () => {
      const { interviewId } = await begin(world, { plan: { finishWhen: 'processed' } });
      await untilLooks(world, interviewId, 1);
      await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
      return ended(interviewId);
    },
  ],
  'processed, reported by a poll': [
    6,
    async () => {
      const { interviewId } = await begin(world, { plan: { finishWhen: 'processed' } });
      await untilLooks(world, interviewId, 1);
      world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
      await pass(world, interviewId, '15 minutes');
      return ended(interviewId);
    },
  ],
  'never captured': [
    3,
    async () => {
      const { interviewId } = await begin(world, { plan: { finishWhen: 'asked', captureDeadline: '7 days' } });
      await pass(world, interviewId, '7 days');
      return ended(interviewId);
    },
  ],
  'reviewed, reported by the webhook': [
    9,
    async () => {
      const { interviewId } = await begin(world, { plan: { review: 'wait' } }, WARN);
      await untilStage(world, interviewId, 'inReview');
      // The read before finishing, and the first poll.
      await untilLooks(world, interviewId, 2);
      await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
      return ended(interviewId);
    },
  ],
  'not reviewed by the deadline': [
    6,
    async () => {
      const { interviewId } = await begin(world, { plan: { review: 'wait', reviewDeadline: '2 days' } }, WARN);
      await untilStage(world, interviewId, 'inReview');
      await pass(world, interviewId, '2 days');
      return ended(interviewId);
    },
  ],
  'without a token for a while': [
    8,
    async () => {
      const { interviewId } = await world.simulator.openSession();
      await world.onboarding.start({ interviewId });
      await untilStage(world, interviewId, 'needsToken');
      await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
      return ended(interviewId);
    },
  ],
};

describe('the costs of a session', () => {
  it.each(Object.entries(COSTS).map(([path, [actions, play]]) => ({ path, actions, play })))(
    'a session that is $path costs $actions billable actions',
    async ({ actions, play }) => {
      const interviewId = await play();
      const history = await expectSound(world, interviewId);
      const polls = world.simulator.callsOf(interviewId, 'onboardingStatus').length;
      // The history does not count the attempts of a poll that was cancelled between attempts.
      expect(billableActions(history, ['awaitMilestone', 'onboardingStatus'])).toBe(actions);
      expect(polls).toBeLessThan(20);
    },
  );

  it('a session that waits for a week costs only its polls', async () => {
    const { interviewId } = await begin(world, { plan: { review: 'wait', reviewDeadline: '30 days' } }, WARN);
    await untilStage(world, interviewId, 'inReview');
    // The read before finishing, and the first poll.
    await untilLooks(world, interviewId, 2);
    const before = await expectSound(world, interviewId);
    await pass(world, interviewId, '7 days');
    expect(looksAt(world, interviewId)).toBeGreaterThanOrEqual(29);
    // Each poll may be up to a tenth early, and the end of the skipped time triggers one.
    expect(looksAt(world, interviewId)).toBeLessThanOrEqual(35);
    const after = await expectSound(world, interviewId);
    expect(billableActions(after)).toBe(billableActions(before));
    expect(scheduledActivities(after)).toEqual(scheduledActivities(before));
    await world.onboarding.cancel(interviewId);
  });

  it('a session that waits for an update or a token costs nothing', async () => {
    for (const plan of [{ finishWhen: 'asked' }, { finishWhen: 'processed' }] as const) {
      const { interviewId } = await world.simulator.openSession();
      await world.onboarding.start({ interviewId, plan: { ...plan, captureDeadline: '100 days' } });
      await untilStage(world, interviewId, plan.finishWhen === 'asked' ? 'waiting' : 'needsToken');
      const before = await expectSound(world, interviewId);
      await pass(world, interviewId, '90 days');
      const after = await expectSound(world, interviewId);
      expect(billableActions(after)).toBe(billableActions(before));
      expect(world.simulator.callsOf(interviewId)).toEqual([]);
      await world.onboarding.cancel(interviewId);
    }
  });
});
