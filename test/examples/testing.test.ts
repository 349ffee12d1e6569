import { startTestOnboarding, type TestOnboarding } from 'temporal-incode/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

let test: TestOnboarding;
beforeAll(async () => {
  test = await startTestOnboarding();
}, 120_000);
afterAll(() => test?.stop());

it('approves a person who passes', async () => {
  const { interviewId, token } = await test.incode.openSession();
  const answer = await test.onboarding.finish({ interviewId, sessionToken: token });
  expect(answer?.action).toBe('approved');
  expect((await test.onboarding.result(interviewId)).outcome).toBe('approved');
});

it('reports a doubtful score as needsReview', async () => {
  const { interviewId, token } = await test.incode.openSession({
    action: 'none',
    score: { status: 'WARN', value: '61.0' },
  });
  await test.onboarding.start({ interviewId, sessionToken: token });
  expect((await test.onboarding.result(interviewId)).outcome).toBe('needsReview');
});

it('does not finish a session twice when the answer got lost', async () => {
  const { interviewId, token } = await test.incode.openSession();
  test.incode.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
  await test.onboarding.start({ interviewId, sessionToken: token });
  expect((await test.onboarding.result(interviewId)).outcome).toBe('approved');
  expect(test.incode.effects(interviewId).finished).toBe(1);
});
