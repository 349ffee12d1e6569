import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LocalTemporalServer } from '../../src/testing/index.js';
import { freePort } from '../../src/testing/server/process.js';
import { begin, expectSound, until, untilLooks } from '../support/lifecycle.js';
import { startNewServer } from '../support/new-server.js';
import { deliver, startWebhooks, type WebhooksProcess } from '../support/webhooks-process.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// A separate server, because the tests kill it or stop its answers.

const SECRET = 'a-secret-of-both-sides';
const HEADERS = { 'x-webhook-secret': SECRET };

let directory: string;
let server: LocalTemporalServer;
let world: TestWorld;
let receiver: WebhooksProcess;

async function startServer(port = 0): Promise<void> {
  server = await startNewServer({ port, dataDir: directory });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-webhooks-'));
  await startServer();
  // Incode's real retry schedule: nothing is sent again before a test moves the clock.
  world = await startTestWorld({ address: server.address, simulator: { timeScale: 1 } });
  receiver = await startWebhooks(['--task-queue', world.taskQueue], {
    TEMPORAL_ADDRESS: server.address,
    WEBHOOK_PORT: String(await freePort()),
    WEBHOOK_HEADER_SECRETS: SECRET,
    WEBHOOK_NOTIFY_TIMEOUT: '1s',
  });
  world.simulator.setWebhook({ url: receiver.delivery, headers: HEADERS });
});

afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Starts a session whose status has been read once. The next read is a quarter of an hour later. */
async function waiting(): Promise<string> {
  const { interviewId } = await begin(world, { plan: { finishWhen: 'processed' } });
  await untilLooks(world, interviewId, 1);
  // Waits until the server knows about the read. Otherwise it would repeat the read after a restart.
  await until(async () => (await world.onboarding.state(interviewId)).call?.nextAttemptAt != null, true);
  return interviewId;
}

async function health(path: 'healthz' | 'readyz'): Promise<number> {
  return (await fetch(`${receiver.url}/${path}`)).status;
}

const untilReady = (status: number) => expect.poll(() => health('readyz')).toBe(status);

it('the receiver answers 503 while Temporal is down, and all deliveries arrive after its restart', async () => {
  const { simulator, onboarding } = world;
  const sessions = await Promise.all(Array.from({ length: 5 }, waiting));
  const answersTo = (which: number) =>
    simulator.deliveries.filter(({ attempt }) => attempt === which).map(({ httpStatus }) => httpStatus);
  const port = Number(server.address.split(':')[1]);
  await server.kill();

  await untilReady(503);
  expect(await health('healthz')).toBe(200);
  for (const interviewId of sessions) simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
  await simulator.advanceTime(0);
  expect(answersTo(1)).toEqual(sessions.map(() => 503));
  await simulator.advanceTime(30_000);
  expect(answersTo(2)).toEqual(sessions.map(() => 503));

  await startServer(port);
  await untilReady(200);
  await simulator.advanceTime(75_000);
  expect(answersTo(3)).toEqual(sessions.map(() => 200));
  const results = await Promise.all(sessions.map((interviewId) => onboarding.result(interviewId)));
  expect(results.map(({ outcome }) => outcome)).toEqual(sessions.map(() => 'approved'));
  for (const interviewId of sessions) {
    expect(simulator.effects(interviewId).finished).toBe(1);
    await expectSound(world, interviewId);
  }
  await simulator.advanceTime(0);
  expect(simulator.deliveries.filter(({ lost }) => lost)).toEqual([]);
  const { code, counts } = await receiver.stop();
  expect(code).toBe(0);
  // On a busy machine a delivery may be tried more often.
  expect(counts.unavailable).toBeGreaterThanOrEqual(10);
});

it('the receiver answers 503 with Retry-After in time while Temporal does not answer', async () => {
  const interviewId = await waiting();
  process.kill(Number(server.pid), 'SIGSTOP');
  try {
    const answer = await deliver(receiver, { interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' }, HEADERS);
    expect(answer).toMatchObject({ status: 503, contentType: 'application/json', body: { success: false } });
    expect(await health('readyz')).toBe(503);
    expect(receiver.events().at(-1)).toMatchObject({ result: 'unavailable', interviewId });
  } finally {
    process.kill(Number(server.pid), 'SIGCONT');
  }
  await untilReady(200);
});

it('the receiver answers a delivery in flight before it exits after SIGTERM', async () => {
  const interviewId = await waiting();
  // Incode confirms what the delivery of this test says. The simulator sends none itself.
  world.simulator.setWebhook(null);
  world.simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
  process.kill(Number(server.pid), 'SIGSTOP');
  const answer = deliver(receiver, { interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' }, HEADERS);
  // The delivery is in flight when the receiver only waits for it.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stopped = receiver.stop();
  await expect.poll(() => health('healthz').catch(() => 'gone')).toBe('gone');
  process.kill(Number(server.pid), 'SIGCONT');
  expect((await answer).status).toBe(200);
  expect(await stopped).toMatchObject({ code: 0, counts: { delivered: 1 } });
  expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
});

it('the receiver exits with 0 after SIGTERM while Temporal is down and a delivery is being retried', async () => {
  const interviewId = await waiting();
  await server.kill();
  const body = { interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' };
  const answers = await Promise.all(Array.from({ length: 5 }, () => deliver(receiver, body, HEADERS)));
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
  expect(await receiver.stop()).toMatchObject({ code: 0, counts: { unavailable: 5 } });
  // Otherwise the worker would not end.
  await startServer(Number(server.address.split(':')[1]));
});
