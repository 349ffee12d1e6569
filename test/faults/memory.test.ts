import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { handleOf, until } from '../support/lifecycle.js';
import { spawnWorker } from '../support/monitored-worker.js';
import { API_KEY, startTestWorld } from '../support/world.js';

/** docs/worker.md gives a container 1 GB. Sessions in memory and tasks of batches come on top of what is measured here. */
const MAX_MB = 750;

const SESSIONS = 10;
const SIGNALS = 24;
/** Temporal's own limit is 2 MB. */
const SIGNAL = { onboardingStatus: 'X'.repeat(1_900_000) };

it('a worker survives sessions with 46 MB of signals each in the container that the documentation gives it', async () => {
  await using world = await startTestWorld();
  await using simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  const taskQueue = `memory-${Date.now()}`;
  const onboarding = new OnboardingClient({ client: world.temporal, taskQueue });
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => simulator.openSession()));
  for (const { interviewId, token } of sessions) {
    await onboarding.start({ interviewId, sessionToken: token });
    for (let sent = 0; sent < SIGNALS; sent += 1) await handleOf(world, interviewId).signal('statusChanged', SIGNAL);
  }

  await using worker = spawnWorker(simulator.url, { WORKER_TASK_QUEUE: taskQueue });
  await until(() => worker.log().includes('Worker ready'), true);
  for (const { interviewId } of sessions) {
    expect(await onboarding.result(interviewId, { timeoutMs: 300_000 })).toMatchObject({ outcome: 'approved' });
  }
  expect(maxResidentMb(worker.child.pid)).toBeLessThan(MAX_MB);
});

/** As Linux counts it since the process began. */
function maxResidentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}
