import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { BATCH_WORKFLOW, type BatchWorkflow } from '../../src/contract/index.js';
import { type LocalTemporalServer, startIncodeSimulator } from '../../src/testing/index.js';
import { environmentOf, readDockerfile } from '../support/dockerfile.js';
import { handleOf, until } from '../support/lifecycle.js';
import { memoryLimit } from '../support/memory-limit.js';
import { type MonitoredWorker, spawnWorker } from '../support/monitored-worker.js';
import { startNewServer } from '../support/new-server.js';
import { container, megabytes } from '../support/ops.js';
import { API_KEY, startTestWorld } from '../support/world.js';

const LIMIT_MB = megabytes(container('worker').resources.limits.memory);
/** The settings of the C library's allocator in the image. */
const [ALLOCATOR = {}] = (await readDockerfile()).slice(-1).map(environmentOf);

/** A worker that decodes the signals of ten such sessions is killed. `test/worker/options.test.ts` checks how many tasks it runs at a time. */
const SESSIONS = 10;
/** Below Temporal's limit of 50 MB for a history. */
const SIGNALS = 24;
/** Only for a test that hangs: a busy machine needs minutes to decode gigabytes. */
const TIMEOUT_MS = 1_000_000;
/** Below Temporal's limit of 2 MB for a payload. */
const SIGNAL = { onboardingStatus: 'X'.repeat(1_900_000) };

// A separate server for each test: the histories take gigabytes of its memory, which would burden the server of all other tests.
let server: LocalTemporalServer;
beforeEach(async () => {
  server = await startNewServer();
});
afterEach(() => server.stop());

it('a worker in the container of ops/kubernetes.yml survives sessions with 46 MB of signals each and a restart', async () => {
  await using world = await startTestWorld({ address: server.address });
  await using simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  const taskQueue = `memory-${Date.now()}`;
  const onboarding = new OnboardingClient({ client: world.temporal, taskQueue });
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => simulator.openSession()));
  const startHostile = async ({ interviewId, token }: (typeof sessions)[number]) => {
    await onboarding.start({ interviewId, sessionToken: token });
    for (let sent = 0; sent < SIGNALS; sent += 1) await handleOf(world, interviewId).signal('statusChanged', SIGNAL);
  };
  await Promise.all(sessions.map(startHostile));

  // A control group kills at its limit, like a container. On a machine without control groups only the peak is checked.
  using limit = memoryLimit(LIMIT_MB * 1_048_576);
  const start = () =>
    spawnWorker(
      simulator.url,
      { TEMPORAL_ADDRESS: server.address, WORKER_TASK_QUEUE: taskQueue, ...ALLOCATOR },
      limit?.command,
    );
  const completed = () => sessions.filter(({ interviewId }) => simulator.effects(interviewId).finished > 0).length;
  {
    await using worker = start();
    await survives(worker, () => until(() => completed() > 0, true, TIMEOUT_MS));
  }
  await using worker = start();
  await survives(worker, async () => {
    for (const { interviewId } of sessions) expect((await onboarding.result(interviewId)).outcome).toBe('approved');
  });
  // Resident memory includes mapped files, which the kernel takes back at the limit. So where there is a limit, survival is the proof.
  if (!limit) expect(peakMb(worker)).toBeLessThan(LIMIT_MB);
  expect(completed()).toBe(SESSIONS);
});

/** Decoded JSON takes up to twenty times its size: a worker that decodes every waiting signal of three such shards is killed. */
const NESTED = Array.from({ length: 630_000 }, () => []);

it('the worker survives shards with signals of nested lists, on the task queue that runs most tasks at a time', async () => {
  await using world = await startTestWorld({ address: server.address });
  await using simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const taskQueue = `nested-${Date.now()}`;
  const startHostile = async (shard: number) => {
    const input = { batchId: taskQueue, shard, sessions: [{ interviewId: 'any' }] };
    const options = { workflowId: `${taskQueue}/${shard}`, taskQueue, args: [input] as [typeof input] };
    const handle = await world.temporal.workflow.start<BatchWorkflow>(BATCH_WORKFLOW, options);
    for (let sent = 0; sent < SIGNALS; sent += 1) await handle.signal('resume', NESTED);
    return handle;
  };
  const shards = await Promise.all(Array.from({ length: 3 }, (_, shard) => startHostile(shard)));

  using limit = memoryLimit(LIMIT_MB * 1_048_576);
  await using worker = spawnWorker(
    simulator.url,
    { TEMPORAL_ADDRESS: server.address, WORKER_TASK_QUEUE: taskQueue, ...ALLOCATOR },
    limit?.command,
  );
  // The first run ends at once, because its history is long.
  const isPast = async ({ workflowId, firstExecutionRunId }: (typeof shards)[number]) =>
    (await world.temporal.workflow.getHandle(workflowId).describe()).runId !== firstExecutionRunId;
  const arePast = async () => (await Promise.all(shards.map(isPast))).every(Boolean);
  await survives(worker, () => until(arePast, true, TIMEOUT_MS));
  if (!limit) expect(peakMb(worker)).toBeLessThan(LIMIT_MB);
});

async function survives(worker: MonitoredWorker, work: () => Promise<void>): Promise<void> {
  const died = worker.ended.then(() => {
    throw new Error(`The worker died (${worker.child.exitCode ?? worker.child.signalCode}): ${worker.log()}`);
  });
  await Promise.race([work(), died]);
}

/** The highest resident memory since the process started, including mapped files. */
function peakMb({ child }: MonitoredWorker): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}
