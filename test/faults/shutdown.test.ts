import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { BATCH_WORKFLOW, type BatchWorkflow, batchWorkflowId } from '../../src/contract/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { API_KEY, openSessions, timesFinished } from '../support/world.js';

// Real worker processes that get SIGTERM while work is in flight. They must exit, other workers must continue their work, and no session
// may be finished twice.

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const STUCK = fileURLToPath(new URL('./stuck-worker.ts', import.meta.url));
interface Process {
  child: ChildProcess;
  output(): string;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

let simulator: IncodeSimulator;
let connection: Connection;
let temporal: Client;
let onboarding: OnboardingClient;
let taskQueue: string;
let processes: Process[] = [];

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  temporal = new Client({ connection, namespace: inject('temporalNamespace') });
});
afterAll(() => connection.close());

beforeEach(async () => {
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.1 });
  taskQueue = `shutdown-${randomUUID()}`;
  onboarding = new OnboardingClient({ client: temporal, taskQueue });
});
afterEach(async () => {
  for (const { child, ended } of processes) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  }
  processes = [];
  await simulator.close();
});

function start(args: string[], env: Record<string, string>): Process {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  const started = { child, output: () => output, ended };
  processes.push(started);
  return started;
}

const environment = (more: Record<string, string> = {}) => ({
  INCODE_BASE_URL: simulator.url,
  INCODE_API_KEY: API_KEY,
  INCODE_SETTLE_TIME: '3s',
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  TEMPORAL_NAMESPACE: inject('temporalNamespace'),
  WORKER_TASK_QUEUE: taskQueue,
  WORKER_BULK_TASK_QUEUE: `${taskQueue}-bulk`,
  WORKER_SHUTDOWN_GRACE: '1s',
  ...more,
});

async function startWorker(more: Record<string, string> = {}): Promise<Process> {
  const worker = start([MAIN, 'worker'], environment(more));
  await expect.poll(worker.output).toContain('Worker ready');
  return worker;
}

/** Starts a session and waits until its finish is in flight. */
async function finishing({ effect }: { effect: boolean }): Promise<string> {
  const { interviewId, token } = await simulator.openSession();
  simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect });
  await onboarding.start({ interviewId, sessionToken: token });
  await expect.poll(() => simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
  return interviewId;
}

it('SIGTERM ends a worker whose finishes outlast its grace period, and another worker finishes each session once', async () => {
  const bulk = { INCODE_BULK_CONNECTIONS: '8' };
  const worker = await startWorker(bulk);
  const sessions = await openSessions(simulator, 120);
  for (const { interviewId } of sessions) {
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'latency', ms: 400 });
  }
  const [finished, unfinished] = await Promise.all([finishing({ effect: true }), finishing({ effect: false })]);
  const batchId = randomUUID();
  const shard = await temporal.workflow.start<BatchWorkflow>(BATCH_WORKFLOW, {
    workflowId: batchWorkflowId(batchId, 0),
    taskQueue: `${taskQueue}-bulk`,
    args: [{ batchId, shard: 0, sessions, plan: { score: false } }],
  });
  const finishedInBatch = () => timesFinished(simulator, sessions).filter(Boolean).length;
  await expect.poll(finishedInBatch, { interval: 20 }).toBeGreaterThan(4);
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toEqual({ code: 0, signal: null });
  expect(finishedInBatch()).toBeLessThan(sessions.length);

  await startWorker(bulk);
  for (const [interviewId, confirmedBy, calls] of [
    [finished, 'status', 1],
    [unfinished, 'response', 2],
  ] as const) {
    expect(await onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', finish: { confirmedBy } });
    const operations = simulator.callsOf(interviewId).map(({ operation }) => operation);
    expect(operations.slice(0, 3)).toEqual(['onboardingStatus', 'finishStatus', 'onboardingStatus']);
    expect(simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(calls);
    expect(simulator.effects(interviewId).finished).toBe(1);
  }
  const { rows } = await shard.result();
  expect(rows.filter(({ outcome }) => outcome !== 'approved')).toEqual([]);
  expect(timesFinished(simulator, sessions)).toEqual(sessions.map(() => 1));
});

it('a second SIGTERM ends a worker at once, and another worker completes the session once', async () => {
  const worker = await startWorker({ WORKER_SHUTDOWN_GRACE: '10m' });
  const interviewId = await finishing({ effect: true });
  worker.child.kill('SIGTERM');
  await expect.poll(worker.output).toContain('"STOPPING"');
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toEqual({ code: null, signal: 'SIGTERM' });
  await startWorker();
  expect(await onboarding.result(interviewId)).toMatchObject({ finish: { confirmedBy: 'status' } });
  expect(simulator.effects(interviewId).finished).toBe(1);
});

it('SIGTERM ends a starting worker that waits for a server without an answer', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  try {
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const asked = once(silent, 'connection');
    const worker = start([MAIN, 'worker'], environment({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` }));
    await asked;
    worker.child.kill('SIGTERM');
    // Without the signal handling it would exit with 1 after half a minute.
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(worker.output()).toContain('Worker stopped before it was ready');
  } finally {
    silent.close();
  }
});

it('a worker abandons an activity that ignores its cancellation, and another worker completes the session', async () => {
  const worker = start(['--import', 'tsx', STUCK], environment());
  const { interviewId } = await simulator.openSession();
  await onboarding.start({ interviewId });
  await expect.poll(worker.output).toContain('asked');
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(1);
  expect(worker.output()).toContain('ShutdownTimeoutError');
  await startWorker({ INCODE_CONFIGURATION_ID: 'flow' });
  expect(await onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  expect(simulator.effects(interviewId).finished).toBe(1);
});
