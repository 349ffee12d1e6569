import { expect } from 'vitest';
import type { World } from '../support/world.js';

/** One for every path through the workflow. Each returns the session whose history is kept. */
export const SCENARIOS: Record<string, (world: World) => Promise<string>> = {
  async approved(world) {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async 'without-score'(world) {
    const { interviewId, token } = await world.simulator.openSession({ action: 'none' });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async closed(world) {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { close: true } });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async 'early-answer'(world) {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.finish({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async 'answer-lost'(world) {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async expired(world) {
    const { interviewId, token } = await world.simulator.openSession({ onboardingStatus: 'EXPIRED' });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async refused(world) {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await world.onboarding.result(interviewId).catch(() => undefined);
    return interviewId;
  },

  async 'token-renewed'(world) {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.revokeTokens(interviewId);
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await world.onboarding.result(interviewId);
    return interviewId;
  },

  async cancelled(world) {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    await world.onboarding.cancel(interviewId);
    await world.onboarding.result(interviewId).catch(() => undefined);
    return interviewId;
  },
};
