import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { IMPATIENT, startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ incode: IMPATIENT });
});
afterAll(() => world[Symbol.asyncDispose]());

describe('a session that a caller starts again without reuse policies', () => {
  const start = (interviewId: string, sessionToken: string) =>
    world.temporal.workflow.start('onboardingSession', {
      workflowId: onboardingWorkflowId(interviewId),
      taskQueue: world.taskQueue,
      args: [{ interviewId, sessionToken }],
    });

  it('is finished once if its first workflow has completed', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await (await start(interviewId, token)).result();
    expect(await (await start(interviewId, token)).result()).toMatchObject({ finish: { confirmedBy: 'status' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('is finished once if its first workflow was terminated during the call', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true });
    const handle = await start(interviewId, token);
    await expect.poll(() => world.simulator.effects(interviewId).finished).toBe(1);
    await handle.terminate();
    await (await start(interviewId, token)).result();
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});
