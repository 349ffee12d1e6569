import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnswerPendingError, OnboardingClient } from '../../src/client/index.js';
import { type OnboardingInput, onboardingWorkflowId } from '../../src/contract/index.js';
import { startGrpcEndpoint } from '../support/grpc-endpoint.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function pending(call: Promise<unknown>): Promise<AnswerPendingError> {
  const error = await thrown(call);
  expect(error).toBeInstanceOf(AnswerPendingError);
  return error as AnswerPendingError;
}

/** Asks to finish once a call has failed, which takes a moment on a loaded machine. */
async function afterFailure(input: OnboardingInput): Promise<unknown> {
  await world.onboarding.start(input);
  const failure = async () => (await world.onboarding.state(input.interviewId)).call?.lastFailure;
  await expect.poll(failure).toBeTruthy();
  return world.onboarding.finish(input, { timeoutMs: 1_000 });
}

/** A client whose sessions use a separate task queue. */
function alone(): { onboarding: OnboardingClient; taskQueue: string; interviewId: string } {
  const taskQueue = `alone-${randomUUID()}`;
  const onboarding = new OnboardingClient({ client: world.temporal, taskQueue });
  return { onboarding, taskQueue, interviewId: randomUUID() };
}

function terminate(interviewId: string): Promise<unknown> {
  return world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).terminate();
}

describe('finish after its timeout', () => {
  it('finish names the task queue that no worker polls', async () => {
    const { onboarding, taskQueue, interviewId } = alone();
    const error = await pending(onboarding.finish({ interviewId }, { timeoutMs: 1_000 }));
    expect(error).toMatchObject({ interviewId, hasWorker: false, stage: 'finishing', waitingFor: null });
    expect(error.message).toContain(`No worker polls the task queue ${taskQueue}. Start a worker`);
    await terminate(interviewId);
  });

  it('finish says that the session waits for a token', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    const stage = async () => (await world.onboarding.state(interviewId)).state?.stage;
    await expect.poll(stage).toBe('needsToken');
    const error = await pending(world.onboarding.finish({ interviewId }, { timeoutMs: 1_000 }));
    expect(error).toMatchObject({
      stage: 'needsToken',
      hasWorker: true,
      waitingFor: expect.stringContaining('renewToken'),
    });
    expect(error.message).toContain('It waits for a session token, by the update renewToken');
    await world.onboarding.cancel(interviewId);
  });

  it('finish names the call that is being retried and its last failure', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: null });
    const input = { interviewId, sessionToken: token };
    const error = await pending(afterFailure(input));
    expect(error).toMatchObject({ stage: 'finishing', hasWorker: true, waitingFor: null });
    expect(error.message).toMatch(/Its call finishStatus is being retried, attempt \d+ after: .*503/);
    expect(error.message).not.toContain(token);
    await world.onboarding.cancel(interviewId);
  });

  it('finish says that the session waits until the operator has corrected the API key', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status: 403, times: null });
    const input = { interviewId, sessionToken: token };
    const error = await pending(afterFailure(input));
    expect(error).toMatchObject({ hasWorker: true, waitingFor: "the operator to correct the workers' configuration" });
    expect(error.message).toContain(
      "It waits for the operator to correct the workers' configuration: its call finishStatus fails. Session",
    );
    expect(error.message).toMatch(
      /The API key is not accepted: correct it\. Within a minute after that it continues\./,
    );
    expect(error.message).not.toContain(token);
    await world.onboarding.cancel(interviewId);
  });

  // As with thousands of pending signals: the worker takes the task and never completes it.
  it('finish says that the workers do not answer for the session', async () => {
    const { onboarding, taskQueue, interviewId } = alone();
    const { workflowService, options } = world.temporal;
    const { namespace } = options;
    const polled = world.temporal.withDeadline(Date.now() + 10_000, () =>
      workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue }, identity: 'slow' }),
    );
    const error = await pending(onboarding.finish({ interviewId }, { timeoutMs: 1_000 }));
    await polled;
    expect(error).toMatchObject({ hasWorker: true, waitingFor: null });
    expect(error.message).toContain(`The workers of the task queue ${taskQueue} do not answer for this session`);
    await terminate(interviewId);
  });

  it('finish waits 30 s by default', async () => {
    await using endpoint = await startGrpcEndpoint({ status: () => 3 });
    const connection = Connection.lazy({ address: endpoint.address });
    const onboarding = new OnboardingClient({ client: new Client({ connection }) });
    await thrown(onboarding.finish({ interviewId: 'any' }));
    await thrown(onboarding.finish({ interviewId: 'any' }, { timeoutMs: Number.POSITIVE_INFINITY }));
    await connection.close();
    const [byDefault, unlimited] = endpoint.requests.map(({ headers }) => headers['grpc-timeout']);
    const { groups } = /^(?<amount>\d+)m$/.exec(String(byDefault)) ?? {};
    expect(Number(groups?.amount)).toBeGreaterThan(25_000);
    expect(Number(groups?.amount)).toBeLessThanOrEqual(30_000);
    expect(unlimited).toBeUndefined();
  });
});

describe('renewToken and extendDeadline after their timeout', () => {
  it('renewToken and extendDeadline name the task queue that no worker polls', async () => {
    const { onboarding, taskQueue, interviewId } = alone();
    await onboarding.start({ interviewId });
    const timeoutMs = 500;
    const errors = await Promise.all([
      pending(onboarding.renewToken(interviewId, 'token', { timeoutMs })),
      pending(onboarding.extendDeadline(interviewId, '1 day', { timeoutMs })),
    ]);
    for (const error of errors) {
      expect(error.hasWorker).toBe(false);
      expect(error.message).toContain(taskQueue);
    }
    await terminate(interviewId);
  });
});

describe('result after its timeout', () => {
  it('result says what the session waits for', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } });
    const error = await pending(world.onboarding.result(interviewId, { timeoutMs: 500 }));
    expect(error).toMatchObject({
      stage: 'waiting',
      waitingFor: 'someone to finish it (update finish)',
      hasWorker: true,
    });
    await world.onboarding.cancel(interviewId);
  });
});
