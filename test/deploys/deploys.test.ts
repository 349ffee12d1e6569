import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import { OnboardingClient } from '../../src/client/index.js';
import {
  ANSWER_WORKFLOW,
  answerWorkflowId,
  BATCH_QUERIES,
  BATCH_SIGNALS,
  BATCH_WORKFLOW,
  type BatchProgress,
  type BatchWorkflow,
  BULK_TASK_QUEUE,
  batchWorkflowId,
  captureWorkflowId,
  type OnboardingInput,
} from '../../src/contract/index.js';
import { type IncodeSimulator, type LocalTemporalServer, startIncodeSimulator } from '../../src/testing/index.js';
import { run } from '../support/cli.js';
import { buildsOf, commandsOf, runCommands, sessionBuildsOf } from '../support/deployment.js';
import { jpeg } from '../support/images.js';
import { startNewServer } from '../support/new-server.js';
import { API_KEY } from '../support/world.js';

// The commands of docs/deploys.md in their order, on a separate server. Each test continues where the one before stopped.

const OLD = '1.4.0';
const NEW = '1.5.0';
const PERSON = 'in-completing';
const ANSWER = answerWorkflowId('no-token', 'request');

const FIRST = await commandsOf('deploys', 'The first version');
const NEXT = await commandsOf('deploys', 'The next version');
const BACK = await commandsOf('deploys', 'Going back');
const OFF = await commandsOf('deploys', 'Turning the old version off');

let directory: string;
let simulator: IncodeSimulator;
let server: LocalTemporalServer;
let connection: Connection;
let temporal: Client;
let onboarding: OnboardingClient;
const workers: Record<string, WorkerProcess> = {};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-deploys-'));
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  server = await startNewServer({
    // The defaults are minutes.
    dynamicConfig: {
      'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '"2s"',
      'matching.wv.VersionDrainageStatusRefreshInterval': '"1s"',
    },
  });
  connection = await Connection.connect({ address: server.address });
  temporal = new Client({ connection });
  onboarding = new OnboardingClient({ client: temporal });
});

