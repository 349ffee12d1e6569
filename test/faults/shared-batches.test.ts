import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import { type BatchItem, completeBatch, OnboardingClient } from '../../src/client/index.js';
import type { BatchSession } from '../../src/contract/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { all, outcomes } from '../support/batch.js';
import { API_KEY, openSessions, timesFinished } from '../support/world.js';

// Batches that share sessions, on one task queue with two worker processes. Incode accepts a second finish and performs it. A process does
// not know what the other one has sent.

let directory: string;
let simulator: IncodeSimulator;
let connection: Connection;
let onboarding: OnboardingClient;
let workers: WorkerProcess[];
let queue: string;
let batches = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-shared-'));
  // Incode's own time limit, and therefore the settle time, are a tenth of the real ones.
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.1 });
  simulator.setBehavior({ secondFinish: 'repeated' });
  const address = inject('temporalAddress');
  connection = await Connection.connect({ address });
  onboarding = new OnboardingClient({ client: new Client({ connection, namespace: inject('temporalNamespace') }) });
  simulator.fault({ operation: 'finishStatus', kind: 'latency', ms: 50, times: null });
  queue = `shared-${process.pid}`;
  workers = await Promise.all([startWorker(), startWorker()]);
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await connection.close();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

function startWorker(): Promise<WorkerProcess> {
  const env = {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY: API_KEY,
    INCODE_BULK_CONNECTIONS: '8',
    INCODE_SETTLE_TIME: '3s',
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: inject('temporalNamespace'),
    WORKER_TASK_QUEUE: `${queue}-single`,
    WORKER_BULK_TASK_QUEUE: queue,
  };
  return startWorkerProcess(env, join(directory, 'workers.log'));
}

const SESSIONS = 120;
/** Small, so that both processes work on each batch. */
const SHARD_SIZE = 15;

type Order = (sessions: BatchSession[]) => BatchSession[];

function complete(sessions: BatchSession[]): Promise<BatchItem[]> {
  batches += 1;
  const options = { batchId: `${queue}-${batches}`, taskQueue: queue, plan: { score: false }, shardSize: SHARD_SIZE };
  return all(completeBatch(onboarding, sessions, options));
}

/** @param meanwhile what happens when a third of the sessions is finished */
async function completeTogether(orders: Order[], meanwhile?: () => Promise<void>): Promise<void> {
  const sessions = await openSessions(simulator, SESSIONS);
  const completions = orders.map((order) => complete(order([...sessions])));
  if (meanwhile) {
    await expect.poll(() => timesFinished(simulator, sessions).filter(Boolean).length).toBeGreaterThan(SESSIONS / 3);
    await meanwhile();
  }
  for (const items of await Promise.all(completions)) expect(outcomes(items)).toEqual(sessions.map(() => 'approved'));
  expect(timesFinished(simulator, sessions)).toEqual(sessions.map(() => 1));
}

const asListed: Order = (sessions) => sessions;
const reversed: Order = (sessions) => sessions.reverse();
/** Each shard of it shares sessions with every shard of the others. */
const shuffled: Order = (sessions) =>
  sessions.sort((one, other) => (one.interviewId.slice(-6) < other.interviewId.slice(-6) ? -1 : 1));

describe('batches with the same sessions that start at the same moment on two worker processes', () => {
  it('two batches with the same list finish each session once', () => completeTogether([asListed, asListed]));

  it('two batches with the list in different orders finish each session once', () =>
    completeTogether([asListed, reversed]));

  it('three batches whose shards all share sessions finish each session once', () =>
    completeTogether([asListed, reversed, shuffled]));

  it('two batches finish each session once if a worker is killed meanwhile', () =>
    completeTogether([asListed, reversed], async () => {
      await workers.shift()?.kill();
      workers.push(await startWorker());
    }));
});
