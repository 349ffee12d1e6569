import { Client, Connection } from '@temporalio/client';
import { OnboardingClient } from 'temporal-incode/client';
import { type IncodeSimulator, startIncodeSimulator, startLocalTemporalServer } from 'temporal-incode/testing';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { beforeAll, expect, it } from 'vitest';

let incode: IncodeSimulator;
let onboarding: OnboardingClient;

beforeAll(async () => {
  const { address, namespace, stop } = await startLocalTemporalServer({ onProgress: console.error });
  incode = await startIncodeSimulator();
  const config = readConfig({
    INCODE_BASE_URL: incode.url,
    INCODE_API_KEY: incode.apiKey,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
  });
  const worker = await createWorker(config);
  const running = worker.run();
  const connection = await Connection.connect({ address });
  onboarding = new OnboardingClient({ client: new Client({ connection, namespace }) });
  return async () => {
    worker.shutdown();
    await running;
    await connection.close();
    await incode.close();
    await stop();
  };
}, 120_000);

it('who passes is approved', async () => {
  const { interviewId, token } = await incode.openSession();
  const answer = await onboarding.finish({ interviewId, sessionToken: token });
  expect(answer?.action).toBe('approved');
  expect((await onboarding.result(interviewId)).outcome).toBe('approved');
});

it('who is in doubt is looked at by a person', async () => {
  const { interviewId, token } = await incode.openSession({ action: 'none', score: { status: 'WARN', value: '61.0' } });
  await onboarding.start({ interviewId, sessionToken: token });
  expect((await onboarding.result(interviewId)).outcome).toBe('needsReview');
});

it('an answer that is lost on the way does not finish a session twice', async () => {
  const { interviewId, token } = await incode.openSession();
  incode.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
  await onboarding.start({ interviewId, sessionToken: token });
  expect((await onboarding.result(interviewId)).outcome).toBe('approved');
  expect(incode.effects(interviewId).finished).toBe(1);
});
