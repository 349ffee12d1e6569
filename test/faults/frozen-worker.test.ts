import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import { type BatchItem, completeBatch, OnboardingClient } from '../../src/client/index.js';
import {
  type BatchSession,
  BULK_TASK_QUEUE,
  batchWorkflowId,
  captureWorkflowId,
  onboardingWorkflowId,
  TASK_QUEUE,
} from '../../src/contract/index.js';
import { type IncodeSimulator, type LocalTemporalServer, startIncodeSimulator } from '../../src/testing/index.js';
import { all as rowsOf } from '../support/batch.js';
import { jpeg } from '../support/images.js';
import { startNewServer } from '../support/new-server.js';
import { API_KEY } from '../support/world.js';

// Workers are real processes, because SIGSTOP freezes a whole process. Each test freezes a worker for longer than the heartbeat timeout.

let directory: string;
let simulator: IncodeSimulator;
let server: LocalTemporalServer;
let connection: Connection;
let onboarding: OnboardingClient;
let workers: WorkerProcess[];

async function startWorker(): Promise<WorkerProcess> {
  const env = {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY: API_KEY,
    INCODE_SETTLE_TIME: '7s',
    WORKER_SHUTDOWN_GRACE: '1s',
    INCODE_IMAGE_ROOTS: directory,
    INCODE_DOCUMENT_RATE_LIMIT: '100',
    INCODE_PROCESS_POLL: '200ms',
    TEMPORAL_ADDRESS: server.address,
  };
  const worker = await startWorkerProcess(env, join(directory, `worker-${workers.length}.log`));
  workers.push(worker);
  await Promise.all([TASK_QUEUE, BULK_TASK_QUEUE].map((taskQueue) => untilPolling(worker, taskQueue)));
  return worker;
}

/** Until the worker polls for activities. The server answers that poll even when the worker is frozen. */
async function untilPolling({ pid }: WorkerProcess, taskQueue: string): Promise<void> {
  const { workflowService, options } = onboarding.temporal;
  const polls = async () => {
    const { pollers } = await workflowService.describeTaskQueue({
      namespace: options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
    });
    return (pollers ?? []).some(({ identity }) => identity?.startsWith(`${pid}@`));
  };
  await expect.poll(polls).toBe(true);
}

/** Temporal's number for it. */
const TASK_QUEUE_TYPE_ACTIVITY = 2;

const freeze = ({ pid }: WorkerProcess) => process.kill(pid, 'SIGSTOP');
const wake = ({ pid }: WorkerProcess) => process.kill(pid, 'SIGCONT');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-frozen-'));
  // Incode's limit is 6 s then, below the settle time.
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.2 });
  server = await startNewServer({ dataDir: directory });
  connection = await Connection.connect({ address: server.address });
  onboarding = new OnboardingClient({ client: new Client({ connection }) });
  workers = [];
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await connection.close();
  await server.stop();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

async function openSessions(count: number): Promise<Required<Pick<BatchSession, 'interviewId' | 'sessionToken'>>[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => simulator.openSession()));
  return opened.map(({ interviewId, token }) => ({ interviewId, sessionToken: token }));
}

/** A status that is read while the other worker's request is in flight says "unfinished". */
function finishSlowly(): void {
  simulator.fault({ operation: 'finishStatus', kind: 'latency', ms: 3_000, times: null });
}

function timesFinished(sessions: BatchSession[]): number[] {
  return sessions.map(({ interviewId }) => simulator.effects(interviewId).finished);
}

/** Workflows whose activity the server has given to this worker. @param leastAttempt of the attempt that it holds */
async function heldBy({ pid }: WorkerProcess, handles: WorkflowHandle[], leastAttempt = 1): Promise<number[]> {
  const descriptions = await Promise.all(handles.map((handle) => handle.describe()));
  return descriptions.flatMap(({ raw }, index) =>
    (raw.pendingActivities ?? []).some(
      ({ lastWorkerIdentity, attempt = 1, state }) =>
        lastWorkerIdentity?.startsWith(`${pid}@`) &&
        (leastAttempt === 1 || (Number(attempt) >= leastAttempt && state === STARTED)),
    )
      ? [index]
      : [],
  );
}

/** `PENDING_ACTIVITY_STATE_STARTED` of Temporal's API. */
const STARTED = 2;

/** Until the worker that took over has sent a request for one of the sessions, and Incode is working on it. */
async function untilInFlight(sessions: BatchSession[]): Promise<void> {
  const ids = new Set(sessions.map(({ interviewId }) => interviewId));
  const inFlight = () =>
    simulator
      .callsOf(undefined, 'finishStatus')
      .some(({ httpStatus, interviewId }) => httpStatus === null && ids.has(interviewId ?? ''));
  await expect.poll(inFlight).toBe(true);
}

interface Begun {
  handles: WorkflowHandle[];
  ended: Promise<unknown>;
}

/**
 * Freezes an idle worker, starts another one, and then work, until the server has given some of it to the frozen one. The server drops the
 * polls of a frozen worker after a minute. On a busy machine the other worker may start too late, and is started again.
 *
 * @param begin starts new work
 * @returns the frozen worker, and the places of the workflows whose activity it holds
 */
async function freezeWithTasks(begin: () => Promise<Begun>): Promise<{ frozen: WorkerProcess; held: number[] }> {
  const frozen = await startWorker();
  for (;;) {
    freeze(frozen);
    const other = await startWorker();
    const { handles, ended } = await begin();
    let isOver = false;
    ended.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const held = await heldBy(frozen, handles).catch(() => []);
      if (held.length > 0) return { frozen, held };
      await sleep(50);
    }
    wake(frozen);
    await other.kill();
  }
}