afterAll(async () => {
  for (const worker of Object.values(workers)) await worker.stop();
  await connection.close();
  await server.stop();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

const environment = () => ({
  INCODE_BASE_URL: simulator.url,
  INCODE_API_KEY: API_KEY,
  TEMPORAL_ADDRESS: server.address,
  WORKER_NEXUS_TASK_QUEUE: 'incode-nexus',
  INCODE_IMAGE_ROOTS: directory,
  WORKER_SHUTDOWN_GRACE: '1s',
});

async function startWorker(build: string): Promise<void> {
  const env = { ...environment(), WORKER_DEPLOYMENT_NAME: 'incode-onboarding', WORKER_BUILD_ID: build };
  workers[build] = await startWorkerProcess(env, join(directory, `${build}.log`));
  // The server knows a version once its workers have polled every task queue.
  const described = `temporal worker deployment describe-version --deployment-name incode-onboarding --build-id ${build}`;
  const queues = async () => (await runCommands([described], server.address).catch(() => '')).match(/^ +incode-/gm);
  await expect.poll(async () => (await queues())?.length).toBe(13);
}

const temporalCommands = (commands: string[] | undefined) => runCommands(commands ?? [], server.address);

async function begin(interviewId: string, plan: OnboardingInput['plan'] = {}): Promise<void> {
  const { token } = await simulator.openSession({ interviewId });
  await onboarding.start({ interviewId, sessionToken: token, plan });
}

async function doctored(name: string): Promise<{ status: string; message: string; todo?: string } | undefined> {
  const { stdout } = await run(['doctor', '--json'], '', environment());
  return JSON.parse(stdout).checks.find((check: { name: string }) => check.name === name);
}

const builds = (interviewId: string) => sessionBuildsOf(temporal, interviewId);

async function outcomeOf(interviewId: string): Promise<string | null> {
  return (await onboarding.result(interviewId)).outcome;
}

/** Sends a webhook and returns the builds. Callers repeat it, because a task right after a change may not know about it. */
async function buildsWhenTold(interviewId: string): Promise<(string | undefined)[]> {
  await onboarding.statusChanged({ interviewId, onboardingStatus: 'ID_VALIDATION_FINISHED' });
  return builds(interviewId);
}

/** Incode has processed the session, and confirms the webhook. */
async function processed(interviewId: string): Promise<void> {
  simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
  await onboarding.statusChanged({ interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' });
}

describe('the deploys in docs/deploys.md', () => {
  it('a version that is not current gets no session, and doctor reports that', async () => {
    await startWorker(OLD);
    await begin('first');
    await expect
      .poll(() => doctored('version'))
      .toMatchObject({
        status: 'failed',
        message: expect.stringContaining('no current version in deployment incode-onboarding'),
        todo: expect.stringContaining(`--deployment-name incode-onboarding --build-id ${OLD}`),
      });
    expect(simulator.callsOf('first')).toEqual([]);
  });

  it('the first version becomes current and completes the waiting session', async () => {
    expect(FIRST).toHaveLength(1);
    expect(await temporalCommands(FIRST[0])).toMatch(new RegExp(`CurrentVersionBuildID +${OLD}`));
    expect(await outcomeOf('first')).toBe('approved');
    expect(await builds('first')).toEqual([OLD]);
    await expect.poll(() => doctored('version')).toMatchObject({ status: 'ok' });
    await expect.poll(() => doctored('bulk version')).toMatchObject({ status: 'ok' });
  });

  it('the next version starts while sessions are in different stages and a shard is paused', async () => {
    await begin('waits', { finishWhen: 'processed' });
    await begin('waits-long', { finishWhen: 'processed' });
    // A session without a token whose caller waits for Incode's answer, like a Nexus operation.
    await simulator.openSession({ interviewId: 'no-token' });
    await onboarding.start({ interviewId: 'no-token' });
    await temporal.workflow.start(ANSWER_WORKFLOW, {
      workflowId: ANSWER,
      taskQueue: 'incode-nexus',
      args: [{ interviewId: 'no-token' }],
    });
    const isAsked = async () => (await onboarding.state('no-token')).state?.timeline.map(({ event }) => event);
    await expect.poll(isAsked).toContain('Asked to finish');
    simulator.fault({ operation: 'finishStatus', interviewId: 'under-way', kind: 'status', status: 503, times: null });
    await begin('under-way');
    const { token } = await simulator.openSession({ interviewId: 'in-a-shard', scoreReadyAfterMs: null });
    const shard = await temporal.workflow.start<BatchWorkflow>(BATCH_WORKFLOW, {
      workflowId: batchWorkflowId('nightly', 0),
      taskQueue: BULK_TASK_QUEUE,
      args: [{ batchId: 'nightly', shard: 0, sessions: [{ interviewId: 'in-a-shard', sessionToken: token }] }],
    });
    await shard.signal(BATCH_SIGNALS.pause);
    const progress = () => shard.query<BatchProgress>(BATCH_QUERIES.progress);
    await expect.poll(progress).toMatchObject({ paused: true });
    for (const interviewId of ['waits', 'waits-long', 'under-way']) {
      await expect.poll(() => simulator.callsOf(interviewId).length).toBeGreaterThan(0);
    }
    await writeFile(join(directory, 'front.jpg'), jpeg());
    await onboarding.people.start({
      reference: PERSON,
      front: { uri: 'file:front.jpg' },
      configurationId: 'flow',
      plan: { finishWhen: 'asked' },
    });
    const session = async () => (await onboarding.people.state(PERSON)).session?.state?.stage;
    await expect.poll(session).toBe('waiting');
    await startWorker(NEW);
    const [ramp] = NEXT;
    expect(await temporalCommands(ramp)).toMatch(new RegExp(`RampingVersionBuildID +${NEW}[^]*Percentage +10`));
  });

  it('new sessions use the new version, sessions in flight end with the old one, and waiting sessions move', async () => {
    expect(NEXT).toHaveLength(2);
    // The list comes from the server's index, which may be a moment behind.
    await expect.poll(() => temporalCommands(NEXT[1])).toContain(NEW);
    await begin('new');
    expect(await outcomeOf('new')).toBe('approved');
    expect(await builds('new')).toEqual([NEW]);
    simulator.clearFaults();
    expect(await outcomeOf('under-way')).toBe('approved');
    expect(await builds('under-way')).toEqual([OLD]);
    await expect.poll(() => buildsWhenTold('waits')).toEqual([OLD, NEW]);
    expect(await builds('waits-long')).toEqual([OLD]);
  });

  it('after going back, new sessions use the old version again and waiting sessions return', async () => {
    expect(BACK).toHaveLength(1);
    await temporalCommands(BACK[0]);
    await begin('after-going-back');
    expect(await outcomeOf('after-going-back')).toBe('approved');
    expect(await builds('after-going-back')).toEqual([OLD]);
    await expect.poll(() => buildsWhenTold('waits')).toEqual([OLD, NEW, OLD]);
  });

  it('sessions that wait for long are moved, a person whose session is completed is forced, and the old version drains and is turned off', async () => {
    expect(OFF).toHaveLength(3);
    await temporalCommands(NEXT[1]);
    // As the page says, repeated until the count stops falling.
    await expect.poll(() => temporalCommands(OFF[0])).toContain('Total: 2');
    expect(await buildsOf(temporal, captureWorkflowId(PERSON))).toEqual([OLD]);
    expect(await builds('no-token')).toEqual([OLD]);
    await temporalCommands(OFF[1]);
    await expect.poll(() => temporalCommands(OFF[0])).toContain('Total: 0');
    expect(await builds('no-token')).toEqual([NEW]);
    await expect.poll(() => temporalCommands(OFF[2])).toMatch(/DrainageStatus +drained/);
    await workers[OLD]?.stop();
    for (const interviewId of ['waits', 'waits-long']) {
      await processed(interviewId);
      expect(await outcomeOf(interviewId)).toBe('approved');
      expect(simulator.effects(interviewId).finished).toBe(1);
    }
    expect(await builds('waits-long')).toEqual([OLD, NEW]);
    const { interviewId = '' } = (await onboarding.people.state(PERSON)).session ?? {};
    expect(await builds(interviewId)).toEqual([OLD, NEW]);
    await onboarding.finish({ interviewId });
    expect((await onboarding.people.result(PERSON)).onboarding?.outcome).toBe('approved');
    expect(await buildsOf(temporal, captureWorkflowId(PERSON))).toEqual([NEW]);
    await onboarding.renewToken('no-token', await simulator.issueToken('no-token'));
    expect(await temporal.workflow.getHandle(ANSWER).result()).toMatchObject({ action: 'approved' });
    expect(await builds('no-token')).toEqual([NEW]);
    expect(await buildsOf(temporal, ANSWER)).toEqual([NEW]);
    expect(await buildsOf(temporal, batchWorkflowId('nightly', 0))).toEqual([OLD, NEW]);
    const shard = temporal.workflow.getHandle<BatchWorkflow>(batchWorkflowId('nightly', 0));
    expect(await shard.query<BatchProgress>(BATCH_QUERIES.progress)).toMatchObject({ paused: true });
    await shard.signal(BATCH_SIGNALS.stop);
    expect((await shard.result()).rows).toHaveLength(1);
    await expect
      .poll(() => doctored('version'))
      .toMatchObject({
        status: 'ok',
        message: expect.stringContaining(`current is incode-onboarding:${NEW}`),
      });
  });
});
