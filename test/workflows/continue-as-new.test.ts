import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ONBOARDING_WORKFLOW, type OnboardingState, onboardingWorkflowId } from '../../src/contract/index.js';
import { type LocalTemporalServer, startLocalTemporalServer } from '../../src/testing/index.js';
import { failedTasks, scheduledActivities } from '../support/history.js';
import {
  begin,
  handleOf,
  happens,
  operationsOf,
  pass,
  say,
  searchAttributesOf,
  stateOf,
  until,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { resetTo, WITHOUT_MESSAGES } from '../support/reset.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let server: LocalTemporalServer;
let world: TestWorld;
beforeAll(async () => {
  server = await startLocalTemporalServer({
    namespace: inject('temporalNamespace'),
    timeSkipping: true,
    // The default is thousands of events.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': '60' },
    env: { ...process.env, TEMPORAL_ADDRESS: undefined },
  });
  world = await startTestWorld({ address: server.address, activities: { reviewPollMs: 24 * 3_600_000 } });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server.stop();
});

const ASKED = { plan: { finishWhen: 'asked' } } as const;
const PROCESSED = { plan: { finishWhen: 'processed' } } as const;
const REVIEW = { plan: { review: 'wait' } } as const;
const WARN = { score: { status: 'WARN', value: '61.0' } };
const NOISE = ['UNKNOWN', 'ID_VALIDATION_FINISHED', 'BRAND_NEW'];

/** Sends webhooks, 20 at a time. */
async function flood(interviewId: string, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => say(world, interviewId, NOISE[(sent + index) % NOISE.length] ?? '')),
    );
  }
}

/** @returns run ids, oldest first */
async function runsOf(interviewId: string): Promise<string[]> {
  const query = `WorkflowId = "${onboardingWorkflowId(interviewId)}"`;
  const runs: { runId: string; startTime: Date }[] = [];
  for await (const run of world.temporal.workflow.list({ query })) runs.push(run);
  return runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime()).map(({ runId }) => runId);
}

function run(interviewId: string, runId: string) {
  return world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId), runId);
}

/** @returns the id of the event that completes the first workflow task of the latest run */
async function firstTask(interviewId: string): Promise<number> {
  const { events } = await handleOf(world, interviewId).fetchHistory();
  return Number(events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId);
}

async function untilContinued(interviewId: string, atLeast = 2): Promise<void> {
  await until(async () => (await runsOf(interviewId)).length >= atLeast, true);
}

/** Checks that no workflow task of any run failed, and how often the session was finished. */
async function expectFinished(interviewId: string, times = 1): Promise<void> {
  for (const runId of await runsOf(interviewId)) {
    expect(failedTasks(await run(interviewId, runId).fetchHistory())).toEqual([]);
  }
  expect(world.simulator.effects(interviewId).finished).toBe(times);
}

