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
import {
  begin,
  expectSound,
  happens,
  looksAt,
  pass,
  stateOf,
  until,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// Longer than the default, so that a week has few of them.
const POLL_MS = 6 * 3_600_000;

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ activities: { processedPollMs: POLL_MS } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Its deadline comes by itself: time that is made to pass would let the poll look once more. */
const BRIEFLY = { plan: { finishWhen: 'processed', captureDeadline: '1s' } } as const;
const ASKED = { plan: { finishWhen: 'asked' } } as const;

describe('the capture deadline', () => {
  it('ends the wait as expired, a week after the start, after a last look', async () => {
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

  it('is not taken at its word if the last look finds the session processed', async () => {
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

  it.concurrent.each([401, 404, 500, 503])('counts if the last look is answered %i', async (status) => {
    const { interviewId } = await begin(world, BRIEFLY);
    await untilLooks(world, interviewId, 1);
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status, times: null });
    // After a refusal the token is asked for without the id too.
    await until(() => looksAt(world, interviewId) > 1, true);
    if (status >= 500) await pass(world, interviewId, '3 minutes');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('expired');
    await expectSound(world, interviewId);
  });

  it('can be moved while its timer runs, more than once', async () => {
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

  it('that is moved during the last look counts anew', async () => {
    const { interviewId } = await begin(world, BRIEFLY);
    await untilLooks(world, interviewId, 1);
    // The last look takes three attempts, so that there is time to move the deadline.
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 503, times: 2 });
    await untilLooks(world, interviewId, 2);
    await world.onboarding.extendDeadline(interviewId, '1 hour');
    // The rest of the look, and the first poll of the wait that goes on.
    await untilLooks(world, interviewId, 5);
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it('can be moved by whoever has just started the session', async () => {
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

  it('cannot be moved further than ten years away', async () => {
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

  it('is gone once the session is being finished', async () => {
    const { interviewId } = await begin(world, { sessionToken: 'refused', plan: { finishWhen: 'asked' } });
    const asked = world.onboarding.finish({ interviewId });
    await untilStage(world, interviewId, 'needsToken');
    expect(await thrown(world.onboarding.extendDeadline(interviewId, '1 day'))).toBeInstanceOf(WrongStageError);
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await asked).toMatchObject({ action: 'approved' });
  });
});
