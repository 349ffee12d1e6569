import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import { type BatchItem, completeBatch, OnboardingClient } from '../../src/client/index.js';
import { type IncodeSimulator, type SimulatorBehavior, startIncodeSimulator } from '../../src/testing/index.js';
import { all } from '../support/batch.js';
import { API_KEY, type OpenedSession, openSessions, timesFinished } from '../support/world.js';

// Two batches with the same sessions, each on a worker process and a task queue of its own. Claims do not reach from one task queue to another, and
// the processes do not know of each other's requests.

let directory: string;
let simulator: IncodeSimulator;
let connection: Connection;
let onboarding: OnboardingClient;
let workers: WorkerProcess[];
let queues: string[];
let batches = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-two-'));
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const address = inject('temporalAddress');
  const namespace = inject('temporalNamespace');
  connection = await Connection.connect({ address });
  onboarding = new OnboardingClient({ client: new Client({ connection, namespace }) });
  queues = ['first', 'second'].map((name) => `two-${process.pid}-${name}`);
  workers = await Promise.all(
    queues.map((queue) =>
      startWorkerProcess(
        {
          INCODE_BASE_URL: simulator.url,
          INCODE_API_KEY: API_KEY,
          INCODE_BULK_CONNECTIONS: '8',
          TEMPORAL_ADDRESS: address,
          TEMPORAL_NAMESPACE: namespace,
          WORKER_TASK_QUEUE: `${queue}-single`,
          WORKER_BULK_TASK_QUEUE: queue,
        },
        join(directory, `${queue}.log`),
      ),
    ),
  );
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await connection.close();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

function complete(sessions: OpenedSession[], taskQueue: string): Promise<BatchItem[]> {
  batches += 1;
  const options = { batchId: `${taskQueue}-${batches}`, taskQueue, plan: { score: false } };
  return all(completeBatch(onboarding, sessions, options));
}

/** Sessions of which the first batch has finished none, and some. */
const BEGINNINGS = { 'at the same moment': 0, 'while the first is under way': 60 };

describe.each(Object.entries(BEGINNINGS))(
  'two batches with the same sessions, the second one started %s,',
  (_, after) => {
    async function completeTwice(behavior: Partial<SimulatorBehavior>): Promise<OpenedSession[]> {
      simulator.setBehavior(behavior);
      simulator.clearFaults();
      simulator.fault({ operation: 'finishStatus', kind: 'latency', ms: 25, times: null });
      const sessions = await openSessions(simulator, 300);
      const [first = '', second = ''] = queues;
      const one = complete(sessions, first);
      await expect.poll(() => timesFinished(simulator, sessions).filter(Boolean).length).toBeGreaterThanOrEqual(after);
      const two = complete(sessions, second);
      for (const items of await Promise.all([one, two])) {
        // A session that the other batch has finished is a result.
        expect(items.map(({ outcome, failure }) => outcome ?? failure?.type)).toEqual(sessions.map(() => 'approved'));
      }
      return sessions;
    }

    it('two batches finish each session once if Incode refuses a second finish', async () => {
      const sessions = await completeTwice({ secondFinish: 'refused' });
      expect(timesFinished(simulator, sessions)).toEqual(sessions.map(() => 1));
    });

    it('two batches finish a session twice only if both have read its status before either finished it', async () => {
      const sessions = await completeTwice({ secondFinish: 'repeated' });
      for (const { interviewId } of sessions) {
        const finishedAt = simulator.callsOf(interviewId, 'finishStatus').map(({ effectAt }) => effectAt ?? 0);
        const looks = simulator
          .callsOf(interviewId, 'onboardingStatus')
          .filter(({ at }) => at <= Math.min(...finishedAt));
        expect(finishedAt.length).toBeLessThanOrEqual(Math.min(2, looks.length));
        expect(simulator.effects(interviewId).finished).toBe(finishedAt.length);
      }
      // Those that the first batch had finished by then are not among them.
      const twice = timesFinished(simulator, sessions).filter((times) => times > 1).length;
      expect(twice).toBeLessThanOrEqual(sessions.length - after);
    });
  },
);