describe('a session that continues as new', () => {
  it('keeps deadline and timeline in waiting under hundreds of webhooks', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    await world.onboarding.extendDeadline(interviewId, '1 day');
    const before = await stateOf(world, interviewId);
    await flood(interviewId, 200);
    await untilContinued(interviewId, 2);
    const after = await stateOf(world, interviewId);
    expect(after).toMatchObject({
      stage: 'waiting',
      deadline: before.deadline,
      onboardingStatus: null,
    });
    expect(after.timeline.slice(0, before.timeline.length)).toEqual(before.timeline);
    // Each status adds one event only.
    expect(after.timeline.length).toBeLessThanOrEqual(before.timeline.length + NOISE.length);

    world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    await pass(world, interviewId, '15 minutes');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectFinished(interviewId);
  });

  it('keeps finish, score and deadline in review', async () => {
    const { interviewId } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    const before = await stateOf(world, interviewId);
    await flood(interviewId, 100);
    await untilContinued(interviewId);
    const { deadline, finish, score, timeline } = await stateOf(world, interviewId);
    expect({ deadline, finish, score }).toEqual({
      deadline: before.deadline,
      finish: before.finish,
      score: before.score,
    });
    expect(timeline[0]).toEqual(before.timeline[0]);
    await pass(world, interviewId, '31 days');
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'needsReview',
      score: WARN.score,
      finish: { action: 'approved', confirmedBy: 'response' },
    });
    expect(operationsOf(world, interviewId).filter((call) => /finish|score/.test(call))).toHaveLength(2);
    await expectFinished(interviewId);
  });

  it('ends the review with the verdict', async () => {
    const { interviewId } = await begin(world, REVIEW, WARN);
    await untilStage(world, interviewId, 'inReview');
    await flood(interviewId, 100);
    await untilContinued(interviewId);
    await Promise.all([flood(interviewId, 100), happens(world, interviewId, 'MANUAL_REVIEW_REJECTED')]).catch(
      () => undefined,
    );
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
    await expectFinished(interviewId);
  });

  it('still needs a token and keeps a renewed one', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    await flood(interviewId, 100);
    await untilContinued(interviewId);
    await untilStage(world, interviewId, 'needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await untilStage(world, interviewId, 'waiting');
    const runs = (await runsOf(interviewId)).length;
    await flood(interviewId, 100);
    await untilContinued(interviewId, runs + 1);
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectFinished(interviewId);
  });

  it('reads the status first if a request of the previous run has an unknown result', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
    // Skips the first read. Refuses the reads of the second attempt, with and without the id.
    const refused = { kind: 'status', status: 401, skip: 1, times: 2 } as const;
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, ...refused });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await untilStage(world, interviewId, 'needsToken');
    await flood(interviewId, 100);
    await untilContinued(interviewId);
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect((await world.onboarding.result(interviewId)).finish?.confirmedBy).toBe('status');
    await expectFinished(interviewId);
  });

  it('answers a pending update before it continues', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await untilStage(world, interviewId, 'needsToken');
    const asked = world.onboarding.finish({ interviewId });
    await until(
      async () => (await stateOf(world, interviewId)).timeline.some(({ event }) => /Asked/.test(event)),
      true,
    );
    await flood(interviewId, 100);
    expect(await runsOf(interviewId)).toHaveLength(1);
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await asked).toMatchObject({ action: 'approved' });
    await world.onboarding.result(interviewId);
    await expectFinished(interviewId);
  });

  it('keeps search attributes and memo', async () => {
    const { interviewId } = await world.simulator.openSession();
    const key = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
    await world.temporal.workflow.start(ONBOARDING_WORKFLOW, {
      taskQueue: world.taskQueue,
      workflowId: onboardingWorkflowId(interviewId),
      args: [{ interviewId, ...PROCESSED }],
      memo: { team: 'lending' },
      typedSearchAttributes: new TypedSearchAttributes([{ key: key('IncodeBatchId'), value: 'batch-7' }]),
    });
    await untilStage(world, interviewId, 'needsToken');
    await flood(interviewId, 100);
    await untilContinued(interviewId);
    await untilStage(world, interviewId, 'needsToken');
    const description = await handleOf(world, interviewId).describe();
    expect(description.memo).toEqual({ team: 'lending' });
    expect(await searchAttributesOf(world, interviewId)).toMatchObject({ batchId: 'batch-7', stage: 'needsToken' });
    await world.onboarding.cancel(interviewId);
  });

  it('hands a record of plain JSON to the new run and still answers queries of the old run', async () => {
    const { interviewId } = await begin(world, ASKED);
    await untilStage(world, interviewId, 'waiting');
    await flood(interviewId, 100);
    await untilContinued(interviewId);
    const [first = '', second = ''] = await runsOf(interviewId);
    const { events } = await run(interviewId, second).fetchHistory();
    const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const [, record] = input.map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString()));
    const known = await run(interviewId, first).query<OnboardingState>('state');
    expect(record).toMatchObject({
      stage: known.stage,
      deadline: Date.parse(known.deadline ?? ''),
      token: expect.any(String),
      onboardingStatus: known.onboardingStatus,
      answer: null,
      score: null,
      timeline: known.timeline,
    });
    expect(new Set(record.heard)).toEqual(new Set(NOISE));
    expect(Object.values(record)).not.toContain(undefined);
    await world.onboarding.cancel(interviewId);
  });
});

describe('a second argument from a caller', () => {
  const BOGUS = { stage: 'done', answer: { finish: { action: 'approved' } }, timeline: 'none' };

  it('the workflow ignores a second argument', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const result = await world.temporal.workflow.execute(ONBOARDING_WORKFLOW, {
      taskQueue: world.taskQueue,
      workflowId: onboardingWorkflowId(interviewId),
      args: [{ interviewId, sessionToken: token }, BOGUS],
    });
    expect(result).toMatchObject({ outcome: 'approved', finish: { confirmedBy: 'response' } });
    await expectFinished(interviewId);
  });

  it('the run that the server starts for a retry policy ignores a second argument', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.temporal.workflow.start(ONBOARDING_WORKFLOW, {
      taskQueue: world.taskQueue,
      workflowId: onboardingWorkflowId(interviewId),
      args: [{ interviewId }, BOGUS],
      retry: { initialInterval: '1 ms', maximumAttempts: 2 },
      workflowRunTimeout: '2 seconds',
    });
    await untilContinued(interviewId);
    await untilStage(world, interviewId, 'needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
    // Another run may have finished it.
    expect(operationsOf(world, interviewId)[0]).toBe('onboardingStatus 200');
    await expectFinished(interviewId);
  });
});

describe('a reset of a continued run', () => {
  it.each([
    ['the run', false],
    ['the next run', true],
  ])('makes %s read the status before it finishes', async (_, again) => {
    const { interviewId } = await begin(world, ASKED);
    await untilStage(world, interviewId, 'waiting');
    await flood(interviewId, 100);
    await untilContinued(interviewId);
    await world.onboarding.finish({ interviewId });
    await world.onboarding.result(interviewId);
    const runs = await runsOf(interviewId);
    const task = await firstTask(interviewId);
    const how = { runId: runs.at(-1) ?? '', ...WITHOUT_MESSAGES };
    await resetTo(world.temporal, onboardingWorkflowId(interviewId), task, how);
    await untilStage(world, interviewId, 'waiting');
    if (again) {
      await flood(interviewId, 100);
      await untilContinued(interviewId, runs.length + 2);
    }
    // Another update id, because the server keeps the answer for the first id.
    expect(await handleOf(world, interviewId).executeUpdate('finish', { updateId: 'again' })).toMatchObject({
      confirmedBy: 'status',
    });
    await world.onboarding.result(interviewId);
    expect(scheduledActivities(await handleOf(world, interviewId).fetchHistory())).toContain('finishStatus');
    expect(world.simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(1);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});
