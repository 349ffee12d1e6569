import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { FAILURES } from '../../../src/contract/index.js';
import { CANARY, type CaptureWorld, startCaptureWorld } from '../../support/capture-activities.js';
import { textOf } from '../../support/history.js';
import { thrown } from '../../support/thrown.js';
import { logs } from '../../support/world.js';

// What an attempt leaves to the next one goes through the Temporal server. So this runs with a real one.

/** Its Incode ends requests after 3 s, which is longer than the server waits for an attempt in one test. */
let world: CaptureWorld;
let client: Client;
let stop: () => Promise<void>;
const taskQueue = `capture-${randomUUID()}`;
let reference: string;

beforeAll(async () => {
  world = await startCaptureWorld({ timeScale: 0.1 }, { operatorRetryMs: 100, settleTimeMs: 200, processIdPollMs: 50 });
  const address = inject('temporalAddress');
  const namespace = inject('temporalNamespace');
  const native = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  const { activities } = world;
  const worker = await Worker.create({ connection: native, namespace, taskQueue, workflowBundle, activities });
  const running = worker.run();
  const connection = await Connection.connect({ address });
  client = new Client({ connection, namespace });
  stop = async () => {
    worker.shutdown();
    await running;
    await native.close();
    await connection.close();
  };
});
afterAll(async () => {
  await stop();
  await world[Symbol.asyncDispose]();
});
beforeEach(() => {
  world.simulator.clearFaults();
  world.simulator.clearScripts();
  reference = randomUUID();
});

function start(workflow: string, ...args: unknown[]): Promise<WorkflowHandle> {
  return client.workflow.start(workflow, { workflowId: `${workflow}-${reference}`, taskQueue, args });
}

const startCalls = () => world.simulator.calls.filter(({ operation }) => operation === 'start').length;

it('openSession is retried while Incode refuses it, and opens one session', async () => {
  const before = startCalls();
  const refusal = { operation: 'start', externalCustomerId: reference, kind: 'status', times: 1 } as const;
  for (const status of [429, 403, 302, 429]) world.simulator.fault({ ...refusal, status });
  const { interviewId } = await (await start('opening', { reference }, 60_000)).result();
  expect(world.simulator.sessions(reference)).toMatchObject([{ interviewId }]);
  expect(startCalls() - before).toBe(5);
});

it('openSession sends nothing after an attempt that the server has given up', async () => {
  const before = startCalls();
  world.simulator.fault({ operation: 'start', externalCustomerId: reference, kind: 'hang' });
  const failed = await thrown((await start('opening', { reference }, 500)).result());
  expect((failed.cause as Error | undefined)?.cause).toMatchObject({
    type: FAILURES.maybeOpened,
    message: `Person ${reference}: Incode may have opened a session. An earlier attempt has ended without saying what it sent.`,
  });
  expect(startCalls() - before).toBe(1);
});

it('history and logs of a captured person have no byte of an image and no value that Incode has read from it', async () => {
  const { simulator } = world;
  for (const operation of ['addFrontId', 'addBackId', 'addFace', 'processFace', 'governmentValidation'] as const) {
    simulator.script({ operation, answer: { name: CANARY, ocrData: { name: CANARY }, errorDescription: CANARY } });
  }
  for (const operation of ['addFrontId', 'addBackId', 'processId', 'addFace', 'processFace'] as const) {
    simulator.fault({ operation, externalCustomerId: reference, kind: 'status', status: 500, message: CANARY });
    simulator.fault({ operation, externalCustomerId: reference, kind: 'reset', effect: true });
  }
  const handle = await start('capturing', reference);
  const results = (await handle.result()) as unknown[];
  const accepted = { assessment: 'accepted' };
  const match = { confidence: 1 };
  const said = [accepted, accepted, { result: 'alreadyProcessed' }, { finished: true }, accepted, match];
  expect(results).toMatchObject([...said, { valid: true }, { hits: 0 }]);

  const [session] = simulator.sessions(reference);
  const { uploads, processed } = simulator.captures(String(session?.interviewId));
  expect(uploads.map(({ part, retry }) => `${part} ${retry}`)).toEqual([
    ...['front true', 'front true', 'back true', 'back true', 'face false', 'face false'],
  ]);
  expect(processed.id).toBe(1);

  const history = textOf(await handle.fetchHistory());
  expect(history).toContain('file:front.jpg');
  const base64 = Buffer.from(CANARY).toString('base64').slice(0, 16);
  for (const text of [history, logs()]) {
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(base64);
  }
});