it('single sessions are finished once when an idle worker is frozen with tasks in its socket', async () => {
  const sessions: Awaited<ReturnType<typeof openSessions>> = [];
  let latest: typeof sessions = [];
  const { frozen, held } = await freezeWithTasks(async () => {
    latest = await openSessions(20);
    sessions.push(...latest);
    // The oldest fault applies, and these come before the slow answers.
    simulator.clearFaults();
    // A retry goes to the worker that has polled for longest, not to the one that completed the workflow task.
    for (const { interviewId } of latest)
      simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503 });
    finishSlowly();
    for (const session of latest) await onboarding.start({ ...session, plan: { score: false } });
    const ids = latest.map(({ interviewId }) => interviewId);
    return {
      handles: ids.map((id) => onboarding.temporal.workflow.getHandle(onboardingWorkflowId(id))),
      ended: Promise.all(ids.map((id) => onboarding.result(id))),
    };
  });
  await untilInFlight(latest.filter((_, index) => held.includes(index)));
  wake(frozen);
  await Promise.all(sessions.map(({ interviewId }) => onboarding.result(interviewId)));
  expect(timesFinished(sessions)).toEqual(sessions.map(() => 1));
});

it('sessions of a batch are finished once when an idle worker is frozen with tasks in its socket', async () => {
  finishSlowly();
  const sessions: BatchSession[] = [];
  let latest: BatchSession[] = [];
  let rows: Promise<BatchItem[]> = Promise.resolve([]);
  const { frozen, held } = await freezeWithTasks(async () => {
    // More shards than one worker has slots for, so the other worker gets their activities.
    latest = await openSessions(100);
    const batchId = `frozen-idle-${sessions.length}`;
    sessions.push(...latest);
    rows = rowsOf(completeBatch(onboarding, latest, { batchId, shardSize: 10, plan: { score: false } }));
    const handles = Array.from({ length: 10 }, (_, shard) =>
      onboarding.temporal.workflow.getHandle(batchWorkflowId(batchId, shard)),
    );
    return { handles, ended: rows };
  });
  await untilInFlight(latest.filter((_, index) => held.includes(Math.floor(index / 10))));
  wake(frozen);
  expect((await rows).map(({ outcome }) => outcome)).toEqual(latest.map(() => 'approved'));
  expect(timesFinished(sessions)).toEqual(sessions.map(() => 1));
});

it('sessions are finished once when a busy worker is frozen', async () => {
  const [single, batched] = [await openSessions(10), await openSessions(120)];
  finishSlowly();
  const frozen = await startWorker();
  const items = rowsOf(
    completeBatch(onboarding, batched, { batchId: 'frozen-busy', shardSize: 30, plan: { score: false } }),
  );
  for (const session of single) await onboarding.start({ ...session, plan: { score: false } });
  const sent = () => simulator.callsOf(undefined, 'finishStatus').length;
  await expect.poll(sent).toBeGreaterThan(20);
  freeze(frozen);
  const before = sent();
  await startWorker();
  await expect.poll(sent).toBeGreaterThan(before);
  await sleep(500);
  wake(frozen);
  await Promise.all(single.map(({ interviewId }) => onboarding.result(interviewId)));
  await items;
  const sessions = [...single, ...batched];
  expect(timesFinished(sessions)).toEqual(sessions.map(() => 1));
});

it("a government's registry is asked once for each person when a worker is frozen with retries in its socket", async () => {
  await writeFile(join(directory, 'front.jpg'), jpeg());
  const frozen = await startWorker();
  await startWorker();
  const references = Array.from({ length: 10 }, (_, at) => `person-${at}`);
  // Long enough to freeze a worker before the first retry. Its polls are then still open.
  const refusal = { kind: 'status', status: 429, headers: { 'retry-after': '20' } } as const;
  for (const externalCustomerId of references)
    simulator.fault({ operation: 'governmentValidation', externalCustomerId, ...refusal });
  simulator.fault({ operation: 'governmentValidation', kind: 'latency', ms: 3_000, times: null });
  for (const reference of references) {
    const person = { reference, front: { uri: 'file:front.jpg' }, configurationId: 'flow' };
    await onboarding.people.start({ ...person, plan: { government: true, score: false } });
  }
  const asked = () => simulator.callsOf(undefined, 'governmentValidation');
  await expect.poll(() => asked().filter(({ httpStatus }) => httpStatus === 429).length).toBe(references.length);
  freeze(frozen);
  const handles = references.map((reference) => onboarding.temporal.workflow.getHandle(captureWorkflowId(reference)));
  await expect.poll(async () => (await heldBy(frozen, handles, 2)).length).toBeGreaterThan(0);
  const held = (await heldBy(frozen, handles, 2)).map((index) => `${references[index]}~`);
  // The other worker has taken over one of them, and Incode is working on its request.
  const inFlight = () =>
    asked().some(
      ({ httpStatus, externalCustomerId: id }) => httpStatus === null && held.some((of) => id?.startsWith(of)),
    );
  await expect.poll(inFlight).toBe(true);
  wake(frozen);
  const results = await Promise.all(references.map((reference) => onboarding.people.result(reference)));
  expect(results.map(({ onboarding: session }) => session?.outcome)).toEqual(references.map(() => 'approved'));
  const times = results.map(({ interviewId }) => simulator.captures(interviewId).processed.government);
  expect(times).toEqual(references.map(() => 1));
});
