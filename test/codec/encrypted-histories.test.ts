import { randomBytes, randomUUID } from 'node:crypto';
import {
  type ConnectedOnboardingClient,
  completeBatch,
  connectOnboardingClient,
  SessionFailedError,
  startMany,
} from 'temporal-incode/client';
import { keyRing } from 'temporal-incode/codec';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { textOf } from '../support/history.js';
import { finishElsewhere } from '../support/lifecycle.js';
import { API_KEY, workerEnvironment } from '../support/world.js';

const KEYS = `test:${randomBytes(32).toString('base64')}`;
const REDIRECTION = 'https://bank.example/welcome?name=Jane-Roe-of-Nowhere';

let simulator: IncodeSimulator;
let onboarding: ConnectedOnboardingClient;
const ends: (() => Promise<unknown>)[] = [];
const taskQueue = `encrypted-${randomUUID()}`;

beforeAll(async () => {
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  onboarding = await startWorker(taskQueue);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
  await simulator.close();
});

/** @returns a client of the worker */
async function startWorker(queue: string, env: Record<string, string> = {}): Promise<ConnectedOnboardingClient> {
  const worker = await createWorker(
    readConfig({
      ...workerEnvironment(simulator.url, queue),
      INCODE_SETTLE_TIME: '400ms',
      INCODE_FINISH_TIMEOUT: '1s',
      TEMPORAL_INCODE_ENCRYPTION_KEYS: KEYS,
      ...env,
    }),
  );
  const running = worker.run();
  const client = await connectOnboardingClient({
    address: inject('temporalAddress'),
    namespace: inject('temporalNamespace'),
    taskQueue: queue,
    encryptionKeys: keyRing(KEYS),
  });
  ends.push(async () => {
    worker.shutdown();
    await running;
    await client.close();
  });
  return client;
}

/** Everything that the server stores about a workflow, as text: its history and the answer of `describe`. */
async function everything(workflowId: string): Promise<string> {
  const handle = onboarding.temporal.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  const { raw } = await handle.describe();
  return textOf([events, raw]);
}

async function expectNothingIn(workflowId: string, secrets: string[]): Promise<string> {
  const text = await everything(workflowId);
  expect(text.includes('encryption-key-id')).toBe(true);
  // The last five appear in failures and results. Compared as a list, because a failure would print the whole history.
  const sought = [
    API_KEY,
    REDIRECTION,
    'Jane-Roe',
    ...secrets,
    'answered 4',
    'answered 5',
    'confirmedBy',
    'sessionToken',
  ];
  expect(sought.filter((secret) => text.includes(secret))).toEqual([]);
  // No JWT at all, including those that only Incode and the worker have seen.
  expect(text.match(/eyJ[\w-]{8,}\.eyJ/)?.index).toBeUndefined();
  return text;
}

it('a history without encryption contains the token, so the tests below would find it', async () => {
  const { interviewId, token } = await simulator.openSession();
  const plain = await connectOnboardingClient({
    address: inject('temporalAddress'),
    namespace: inject('temporalNamespace'),
    taskQueue: `of-nobody-${randomUUID()}`,
  });
  await plain.start({ interviewId, sessionToken: token });
  const text = await everything(onboardingWorkflowId(interviewId));
  expect([token, 'sessionToken'].filter((secret) => !text.includes(secret))).toEqual([]);
  await plain.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).terminate();
  await plain.close();
});

it('encrypts the history of a session with outages, a lost answer, a new token, webhooks and a review', async () => {
  const spec = { redirectionUrl: REDIRECTION, score: { status: 'WARN', value: '61.0' } };
  const { interviewId, token } = await simulator.openSession(spec);
  simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 500 });
  simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 401 });
  await onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked', review: 'wait' } });
  await onboarding.statusChanged({ interviewId, onboardingStatus: 'ID_VALIDATION_FINISHED' });
  await onboarding.extendDeadline(interviewId, '7 days');
  const finishing = onboarding.finish({ interviewId });
  await expect.poll(async () => (await onboarding.state(interviewId)).state?.stage).toBe('needsToken');
  const fresh = await simulator.issueToken(interviewId);
  await onboarding.renewToken(interviewId, fresh);
  expect(await finishing).toMatchObject({ action: 'approved', redirectionUrl: REDIRECTION });
  await expect.poll(async () => (await onboarding.state(interviewId)).state?.stage).toBe('inReview');
  simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
  await onboarding.statusChanged({ interviewId, onboardingStatus: 'MANUAL_REVIEW_APPROVED' });
  expect(await onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  await expectNothingIn(onboardingWorkflowId(interviewId), [token, fresh]);
});

it('encrypts the failure of a session that Incode refuses, and its caller can read it', async () => {
  const { interviewId, token } = await simulator.openSession();
  simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 400 });
  await onboarding.start({ interviewId, sessionToken: token });
  const failure = await onboarding.result(interviewId).catch((error) => error);
  expect(failure).toBeInstanceOf(SessionFailedError);
  expect(failure.message).toMatch(/answered 400/);
  const text = await expectNothingIn(onboardingWorkflowId(interviewId), [token]);
  expect(text.includes('Encoded failure')).toBe(true);
});

