import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('a caller who names no policies', () => {
  const start = (interviewId: string, sessionToken: string) =>
    world.temporal.workflow.start('onboardingSession', {
      workflowId: onboardingWorkflowId(interviewId),
      taskQueue: world.taskQueue,
      args: [{ interviewId, sessionToken }],
    });

  it('and starts a session again after its end does not finish it again', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await (await start(interviewId, token)).result();
    expect(await (await start(interviewId, token)).result()).toMatchObject({ finish: { confirmedBy: 'status' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('nor after its workflow was terminated in the middle of the call', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true });
    const handle = await start(interviewId, token);
    await expect.poll(() => world.simulator.effects(interviewId).finished).toBe(1);
    await handle.terminate();
    await (await start(interviewId, token)).result();
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});
