import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// An operator resets an activity that waits for its next attempt. Temporal then counts its attempts from one again.

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ activities: { settleTimeMs: 400 } });
});
afterAll(() => world[Symbol.asyncDispose]());

it.each([false, true])(
  'a session is finished once if its activity is reset with resetHeartbeat %s',
  async (resetHeartbeat) => {
    const { simulator, onboarding, temporal } = world;
    const { interviewId, token } = await simulator.openSession();
    // The finish takes effect, but its answer is ambiguous, and the next attempt comes much later.
    const fault = { operation: 'finishStatus', interviewId, kind: 'status', status: 500, effect: true } as const;
    simulator.fault({ ...fault, headers: { 'retry-after': '60' } });
    await onboarding.start({ interviewId, sessionToken: token });
    const waits = async () => (await onboarding.state(interviewId)).call?.nextAttemptAt ?? null;
    await expect.poll(waits).not.toBeNull();
    await temporal.workflowService.resetActivity({
      namespace: inject('temporalNamespace'),
      execution: { workflowId: onboardingWorkflowId(interviewId) },
      type: 'finishStatus',
      resetHeartbeat,
    });
    expect(await onboarding.result(interviewId)).toMatchObject({ finish: { confirmedBy: 'status' } });
    expect(simulator.effects(interviewId).finished).toBe(1);
  },
);