it('encrypts the last failure of a call that is being retried', async () => {
  const { interviewId, token } = await simulator.openSession();
  simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: null });
  await onboarding.start({ interviewId, sessionToken: token });
  const lastFailure = async () => (await onboarding.state(interviewId)).call?.lastFailure?.message;
  await expect.poll(lastFailure).toMatch(/answered 503/);
  const text = await expectNothingIn(onboardingWorkflowId(interviewId), [token]);
  expect(text).toContain('pendingActivities');
  await onboarding.cancel(interviewId);
});

it('tells a client with no keys or other keys what is missing', async () => {
  const { interviewId, token } = await simulator.openSession();
  await onboarding.start({ interviewId, sessionToken: token });
  await onboarding.result(interviewId);
  const waiting = await simulator.openSession();
  await onboarding.start({
    interviewId: waiting.interviewId,
    sessionToken: waiting.token,
    plan: { finishWhen: 'asked' },
  });
  const here = { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
  const without = await connectOnboardingClient(here);
  const other = await connectOnboardingClient({
    ...here,
    encryptionKeys: keyRing([{ id: 'other', key: randomBytes(32) }]),
  });
  try {
    for (const ask of [
      () => without.result(interviewId),
      () => without.state(interviewId),
      // A running session, where the error must not be that no worker answers.
      () => without.state(waiting.interviewId),
    ]) {
      await expect(ask()).rejects.toThrow(
        /encrypted, and this process has no keys\. Set TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE/,
      );
    }
    await expect(other.result(interviewId)).rejects.toThrow(
      /encrypted with key "test", which is not among the keys here/,
    );
  } finally {
    await Promise.all([without.close(), other.close()]);
  }
});

it('encrypts sessions that expire, are cancelled, or are started by a webhook, in bulk or without a token', async () => {
  const open = (spec = {}) => simulator.openSession({ redirectionUrl: REDIRECTION, ...spec });
  const [expired, cancelled, told, many, without] = await Promise.all([
    open(),
    open(),
    open({ processedAfterMs: null }),
    open(),
    open(),
  ]);
  const asked = { finishWhen: 'asked' } as const;
  await onboarding.start({ interviewId: expired.interviewId, sessionToken: expired.token, plan: asked });
  simulator.setOnboardingStatus(expired.interviewId, 'EXPIRED');
  await onboarding.statusChanged({ interviewId: expired.interviewId, onboardingStatus: 'EXPIRED' });
  expect(await onboarding.result(expired.interviewId)).toMatchObject({ outcome: 'expired' });

  await onboarding.start({ interviewId: cancelled.interviewId, sessionToken: cancelled.token, plan: asked });
  await onboarding.cancel(cancelled.interviewId);
  await expect(onboarding.result(cancelled.interviewId)).rejects.toThrow(SessionFailedError);

  const start = { sessionToken: told.token, plan: { finishWhen: 'processed' } } as const;
  await finishElsewhere({ simulator }, told.interviewId);
  await onboarding.statusChanged({ interviewId: told.interviewId, onboardingStatus: 'ONBOARDING_FINISHED' }, start);
  expect(await onboarding.result(told.interviewId)).toMatchObject({ outcome: 'approved' });

  const started = startMany(onboarding, [{ interviewId: many.interviewId, sessionToken: many.token }]);
  for await (const item of started) expect(item).toMatchObject({ interviewId: many.interviewId });
  expect(await onboarding.result(many.interviewId)).toMatchObject({ outcome: 'approved' });

  await onboarding.start({ interviewId: without.interviewId });
  await expect.poll(async () => (await onboarding.state(without.interviewId)).state?.stage).toBe('needsToken');
  await onboarding.renewToken(without.interviewId, without.token);
  expect(await onboarding.result(without.interviewId)).toMatchObject({ outcome: 'approved' });

  for (const { interviewId, token } of [expired, cancelled, told, many, without])
    await expectNothingIn(onboardingWorkflowId(interviewId), [token]);
});

it('encrypts a session whose worker re-issues its token', async () => {
  const renewing = await startWorker(`${taskQueue}-renewing`, { INCODE_CONFIGURATION_ID: 'flow' });
  const { interviewId } = await simulator.openSession({ redirectionUrl: REDIRECTION });
  await renewing.start({ interviewId });
  expect(await renewing.result(interviewId)).toMatchObject({ outcome: 'approved' });
  expect(await expectNothingIn(onboardingWorkflowId(interviewId), [])).toContain('reissueToken');
});

it('encrypts the history of a batch', async () => {
  const opened = await Promise.all([
    simulator.openSession({ redirectionUrl: REDIRECTION }),
    simulator.openSession(),
    simulator.openSession(),
  ]);
  simulator.fault({
    operation: 'finishStatus',
    interviewId: opened[1]?.interviewId ?? '',
    kind: 'status',
    status: 400,
  });
  simulator.fault({
    operation: 'finishStatus',
    interviewId: opened[2]?.interviewId ?? '',
    kind: 'status',
    status: 503,
  });
  const sessions = opened.map(({ interviewId, token }) => ({ interviewId, sessionToken: token }));
  const batchId = `encrypted-${randomUUID()}`;
  const outcomes: (string | undefined)[] = [];
  for await (const item of completeBatch(onboarding, sessions, { batchId, taskQueue: `${taskQueue}-bulk` })) {
    outcomes.push(item.outcome ?? item.failure?.type);
  }
  expect(outcomes).toEqual(['approved', 'IncodeBadRequest', 'approved']);
  await expectNothingIn(
    `incode-batch/${batchId}/0`,
    opened.map(({ token }) => token),
  );
});
