import { completeBatch } from 'temporal-incode/client';
import { startTestOnboarding } from 'temporal-incode/testing';
import { expect, inject, it } from 'vitest';

const server = () => ({ address: inject('temporalAddress'), namespace: inject('temporalNamespace') });

it('startTestOnboarding completes sessions on a shared server and leaves it running', async () => {
  const first = await startTestOnboarding({ server: server() });
  const second = await startTestOnboarding({ server: server() });
  const { interviewId, token } = await second.incode.openSession({ action: 'rejected' });
  const answer = await second.onboarding.finish({ interviewId, sessionToken: token });
  expect(answer?.action).toBe('rejected');
  expect(first.incode.calls).toEqual([]);
  await Promise.all([first.stop(), second.stop()]);
  await expect(fetch(second.incode.url)).rejects.toThrow();
  const third = await startTestOnboarding({ server: server(), worker: { INCODE_REVIEW_POLL: '2s' } });
  await third.stop();
});

it('completes a batch without any other option', async () => {
  const { onboarding, incode, stop } = await startTestOnboarding({ server: server() });
  const opened = await Promise.all([incode.openSession(), incode.openSession({ action: 'rejected' })]);
  const sessions = opened.map(({ interviewId, token }) => ({ interviewId, sessionToken: token }));
  const outcomes = [];
  for await (const { outcome } of completeBatch(onboarding, sessions, { plan: { score: false } }))
    outcomes.push(outcome);
  expect(outcomes).toEqual(['approved', 'rejected']);
  await stop();
});

it('startTestOnboarding names an invalid variable of the worker and leaves nothing running', async () => {
  const started = startTestOnboarding({ server: server(), worker: { INCODE_SETTLE_TIME: 'long' } });
  await expect(started).rejects.toThrow('INCODE_SETTLE_TIME');
});
