import { WithStartWorkflowOperation } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILURES, ONBOARDING_WORKFLOW, onboardingWorkflowId } from '../../src/contract/index.js';
import { scheduledActivities } from '../support/history.js';
import {
  begin,
  expectSound,
  finishElsewhere,
  handleOf,
  happens,
  operationsOf,
  pass,
  receiveWebhooks,
  stateOf,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// Longer than the default, so that a week has few polls.
const POLL_MS = 6 * 3_600_000;
const POLL = '6h';

/** Without a webhook target. `happens` sends the signals. */
let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ activities: { processedPollMs: POLL_MS } });
});
afterAll(() => world[Symbol.asyncDispose]());

const PROCESSED = { plan: { finishWhen: 'processed' } } as const;
const ASKED = { plan: { finishWhen: 'asked' } } as const;
const AFTER_FINISH = [
  'ONBOARDING_FINISHED',
  'MANUAL_REVIEW_APPROVED',
  'MANUAL_REVIEW_REJECTED',
  'MANUAL_REVIEW_ESCALATED',
];
const READY = [
  'POST_PROCESSING_FINISHED',
  'FACE_VALIDATION_FINISHED',
  'GOVERNMENT_VALIDATION_FINISHED',
  ...AFTER_FINISH,
];

describe('a session with finishWhen: processed', () => {
  it("waits for Incode's webhook", async () => {
    await using heard = await startTestWorld();
    await using _ = await receiveWebhooks(heard);
    const { interviewId } = await begin(heard, PROCESSED, { processedAfterMs: null });
    await untilLooks(heard, interviewId, 1);
    expect((await stateOf(heard, interviewId)).stage).toBe('waiting');
    heard.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    expect(await heard.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'response' },
      onboardingStatus: 'ONBOARDING_FINISHED',
    });
    // The poll, the check of the webhook, the read before the finish, and the calls of the plan.
    expect(operationsOf(heard, interviewId)).toEqual([
      'onboardingStatus 200',
      'onboardingStatus 200',
      'onboardingStatus 200',
      'finishStatus 200',
      'score 200',
    ]);
    expect(await expectSound(heard, interviewId)).toBeDefined();
  });

  it('is finished after the next poll if the webhook is lost', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    await pass(world, interviewId, POLL);
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    // Two polls and the look before the finish.
    expect(operationsOf(world, interviewId)).toEqual([
      'onboardingStatus 200',
      'onboardingStatus 200',
      'onboardingStatus 200',
      'finishStatus 200',
      'score 200',
    ]);
    await expectSound(world, interviewId);
  });

  it('is finished after one poll if it is already processed', async () => {
    const { interviewId } = await begin(world, PROCESSED, { onboardingStatus: 'POST_PROCESSING_FINISHED' });
    await world.onboarding.result(interviewId);
    // The poll and the read before the finish.
    expect(operationsOf(world, interviewId)).toEqual([
      'onboardingStatus 200',
      'onboardingStatus 200',
      'finishStatus 200',
      'score 200',
    ]);
  });

  it.concurrent.each(READY)('continues after a webhook with %s', async (status) => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    if (AFTER_FINISH.includes(status)) await finishElsewhere(world, interviewId);
    world.simulator.setOnboardingStatus(interviewId, status);
    await happens(world, interviewId, status);
    const { finish } = await world.onboarding.result(interviewId);
    expect(finish?.confirmedBy).toBe(AFTER_FINISH.includes(status) ? 'status' : 'response');
    expect(world.simulator.effects(interviewId).finished).toBe(1);
    await expectSound(world, interviewId);
  });

  it.concurrent.each(READY)('continues after a poll with %s', async (status) => {
    const { interviewId, token } = await world.simulator.openSession();
    if (AFTER_FINISH.includes(status)) await finishElsewhere(world, interviewId);
    world.simulator.setOnboardingStatus(interviewId, status);
    await world.onboarding.start({ interviewId, sessionToken: token, ...PROCESSED });
    const { finish } = await world.onboarding.result(interviewId);
    expect(finish?.confirmedBy).toBe(AFTER_FINISH.includes(status) ? 'status' : 'response');
    expect(world.simulator.effects(interviewId).finished).toBe(1);
    await expectSound(world, interviewId);
  });

  it('keeps waiting at an earlier milestone and at an unknown status', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await happens(
      world,
      interviewId,
      'UNKNOWN',
      'ID_VALIDATION_FINISHED',
      'BRAND_NEW',
      'ID_VALIDATION_FINISHED_SECOND_ID',
    );
    await happens(world, interviewId, 'UNKNOWN', 'BRAND_NEW');
    await expect
      .poll(async () => (await stateOf(world, interviewId)).timeline.at(-1)?.event)
      .toBe('Webhook: ID_VALIDATION_FINISHED_SECOND_ID');
    expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'waiting', finish: null });
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it.each(['webhook', 'poll'])('ends as expired if a %s says EXPIRED', async (source) => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    world.simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    if (source === 'webhook') await happens(world, interviewId, 'EXPIRED');
    else await pass(world, interviewId, POLL);
    expect(await world.onboarding.result(interviewId)).toEqual({
      interviewId,
      outcome: 'expired',
      finish: null,
      score: null,
      closed: null,
      onboardingStatus: 'EXPIRED',
      confirmedBy: 'incode',
      reason: 'The session expired at Incode before it was finished.',
    });
    expect(world.simulator.callsOf(interviewId, 'finishStatus')).toEqual([]);
    await expectSound(world, interviewId);
  });

  it('is not finished again if somebody else finished it before the poll', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    await finishElsewhere(world, interviewId);
    await pass(world, interviewId, POLL);
    const { finish } = await world.onboarding.result(interviewId);
    expect(finish).toEqual({ action: null, redirectionUrl: null, confirmedBy: 'status' });
    await expectSound(world, interviewId);
  });

  it('fails if Incode does not know the session any more', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 404, times: 2 });
    await pass(world, interviewId, POLL);
    expect(await thrown(world.onboarding.result(interviewId))).toMatchObject({ type: FAILURES.unknownSession });
    await expectSound(world, interviewId);
  });
});

