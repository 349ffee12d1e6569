import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import {
  type ConnectedOnboardingClient,
  connectOnboardingClient,
  TooManyWaitingError,
} from '../../src/client/index.js';
import { FAILURES, onboardingWorkflowId } from '../../src/contract/index.js';
import { failedTasks, fetchHistory } from '../support/history.js';
import { handleOf, stateOf, untilStage } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Sends finish updates, each with its own id. */
function askToFinish(interviewId: string, times: number) {
  const refused: unknown[] = [];
  const asked = Array.from({ length: times }, () => handleOf(world, interviewId).executeUpdate('finish'));
  for (const one of asked) one.catch((error) => refused.push(error.cause));
  return { refused, all: Promise.allSettled(asked) };
}

async function withoutToken(): Promise<{ interviewId: string; token: string }> {
  const { interviewId, token } = await world.simulator.openSession();
  await world.onboarding.start({ interviewId });
  await untilStage(world, interviewId, 'needsToken');
  return { interviewId, token };
}

it('refuses finish updates beyond the limit and still accepts a token', async () => {
  const { interviewId, token } = await withoutToken();
  // The SDK sends updates again that the server refuses at first.
  const { refused, all } = askToFinish(interviewId, 14);
  await expect.poll(() => refused.length).toBe(8);
  for (const failure of refused) {
    expect(failure).toMatchObject({
      type: FAILURES.tooManyWaiting,
      message: expect.stringMatching(/6 updates finish already wait .* the update id "finish"/),
      details: [{ interviewId }],
    });
  }
  await world.onboarding.renewToken(interviewId, token);
  const answers = (await all).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(answers).toHaveLength(6);
  expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  expect(failedTasks(await fetchHistory(world.temporal, interviewId))).toEqual([]);
  expect(world.simulator.effects(interviewId).finished).toBe(1);
});

it('the client throws TooManyWaitingError if its finish update is refused', async () => {
  const { interviewId } = await withoutToken();
  // One update is refused once the others wait.
  const { refused, all } = askToFinish(interviewId, 7);
  await expect.poll(() => refused.length).toBe(1);
  expect(await thrown(world.onboarding.finish({ interviewId }))).toBeInstanceOf(TooManyWaitingError);
  await world.onboarding.cancel(interviewId);
  await all;
});

it('accepts a token by signal and ignores signals with an invalid or a refused token', async () => {
  const { interviewId, token } = await withoutToken();
  const handle = handleOf(world, interviewId);
  for (const bad of [undefined, null, {}, { sessionToken: 'a\nb' }, { sessionToken: 1 }, [token]]) {
    await handle.signal('renewToken', bad);
  }
  const expired = 'expired-token';
  await handle.signal('renewToken', { sessionToken: expired });
  const refusals = async () =>
    (await stateOf(world, interviewId)).timeline.filter(({ event }) => event === 'Incode refused the session token')
      .length;
  await expect.poll(refusals).toBe(1);
  await handle.signal('renewToken', { sessionToken: expired });
  expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'needsToken' });
  await handle.signal('renewToken', { sessionToken: token });
  expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  expect(failedTasks(await fetchHistory(world.temporal, interviewId))).toEqual([]);
});

it('the client sends a token by signal if the server allows no more updates', async () => {
  const here = { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
  const client = await connectOnboardingClient({ ...here, taskQueue: `later-${randomUUID()}` });
  const { interviewId, token } = await world.simulator.openSession();
  await client.start({ interviewId });
  const handle = handleOf(world, interviewId);
  const updates = Array.from({ length: 10 }, (_, index) => `finish-${index}`);
  const all = Promise.allSettled(updates.map((updateId) => handle.executeUpdate('finish', { updateId })));
  for (const updateId of updates) await expect.poll(() => isTaken(client, interviewId, updateId)).toBe(true);
  await client.renewToken(interviewId, token);
  const { events } = await handleOf(world, interviewId).fetchHistory();
  const signals = events?.flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
  expect(signals).toEqual(['renewToken']);
  await handleOf(world, interviewId).terminate();
  await all;
  await client.close();
});

/** Whether the server has the update. If so, a request for its answer waits. */
async function isTaken(
  { temporal }: ConnectedOnboardingClient,
  interviewId: string,
  updateId: string,
): Promise<boolean> {
  const update = temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).getUpdateHandle(updateId);
  const error = await thrown(temporal.withDeadline(Date.now() + 300, () => update.result()));
  return error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError';
}
