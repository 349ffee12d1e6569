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
import type { FaultEffect, SessionSpec } from '../../src/testing/index.js';
import { fetchHistory, scheduledActivities } from '../support/history.js';
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

// Longer than the default, so that a week has few polls.
const POLL_MS = 6 * 3_600_000;

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ activities: { processedPollMs: POLL_MS } });
});
afterAll(() => world[Symbol.asyncDispose]());

const BRIEFLY = { plan: { finishWhen: 'processed', captureDeadline: '1s' } } as const;

/** Starts a session whose poll hangs, so that only the last read at its deadline gets an answer. */
async function beginBriefly(of: TestWorld, lastRead?: FaultEffect, spec?: SessionSpec): Promise<string> {
  const { interviewId, token } = await of.simulator.openSession(spec);
  of.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'hang' });
  if (lastRead) of.simulator.fault({ operation: 'onboardingStatus', interviewId, ...lastRead, times: null });
  await of.onboarding.start({ interviewId, sessionToken: token, ...BRIEFLY });
  return interviewId;
}

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
    const interviewId = await beginBriefly(world, undefined, { onboardingStatus: 'POST_PROCESSING_FINISHED' });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual([
      'awaitMilestone',
      'onboardingStatus',
      'finishStatus',
      'score',
    ]);
  });

  it.concurrent.each([401, 404, 500, 503])('expires the session if the last read is answered %i', async (status) => {
    const interviewId = await beginBriefly(world, { kind: 'status', status });
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
    // The last read goes on until the deadline is extended.
    const interviewId = await beginBriefly(world, { kind: 'status', status: 503 });
    await untilLooks(world, interviewId, 2);
    await world.onboarding.extendDeadline(interviewId, '1 hour');
    world.simulator.clearFaults();
    const polls = async () => {
      const history = await fetchHistory(world.temporal, interviewId);
      return scheduledActivities(history).filter((activity) => activity === 'awaitMilestone').length;
    };
    // The second one belongs to the continued wait.
    await until(polls, 2);
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
