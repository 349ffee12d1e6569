import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { executeChild } from '@temporalio/workflow';
import { createIncodeActivities } from 'temporal-incode/activities';
import { ONBOARDING_WORKFLOW, type OnboardingInput, type OnboardingWorkflow } from 'temporal-incode/contract';
import { createIncodeClient } from 'temporal-incode/incode';
import { onboardingSession } from 'temporal-incode/workflows';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { expectSound, handleOf, operationsOf, searchAttributesOf } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { API_KEY, startTestWorld, type TestWorld } from '../support/world.js';
import type { Parent } from './workflows.js';

// `world` runs onboardings. A second worker belongs to another team.

let world: TestWorld;
let bundle: string;
let stop: () => Promise<void>;
const theirQueue = `theirs-${randomUUID()}`;

beforeAll(async () => {
  world = await startTestWorld();
  const incode = createIncodeClient({ baseUrl: world.simulator.url, apiKey: API_KEY });
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  bundle = workflowBundle.code;
  const worker = await Worker.create({
    connection,
    namespace: inject('temporalNamespace'),
    taskQueue: theirQueue,
    workflowBundle,
    activities: createIncodeActivities({ incode }),
  });
  const running = worker.run();
  stop = async () => {
    worker.shutdown();
    await running;
    await connection.close();
    await incode.close();
  };
});
afterAll(async () => {
  await stop();
  await world[Symbol.asyncDispose]();
});

function start(workflow: string, argument: unknown): Promise<WorkflowHandle> {
  const workflowId = `${workflow}-${randomUUID()}`;
  return world.temporal.workflow.start(workflow, { workflowId, taskQueue: theirQueue, args: [argument] });
}

describe('an activity in a workflow of another team', () => {
  it('finishes a session once if the answer is lost', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
    const finished = await (await start('finishing', { interviewId, sessionToken: token })).result();
    expect(finished).toMatchObject({ finish: { action: null, confirmedBy: 'status' } });
    expect(operationsOf(world, interviewId)).toEqual([
      'onboardingStatus 200',
      'finishStatus null',
      'onboardingStatus 200',
    ]);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('retries for as long as Incode is down', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: 2 });
    const finished = await (await start('finishing', { interviewId, sessionToken: token })).result();
    expect(finished).toMatchObject({ finish: { action: 'approved', confirmedBy: 'response' } });
  });

  it('fails with a type that the workflow can handle', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.revokeTokens(interviewId);
    const failed = await thrown((await start('finishing', { interviewId, sessionToken: token })).result());
    expect(failed.cause).toMatchObject({
      name: 'ActivityFailure',
      cause: { type: 'IncodeTokenRefused', details: [{ interviewId, operation: 'onboardingStatus', httpStatus: 401 }] },
    });
  });

  it('adds none of our workflows to the bundle', () => {
    expect(bundle.includes('Finish the session at Incode')).toBe(true);
    expect(bundle.includes('function onboardingSession')).toBe(false);
    expect(bundle.includes('function onboardingBatch')).toBe(false);
  });
});

describe('onboardingSession as a child workflow', () => {
  async function startParent(more: Partial<OnboardingInput> = {}, options: Partial<Parent> = {}) {
    const { interviewId, token } = await world.simulator.openSession();
    const input: OnboardingInput = { interviewId, sessionToken: token, ...more };
    const parent = () => start('parent', { input, taskQueue: world.taskQueue, ...options } satisfies Parent);
    return { interviewId, token, parent, started: await parent() };
  }

  /** Until the parent's history contains the child's start. From then on the parent's close policy applies. */
  async function untilChildRuns(parent: WorkflowHandle): Promise<void> {
    const hasChild = async () =>
      (await parent.fetchHistory()).events?.some((event) => event.childWorkflowExecutionStartedEventAttributes);
    await expect.poll(hasChild).toBe(true);
  }

  it('returns its result to the parent, and can be found and finished like any other session', async () => {
    const { interviewId, started } = await startParent({ plan: { finishWhen: 'asked' } });
    await untilChildRuns(started);
    // A parent sets no search attribute at the start, but the child sets it later.
    await expect.poll(() => searchAttributesOf(world, interviewId)).toMatchObject({ stage: 'waiting' });
    expect(await world.onboarding.start({ interviewId })).toMatchObject({ attached: true });
    expect(await world.onboarding.finish({ interviewId })).toMatchObject({ action: 'approved' });
    expect(await started.result()).toMatchObject({ interviewId, outcome: 'approved' });
    expect(await searchAttributesOf(world, interviewId)).toMatchObject({ stage: 'done', outcome: 'approved' });
    await expectSound(world, interviewId);
  });

  it('does not finish a session that was completed before', async () => {
    const { interviewId, started, parent } = await startParent();
    await started.result();
    const again = await (await parent()).result();
    expect(again).toMatchObject({ outcome: 'approved', finish: { confirmedBy: 'status' } });
    await expectSound(world, interviewId);
  });

  it('a child for a running session fails and leaves the session alone', async () => {
    const { interviewId, started, parent } = await startParent({ plan: { finishWhen: 'asked' } });
    await untilChildRuns(started);
    const refused = await thrown((await parent()).result());
    expect(refused.cause?.message).toContain('already started');
    await world.onboarding.finish({ interviewId });
    expect(await started.result()).toMatchObject({ outcome: 'approved' });
  });

  it('is cancelled with its parent, and does not finish the session', async () => {
    const { interviewId, started } = await startParent({ plan: { finishWhen: 'asked' } });
    await untilChildRuns(started);
    await started.cancel();
    expect((await thrown(started.result())).cause).toMatchObject({ name: 'CancelledFailure' });
    // The parent waited for the child to end.
    expect((await handleOf(world, interviewId).describe()).status.name).toBe('CANCELLED');
    expect(world.simulator.effects(interviewId).finished).toBe(0);
  });

  it('continues if its parent is terminated and the policy is ABANDON', async () => {
    const { interviewId, started } = await startParent({ plan: { finishWhen: 'asked' } });
    await untilChildRuns(started);
    await started.terminate();
    expect(await world.onboarding.finish({ interviewId })).toMatchObject({ action: 'approved' });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('is cancelled if its parent is terminated and the policy is REQUEST_CANCEL', async () => {
    const { interviewId, started } = await startParent(
      { plan: { finishWhen: 'asked' } },
      { parentClosePolicy: 'REQUEST_CANCEL' },
    );
    await untilChildRuns(started);
    await started.terminate();
    await expect.poll(async () => (await handleOf(world, interviewId).describe()).status.name).toBe('CANCELLED');
  });

  it('has typed inputs', () => {
    const calls = [
      // @ts-expect-error: the interview id is a string
      () => executeChild(onboardingSession, { args: [{ interviewId: 1 }] }),
      // @ts-expect-error: there is no such part of the plan
      () => executeChild(onboardingSession, { args: [{ interviewId: 'x', plan: { wait: true } }] }),
      // @ts-expect-error: the interview id is missing
      () => executeChild<OnboardingWorkflow>(ONBOARDING_WORKFLOW, { args: [{}] }),
    ];
    expect(calls).toHaveLength(3);
  });
});
