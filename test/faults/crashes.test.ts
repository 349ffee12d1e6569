import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import { OnboardingClient } from '../../src/client/index.js';
import { type IncodeSimulator, type LocalTemporalServer, startIncodeSimulator } from '../../src/testing/index.js';
import { fetchHistory, textWithoutInputs } from '../support/history.js';
import { startNewServer } from '../support/new-server.js';
import { API_KEY } from '../support/world.js';

// A separate server and worker process, because the tests kill both.

let directory: string;
let simulator: IncodeSimulator;
let server: LocalTemporalServer;
let worker: WorkerProcess;
let connection: Connection;
let onboarding: OnboardingClient;

const logFile = () => join(directory, 'worker.log');

async function startServer(port = 0): Promise<void> {
  server = await startNewServer({ port, dataDir: directory });
}

async function startWorker(): Promise<void> {
  const env = {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY: API_KEY,
    INCODE_SETTLE_TIME: '1s',
    TEMPORAL_ADDRESS: server.address,
  };
  worker = await startWorkerProcess(env, logFile());
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-crashes-'));
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  await startServer();
  await startWorker();
  connection = await Connection.connect({ address: server.address });
  onboarding = new OnboardingClient({ client: new Client({ connection }) });
});

afterEach(async () => {
  await worker.stop();
  await connection.close();
  await server.stop();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

async function expectNoSecrets(interviewId: string, token: string): Promise<void> {
  const history = textWithoutInputs(await fetchHistory(onboarding.temporal, interviewId));
  const log = await readFile(logFile(), 'utf8');
  expect(log).toContain('Worker ready');
  for (const text of [history, log]) {
    expect(text.includes(token), 'token').toBe(false);
    expect(text.includes(API_KEY), 'API key').toBe(false);
  }
}

describe('SIGKILL of a worker during a finish', () => {
  it.each([
    ['after the effect', true, 'status', 1],
    ['before the effect', false, 'response', 2],
  ] as const)(
    '%s: another worker completes the session and finishes it once',
    async (_, effect, confirmedBy, calls) => {
      const { interviewId, token } = await simulator.openSession();
      simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect });
      await onboarding.start({ interviewId, sessionToken: token });
      await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
      await worker.kill();
      await startWorker();
      const { outcome, finish } = await onboarding.result(interviewId);
      expect({ outcome, confirmedBy: finish?.confirmedBy }).toEqual({ outcome: 'approved', confirmedBy });
      expect(simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(calls);
      expect(simulator.effects(interviewId).finished).toBe(1);
      await expectNoSecrets(interviewId, token);
    },
  );
});

describe('SIGTERM of a worker during a finish', () => {
  it('the call ends, and another worker completes the session', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'latency', ms: 1_000 });
    await onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
    await worker.stop();
    await startWorker();
    expect(await onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'response' },
    });
    expect(simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(1);
  });
});

describe('SIGKILL of the Temporal server', () => {
  it('a session that waits for a retry continues after the server restarts', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({
      operation: 'finishStatus',
      interviewId,
      kind: 'status',
      status: 503,
      headers: { 'retry-after': '4' },
    });
    await onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await onboarding.state(interviewId)).call?.nextAttemptAt).toBeTruthy();
    const port = Number(server.address.split(':')[1]);
    await server.kill();
    await startServer(port);
    const { outcome, finish } = await onboarding.result(interviewId);
    expect({ outcome, confirmedBy: finish?.confirmedBy }).toEqual({ outcome: 'approved', confirmedBy: 'response' });
    expect(simulator.effects(interviewId).finished).toBe(1);
    await expectNoSecrets(interviewId, token);
  });

  it('a session is finished once if the worker is killed too during the finish', async () => {
    const { interviewId, token } = await simulator.openSession();
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true });
    await onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(() => simulator.effects(interviewId).finished).toBe(1);
    const port = Number(server.address.split(':')[1]);
    await Promise.all([server.kill(), worker.kill()]);
    await startServer(port);
    await startWorker();
    expect(await onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'status' },
    });
    expect(simulator.effects(interviewId).finished).toBe(1);
  });
});
