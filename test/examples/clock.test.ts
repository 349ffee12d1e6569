import { createIncodeClient } from 'temporal-incode/incode';
import { startIncodeSimulator } from 'temporal-incode/testing';
import { afterAll, expect, it } from 'vitest';

const DAY = 86_400_000;
const simulator = await startIncodeSimulator();
const incode = createIncodeClient({ baseUrl: simulator.url, apiKey: simulator.apiKey });
afterAll(async () => {
  await incode.close();
  await simulator.close();
});

const { interviewId, token } = await simulator.openSession({
  manualReview: { verdict: 'APPROVED', afterMs: 20 * DAY },
});
await incode.finishStatus({ interviewId, sessionToken: token });
await simulator.advanceTime(20 * DAY);
expect(simulator.session(interviewId).onboardingStatus).toBe('MANUAL_REVIEW_APPROVED');

it('advanceTime lets a manual review end after 20 days of simulated time', () => {
  expect(simulator.effects(interviewId).finished).toBe(1);
});
