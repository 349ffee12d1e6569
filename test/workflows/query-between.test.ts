import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createBulkActivities, createIncodeActivities } from '../../src/activities/index.js';
import { completeBatch, OnboardingClient } from '../../src/client/index.js';
import { BATCH_QUERIES, batchWorkflowId, onboardingWorkflowId, QUERIES } from '../../src/contract/index.js';
import { createIncodeClient } from '../../src/incode/index.js';
import { type IncodeSimulator, passTime, startIncodeSimulator } from '../../src/testing/index.js';
import { all, outcomes } from '../support/batch.js';
import { failedTasks } from '../support/history.js';
import { API_KEY, WORKFLOW_BUNDLE } from '../support/world.js';

// No worker runs, a query arrives, and a timer fires. The next worker may answer the query before it runs the workflow task. It then runs
// the workflow code on the timer's event with the time of the previous task, and keeps the state.

const taskQueue = `query-between-${randomUUID()}`;
const namespace = inject('temporalNamespace');
let simulator: IncodeSimulator;
let native: NativeConnection;
let connection: Connection;
let temporal: Client;

beforeAll(async () => {
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  native = await NativeConnection.connect({ address: inject('temporalAddress') });
  connection = await Connection.connect({ address: inject('temporalAddress') });
  temporal = new Client({ connection, namespace });
});
afterAll(async () => {
  await native.close();
  await connection.close();
  await simulator.close();
});

async function startWorker(): Promise<() => Promise<void>> {
  const incode = createIncodeClient({ baseUrl: simulator.url, apiKey: API_KEY });
  const options = { incode, settleTimeMs: 400 };
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowBundle: WORKFLOW_BUNDLE,
    activities: { ...createIncodeActivities(options), ...createBulkActivities(options) },
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await incode.close();
  };
}

/** @returns the number of timers of a workflow that have fired */
async function fired(workflowId: string): Promise<number> {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
  return events?.filter(({ timerFiredEventAttributes }) => timerFiredEventAttributes).length ?? 0;
}

it('a workflow stays deterministic when a query arrives between a fired timer and its workflow task', async () => {
  const onboarding = new OnboardingClient({ client: temporal, taskQueue });
  const endFirst = await startWorker();
  const opened = await Promise.all(Array.from({ length: 15 }, () => simulator.openSession()));
  const waiting = opened.slice(0, 10).map(({ interviewId }) => onboardingWorkflowId(interviewId));
  for (const { interviewId, token } of opened.slice(0, 10)) {
    const plan = { finishWhen: 'asked', captureDeadline: '10m' } as const;
    await onboarding.start({ interviewId, sessionToken: token, plan });
  }
  // Too few failures to open the worker's circuit breaker, which would delay the other batches.
  const batches = opened.slice(10).map(({ interviewId, token }) => {
    const headers = { 'retry-after': '600' };
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, headers });
    const batchId = `batch-${randomUUID()}`;
    const session = { interviewId, sessionToken: token };
    const items = all(completeBatch(onboarding, [session], { batchId, taskQueue, plan: { score: false } }));
    return { workflowId: batchWorkflowId(batchId, 0), items };
  });
  const postponed = batches.map(({ workflowId }) => temporal.workflow.getHandle(workflowId));
  const waitingOf = () =>
    Promise.all(
      postponed.map(async (shard) => (await shard.query<{ waiting: number }>(BATCH_QUERIES.progress)).waiting),
    );
  await expect.poll(() => waitingOf().catch(() => [])).toEqual(batches.map(() => 1));
  await endFirst();

  const asked = [
    ...waiting.map((workflowId) => temporal.workflow.getHandle(workflowId).query(QUERIES.state)),
    ...postponed.map((shard) => shard.query(BATCH_QUERIES.progress)),
  ].map((answer) => answer.catch(() => undefined));
  const workflowIds = [...waiting, ...batches.map(({ workflowId }) => workflowId)];
  const passing = workflowIds.map((workflowId) => passTime(temporal, workflowId, '10 minutes'));
  const haveFired = async () => Math.min(...(await Promise.all(workflowIds.map(fired))));
  await expect.poll(haveFired).toBe(1);
  const endSecond = await startWorker();
  await Promise.all(asked);

  const expired = await Promise.all(opened.slice(0, 10).map(({ interviewId }) => onboarding.result(interviewId)));
  expect(expired.map(({ outcome }) => outcome)).toEqual(waiting.map(() => 'expired'));
  for (const { items } of batches) expect(outcomes(await items)).toEqual(['approved']);
  await Promise.all(passing);
  await endSecond();
  for (const workflowId of workflowIds) {
    const history = await temporal.workflow.getHandle(workflowId).fetchHistory();
    expect(failedTasks(history)).toEqual([]);
    await Worker.runReplayHistory({ workflowBundle: WORKFLOW_BUNDLE }, history);
  }
});
