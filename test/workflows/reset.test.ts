import { afterAll, beforeAll, expect, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { begin, handleOf, say, until, untilStage } from '../support/lifecycle.js';
import { resetTo, WITHOUT_MESSAGES } from '../support/reset.js';
import { IMPATIENT, startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  // Incode ends a request after 4.5 s: longer than a slow machine needs for a reset.
  world = await startTestWorld({
    incode: IMPATIENT,
    simulator: { timeScale: 0.15 },
    activities: { settleTimeMs: 5_000 },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** @returns the ids of the events at which a run can be reset, oldest first */
async function completedTasks(interviewId: string): Promise<number[]> {
  const { events } = await handleOf(world, interviewId).fetchHistory();
  const completed = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
  return completed.map(({ eventId }) => Number(eventId));
}

it('a reset run waits for the settle time after a request that the replaced run has just sent', async () => {
  const { simulator, onboarding, temporal } = world;
  const { interviewId } = await begin(world, { plan: { finishWhen: 'asked' } });
  await untilStage(world, interviewId, 'waiting');
  await say(world, interviewId, 'ID_VALIDATION_FINISHED');
  await until(async () => (await completedTasks(interviewId)).length, 2);
  // The settle time after the start is over before anything is sent.
  await new Promise((resolve) => setTimeout(resolve, 5_500));
  simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true, effectAfterMs: 4_000 });
  const asked = onboarding.finish({ interviewId }).catch(() => null);
  await until(() => simulator.callsOf(interviewId, 'finishStatus').length, 1);
  // Before the finish update.
  const [, , task] = await completedTasks(interviewId);
  await resetTo(temporal, onboardingWorkflowId(interviewId), task, WITHOUT_MESSAGES);
  await asked;
  const answer = await handleOf(world, interviewId).executeUpdate('finish', { updateId: 'again' });
  expect(answer).toMatchObject({ confirmedBy: 'status' });
  expect(simulator.effects(interviewId).finished).toBe(1);
});
