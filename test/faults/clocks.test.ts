import { afterEach, expect, it, vi } from 'vitest';
import { startWorld } from '../support/world.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('a worker whose clock is ahead by more than the settle time does not finish a session again', async () => {
  // The effect comes 2.5 s after the answer is lost: later than the first retry, sooner than the settle time.
  await using world = await startWorld({ simulator: { timeScale: 0.1 }, activities: { settleTimeMs: 3_000 } });
  const { interviewId, token } = await world.simulator.openSession();
  world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true, effectAfterMs: 2_500 });
  await world.onboarding.start({ interviewId, sessionToken: token, plan: { score: false } });
  await expect.poll(() => world.simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);

  const now = Date.now.bind(Date);
  const aMinuteAhead = vi.spyOn(Date, 'now').mockImplementation(() => now() + 60_000);
  await expect.poll(() => world.simulator.callsOf(interviewId, 'onboardingStatus').length).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  aMinuteAhead.mockRestore();

  const { finish } = await world.onboarding.result(interviewId);
  expect(finish?.confirmedBy).toBe('status');
  expect(world.simulator.effects(interviewId).finished).toBe(1);
});
