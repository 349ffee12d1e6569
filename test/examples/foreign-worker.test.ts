import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Example, type ExampleWorld, startExample, startExampleWorld, WORKER_RUNS } from '../support/example.js';

let world: ExampleWorld;
let worker: Example;
beforeAll(async () => {
  world = await startExampleWorld();
  worker = startExample('foreign-worker/worker.ts', world.env);
  await worker.wrote(WORKER_RUNS);
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function signUp(interviewId: string, sessionToken: string): Promise<unknown> {
  const result = world.temporal.workflow.execute('signUp', {
    workflowId: `sign-up/${interviewId}`,
    taskQueue: 'sign-up',
    args: [{ interviewId, sessionToken }],
  });
  return worker.whileRunning(result);
}

it('the example opens an account for an approved person and none for a rejected one', async () => {
  const approved = await world.simulator.openSession();
  const rejected = await world.simulator.openSession({ action: 'rejected' });
  expect(await signUp(approved.interviewId, approved.token)).toEqual({ account: `account-of-${approved.interviewId}` });
  expect(await signUp(rejected.interviewId, rejected.token)).toEqual({ account: null });
});

it('the example opens an account once if the answer is lost', async () => {
  const { interviewId, token } = await world.simulator.openSession();
  world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
  expect(await signUp(interviewId, token)).toEqual({ account: `account-of-${interviewId}` });
  expect(world.simulator.effects(interviewId).finished).toBe(1);
});

it('the example exits with 0 after SIGTERM', async () => {
  expect(await worker.stop()).toBe(0);
});
