import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWorkerProcess, type WorkerProcess } from '../../dist/cli/local/worker-process.js';
import { CAPTURE_WORKFLOW, type CaptureWorkflow, captureWorkflowId, TASK_QUEUE } from '../../src/contract/index.js';
import {
  type IncodeSimulator,
  type LocalTemporalServer,
  type SimulatedOperation,
  startIncodeSimulator,
} from '../../src/testing/index.js';
import { textOf } from '../support/history.js';
import { jpeg } from '../support/images.js';
import { startNewServer } from '../support/new-server.js';
import { API_KEY } from '../support/world.js';

// A separate server and worker process, because the tests kill both.

const CANARY = 'image-bytes-that-must-not-be-seen';
const SIDES = ['front', 'back', 'selfie'] as const;

let directory: string;
let simulator: IncodeSimulator;
let server: LocalTemporalServer;
let worker: WorkerProcess;
let connection: Connection;
let client: Client;

const logFile = () => join(directory, 'worker.log');

async function startServer(port = 0): Promise<void> {
  server = await startNewServer({ port, dataDir: directory });
}

async function startWorker(): Promise<void> {
  const env = {
    INCODE_BASE_URL: simulator.url,
    INCODE_API_KEY: API_KEY,
    INCODE_CONFIGURATION_ID: 'flow',
    INCODE_SETTLE_TIME: '1s',
    INCODE_PROCESS_POLL: '200ms',
    INCODE_DOCUMENT_RATE_LIMIT: '100',
    INCODE_FACE_RATE_LIMIT: '100',
    INCODE_IMAGE_ROOTS: directory,
    TEMPORAL_ADDRESS: server.address,
  };
  worker = await startWorkerProcess(env, logFile());
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-capture-crashes-'));
  for (const side of SIDES) await writeFile(join(directory, `${side}.jpg`), jpeg({ content: `${CANARY} ${side}` }));
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  await startServer();
  await startWorker();
  connection = await Connection.connect({ address: server.address });
  client = new Client({ connection });
});

afterEach(async () => {
  await worker.stop();
  await connection.close();
  await server.stop();
  await simulator.close();
  await rm(directory, { recursive: true, force: true });
});

function start(): Promise<WorkflowHandle<CaptureWorkflow>> {
  const images = Object.fromEntries(SIDES.map((side) => [side, { uri: `file:${side}.jpg` }]));
  return client.workflow.start<CaptureWorkflow>(CAPTURE_WORKFLOW, {
    workflowId: captureWorkflowId('ann'),
    taskQueue: TASK_QUEUE,
    args: [{ reference: 'ann', front: { uri: '' }, ...images, plan: { findSessionWithin: '2s' } }],
  });
}

/** Every session is the one that is used, or named as a suspected orphan. */
async function expectSound(handle: WorkflowHandle<CaptureWorkflow>, repeated: SimulatedOperation): Promise<void> {
  const { interviewId, suspectedOrphans, onboarding } = await handle.result();
  expect(onboarding?.outcome).toBe('approved');
  const others = simulator.sessions().filter((session) => session.interviewId !== interviewId);
  const named = suspectedOrphans.map(({ externalCustomerId }) => externalCustomerId);
  expect(others.filter(({ externalCustomerId }) => !named.includes(String(externalCustomerId)))).toEqual([]);
  expect(suspectedOrphans).toHaveLength(repeated === 'start' ? 1 : 0);
  for (const other of others) expect(simulator.captures(other.interviewId).uploads).toEqual([]);
  const { attempts, processed } = simulator.captures(interviewId);
  const expected = { front: 1, back: 1, face: 1 };
  const part = ({ addFrontId: 'front', addBackId: 'back', addFace: 'face' } as Record<string, string>)[repeated];
  expect(attempts).toEqual(part === undefined ? expected : { ...expected, [part]: 2 });
  expect(processed.id).toBe(1);
  expect(simulator.effects(interviewId).finished).toBe(1);
  const seen = `${textOf(await handle.fetchHistory())}${await readFile(logFile(), 'utf8')}`;
  for (const secret of [CANARY, API_KEY]) expect(seen.includes(secret), secret).toBe(false);
}

const STEPS: SimulatedOperation[] = [
  'start',
  'addFrontId',
  'addBackId',
  'processId',
  'isFinished',
  'addFace',
  'processFace',
];

describe('SIGKILL of a worker', () => {
  it.each(STEPS)('during %s: another worker continues, and every session is used or named', async (operation) => {
    simulator.fault({ operation, kind: 'hang', effect: true });
    const handle = await start();
    await expect.poll(() => simulator.callsOf(undefined, operation).length, { timeout: 60_000 }).toBe(1);
    await worker.kill();
    await startWorker();
    await expectSound(handle, operation);
  });
});

describe('SIGKILL of worker and server', () => {
  it.each<SimulatedOperation>(['start', 'addBackId'])(
    'during %s: the person is completed afterwards',
    async (operation) => {
      simulator.fault({ operation, kind: 'hang', effect: true });
      const handle = await start();
      await expect.poll(() => simulator.callsOf(undefined, operation).length, { timeout: 60_000 }).toBe(1);
      const port = Number(server.address.split(':')[1]);
      await Promise.all([server.kill(), worker.kill()]);
      await startServer(port);
      await startWorker();
      await expectSound(handle, operation);
    },
  );
});