describe('a session with finishWhen: asked', () => {
  it('does not poll for weeks', async () => {
    const { interviewId } = await begin(world, { plan: { finishWhen: 'asked', captureDeadline: '60 days' } });
    await untilStage(world, interviewId, 'waiting');
    expect((await stateOf(world, interviewId)).waitingFor).toBe('someone to finish it (update finish)');
    await pass(world, interviewId, '50 days');
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    expect(operationsOf(world, interviewId)).toEqual([]);
    expect(await world.onboarding.finish({ interviewId })).toMatchObject({ confirmedBy: 'response' });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it.each([
    ['ONBOARDING_FINISHED', 'approved', 'status'],
    ['EXPIRED', 'expired', undefined],
  ])('stops waiting once Incode says %s', async (status, outcome, confirmedBy) => {
    const { interviewId } = await begin(world, ASKED);
    if (status === 'ONBOARDING_FINISHED') await finishElsewhere(world, interviewId);
    world.simulator.setOnboardingStatus(interviewId, status);
    await happens(world, interviewId, status);
    const result = await world.onboarding.result(interviewId);
    expect([result.outcome, result.finish?.confirmedBy]).toEqual([outcome, confirmedBy]);
    await expectSound(world, interviewId);
  });

  it.each([PROCESSED, ASKED])('is finished without a poll by an update-with-start: %j', async (input) => {
    const { interviewId, token } = await world.simulator.openSession();
    expect(await world.onboarding.finish({ interviewId, sessionToken: token, ...input })).toEqual({
      action: 'approved',
      redirectionUrl: null,
      confirmedBy: 'response',
    });
    await world.onboarding.result(interviewId);
    expect(scheduledActivities(await expectSound(world, interviewId))).toEqual(['finishStatus', 'score']);
  });

  it('gives the same answer to all finish updates', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    const handle = handleOf(world, interviewId);
    const answers = await Promise.all(Array.from({ length: 5 }, () => handle.executeUpdate('finish')));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await world.onboarding.result(interviewId);
    await expectSound(world, interviewId);
  });

  it('is finished by the update-with-start of another SDK', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const answer = await world.temporal.workflow.executeUpdateWithStart('finish', {
      startWorkflowOperation: new WithStartWorkflowOperation(ONBOARDING_WORKFLOW, {
        taskQueue: world.taskQueue,
        workflowId: onboardingWorkflowId(interviewId),
        args: [{ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } }],
        workflowIdConflictPolicy: 'FAIL',
      }),
    });
    expect(answer).toMatchObject({ action: 'approved' });
    await world.onboarding.result(interviewId);
    await expectSound(world, interviewId);
  });
});

describe('a webhook that starts the workflow', () => {
  it('the workflow that a webhook starts checks the webhook', async () => {
    const { interviewId, token } = await world.simulator.openSession({ onboardingStatus: 'POST_PROCESSING_FINISHED' });
    const said = { interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' };
    await world.onboarding.statusChanged(said, { sessionToken: token, ...PROCESSED });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    const activities = scheduledActivities(await expectSound(world, interviewId));
    expect(activities).toEqual(['awaitMilestone', 'confirmStatus', 'finishStatus', 'score']);
  });

  it('starts no second onboarding for a completed session', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const { runId } = await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    const said = { interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' };
    expect(await world.onboarding.statusChanged(said, { sessionToken: token, ...PROCESSED })).toBe('ended');
    expect((await handleOf(world, interviewId).describe()).runId).toBe(runId);
  });
});
