import { WithStartWorkflowOperation } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WrongStageError } from '../../src/client/index.js';
import {
  type ExtendDeadlineInput,
  type ExtendedDeadline,
  ONBOARDING_WORKFLOW,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  UPDATES,
} from '../../src/contract/index.js';
import { scheduledActivities } from '../support/history.js';
import { begin, expectSound, happens, looksAt, pass, stateOf, untilLooks, untilStage } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// Longer than the default, so that a week has few polls.
const POLL_MS = 6 * 3_600_000;

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ activities: { processedPollMs: POLL_MS } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** A deadline in real time, because skipped time would trigger another poll. */
const BRIEFLY = { plan: { finishWhen: 'processed', captureDeadline: '1s' } } as const;
const ASKED = { plan: { finishWhen: 'asked' } } as const;

describe('the capture deadline', () => {
  it('ends the wait as expired a week after the start, after a last read of the status', async () => {
    const { interviewId } = await begin(world, { plan: { finishWhen: 'processed' } });
    await untilLooks(world, interviewId, 1);
    const { deadline, timeline } = await stateOf(world, interviewId);
    expect(Date.parse(deadline ?? '') - Date.parse(timeline[0]?.at ?? '')).toBeLessThan(7 * 86_400_000 + 60_000);
    await pass(world, interviewId, '167h');
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    await pass(world, interviewId, '2h');
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'expired',
      finish: null,
      reason: 'The capture deadline passed before the session could be finished.',
    });
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual(['awaitMilestone', 'onboardingStatus']);
  });

  it('does not expire a session that the last read finds processed', async () => {
    const { interviewId } = await begin(world, BRIEFLY);
    await untilLooks(world, interviewId, 1);
    world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual([
      'awaitMilestone',
      'onboardingStatus',
      'finishStatus',
      'score',
    ]);
  });

  it.concurrent.each([401, 404, 500, 503])('expires the session if the last read is answered %i', async (status) => {
    const { interviewId } = await begin(world, BRIEFLY);
    await untilLooks(world, interviewId, 1);
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status, times: null });
    // After a 401 or 404, the worker also reads without the id.
    await expect.poll(() => looksAt(world, interviewId)).toBeGreaterThanOrEqual(2);
    if (status >= 500) await pass(world, interviewId, '3 minutes');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('expired');
    await expectSound(world, interviewId);
  });

  it('updates extend the capture deadline twice while its timer runs', async () => {
    const { interviewId } = await begin(world, { plan: { finishWhen: 'asked', captureDeadline: '3 days' } });
    const before = Date.parse((await stateOf(world, interviewId)).deadline ?? '');
    await world.onboarding.extendDeadline(interviewId, '2 days');
    const { deadline } = await world.onboarding.extendDeadline(interviewId, '1 day');
    expect(Date.parse(deadline) - before).toBe(3 * 86_400_000);
    expect((await stateOf(world, interviewId)).deadline).toBe(deadline);
    await pass(world, interviewId, '5 days');
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    await pass(world, interviewId, '1 day');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('expired');
    await expectSound(world, interviewId);
  });

  it('restarts the wait if it is extended during the last read', async () => {
    const { interviewId } = await begin(world, BRIEFLY);
    await untilLooks(world, interviewId, 1);
    // The last read takes three attempts, which leaves time to extend the deadline.
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 503, times: 2 });
    await untilLooks(world, interviewId, 2);
    await world.onboarding.extendDeadline(interviewId, '1 hour');
    // The other attempts of the last read, and the first poll of the continued wait.
    await untilLooks(world, interviewId, 5);
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it('an update-with-start extends the capture deadline', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const { deadline } = await world.temporal.workflow.executeUpdateWithStart<
      OnboardingWorkflow,
      ExtendedDeadline,
      [ExtendDeadlineInput]
    >(UPDATES.extendDeadline, {
      args: [{ by: '1 day' }],
      startWorkflowOperation: new WithStartWorkflowOperation<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
        taskQueue: world.taskQueue,
        workflowId: onboardingWorkflowId(interviewId),
        args: [{ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } }],
        workflowIdConflictPolicy: 'FAIL',
      }),
    });
    expect((await stateOf(world, interviewId)).deadline).toBe(deadline);
    await world.onboarding.cancel(interviewId);
  });

  it('refuses a deadline more than ten years from now', async () => {
    const { interviewId } = await begin(world, ASKED);
    for (let times = 0; times < 3; times++) await world.onboarding.extendDeadline(interviewId, '1000 days');
    const refused = await thrown(world.onboarding.extendDeadline(interviewId, '1000 days'));
    expect(refused).toMatchObject({ name: 'InvalidInputError', field: 'extendDeadline.by' });
    await pass(world, interviewId, '8 days');
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    await world.onboarding.finish({ interviewId });
    await world.onboarding.result(interviewId);
    await expectSound(world, interviewId);
  });

  it('cannot be extended once the session is being finished', async () => {
    const { interviewId } = await begin(world, { sessionToken: 'refused', plan: { finishWhen: 'asked' } });
    const asked = world.onboarding.finish({ interviewId });
    await untilStage(world, interviewId, 'needsToken');
    expect(await thrown(world.onboarding.extendDeadline(interviewId, '1 day'))).toBeInstanceOf(WrongStageError);
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await asked).toMatchObject({ action: 'approved' });
  });
});
