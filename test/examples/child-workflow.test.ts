import { WorkflowFailedError } from '@temporalio/client';
import { OnboardingClient } from 'temporal-incode/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Example,
  type ExampleWorld,
  startExample,
  startExampleWorld,
  startOnboardingWorker,
  WORKER_RUNS,
} from '../support/example.js';
import { thrown } from '../support/thrown.js';

describe.each([
  ['child-workflow/worker.ts', true],
  ['child-workflow/own-bundle/worker.ts', false],
])('%s', (file, needsOurs) => {
  let world: ExampleWorld;
  let ours: AsyncDisposable | undefined;
  let theirs: Example;
  let onboarding: OnboardingClient;
  beforeAll(async () => {
    world = await startExampleWorld();
    onboarding = new OnboardingClient({ client: world.temporal });
    if (needsOurs) ours = await startOnboardingWorker(world);
    theirs = startExample(file, world.env);
    await theirs.wrote(WORKER_RUNS);
  });
  afterAll(async () => {
    await theirs[Symbol.asyncDispose]();
    await ours?.[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  function start(interviewId: string, sessionToken: string) {
    return world.temporal.workflow.start('signUp', {
      workflowId: `sign-up/${interviewId}`,
      taskQueue: 'sign-up',
      args: [{ interviewId, sessionToken }],
    });
  }

  it('completes the session once and returns its outcome', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
    const parent = await start(interviewId, token);
    expect(await theirs.whileRunning(parent.result())).toEqual({ account: `account-of-${interviewId}` });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
    expect((await onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('fails with the type of a permanent refusal by Incode', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    const parent = await start(interviewId, token);
    const failed = await thrown(theirs.whileRunning(parent.result()));
    expect(failed).toBeInstanceOf(WorkflowFailedError);
    expect(failed.cause).toMatchObject({ name: 'ChildWorkflowFailure', cause: { type: 'IncodeUnknownSession' } });
  });

  it('exits with 0 after SIGTERM', async () => {
    expect(await theirs.stop()).toBe(0);
  });
});
