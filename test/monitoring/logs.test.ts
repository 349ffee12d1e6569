import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { completeBatch, OnboardingClient } from '../../src/client/index.js';
import { BULK_TASK_QUEUE, batchWorkflowId, onboardingWorkflowId } from '../../src/contract/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { inCode, tableOf } from '../support/markdown.js';
import { type MonitoredWorker, spawnWorker } from '../support/monitored-worker.js';
import { API_KEY } from '../support/world.js';

let simulator: IncodeSimulator;
let worker: MonitoredWorker;
let connection: Connection;
let onboarding: OnboardingClient;
const batchId = `logs-${Date.now()}`;
const tokens: string[] = [];

beforeAll(async () => {
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  worker = spawnWorker(simulator.url, { LOG_LEVEL: 'trace' });
  connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection, namespace: inject('temporalNamespace') });
  onboarding = new OnboardingClient({ client, taskQueue: worker.taskQueue });
});
afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await connection?.close();
  await simulator?.close();
});

async function open() {
  const { interviewId, token } = await simulator.openSession();
  tokens.push(token);
  return { interviewId, sessionToken: token };
}

const ofActivities = () => worker.lines().filter(({ activityType }) => activityType !== undefined);

describe('the log of a worker process', () => {
  it('contains the ids of session and workflow, the activity and its attempt on every line of an activity', async () => {
    const session = await open();
    const { interviewId } = session;
    simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503 });
    await onboarding.start(session);
    expect(await onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
    const own = () => ofActivities().filter((line) => line.interviewId === interviewId);
    await expect.poll(() => own().filter(({ msg }) => msg === 'Activity completed').length).toBe(2);
    expect(own().find(({ level }) => level === 'warn')).toMatchObject({
      msg: 'Activity failed',
      activityType: 'finishStatus',
      attempt: 1,
      err: { message: expect.stringContaining('503') },
    });
    for (const line of own()) {
      expect(line).toMatchObject({
        workflowId: onboardingWorkflowId(interviewId),
        workflowRunId: expect.stringMatching(/^[\da-f-]{36}$/),
        activityType: expect.stringMatching(/^(finishStatus|score)$/),
        attempt: expect.any(Number),
        taskQueue: worker.taskQueue,
      });
    }
    expect(own().some(({ attempt }) => attempt === 2)).toBe(true);
  });

  it('contains the session id for a workflow with another id, once the activity has its input', async () => {
    const session = await open();
    const workflowId = `of-somebody/${session.interviewId}`;
    const { temporal } = onboarding;
    await temporal.workflow.execute('onboardingSession', { workflowId, taskQueue: worker.taskQueue, args: [session] });
    const completed = () =>
      ofActivities().filter((line) => line.workflowId === workflowId && line.msg === 'Activity completed');
    await expect.poll(() => completed().length).toBe(2);
    for (const { interviewId } of completed()) expect(interviewId).toBe(session.interviewId);
  });

  it('contains the batch id on every line of a batch, and an error that an operator must fix', async () => {
    const list = [await open(), await open()];
    simulator.fault({
      operation: 'finishStatus',
      interviewId: String(list[0]?.interviewId),
      kind: 'status',
      status: 403,
    });
    const items = completeBatch(onboarding, list, { batchId, taskQueue: worker.bulkTaskQueue });
    for await (const { outcome } of items) expect(outcome).toBe('approved');
    const own = () => ofActivities().filter((line) => line.batchId === batchId);
    await expect.poll(() => own().filter(({ msg }) => msg === 'Activity completed').length).toBeGreaterThan(1);
    expect(own().find(({ level }) => level === 'error')).toMatchObject({
      msg: expect.stringContaining('API key'),
      workflowId: batchWorkflowId(batchId, 0),
      attempt: 1,
    });
    expect(BULK_TASK_QUEUE).not.toBe(worker.bulkTaskQueue);
  });

  it('contains every field that docs/monitoring.md names', () => {
    const page = readFileSync(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');
    const fields = tableOf(page, 'field').flatMap((row) => inCode(String(row[0])));
    expect(fields.length).toBeGreaterThan(5);
    const there = new Set(worker.lines().flatMap((line) => Object.keys(line)));
    expect(fields.filter((field) => !there.has(field))).toEqual([]);
    // Lines of workflows have the run id under another name.
    const workflows = worker
      .lines()
      .filter(({ sdkComponent }) => sdkComponent === 'workflow' || sdkComponent === 'worker');
    const ofWorkflows = workflows.filter(({ workflowId, activityType }) => workflowId && !activityType);
    expect(ofWorkflows.length).toBeGreaterThan(0);
    for (const line of ofWorkflows) expect(line).toMatchObject({ runId: expect.any(String) });
  });

  it('each line is JSON with a level and a time, and contains no secret', () => {
    const lines = worker.log().trim().split('\n');
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        level: expect.any(String),
        time: expect.any(String),
        msg: expect.any(String),
      });
    }
    for (const line of ofActivities().filter(({ sdkComponent }) => sdkComponent !== 'core')) {
      expect(line.interviewId ?? line.batchId ?? line.workflowId, JSON.stringify(line)).toBeTruthy();
    }
    for (const secret of [API_KEY, ...tokens]) expect(worker.log().includes(secret)).toBe(false);
  });
});
