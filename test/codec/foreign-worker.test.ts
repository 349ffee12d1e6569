import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createIncodeActivities } from 'temporal-incode/activities';
import { encryptedDataConverter, failureConverterPath, keyRing } from 'temporal-incode/codec';
import { createIncodeClient } from 'temporal-incode/incode';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { textOf } from '../support/history.js';
import { API_KEY } from '../support/world.js';

// A worker of another team with our activities and their own workflow encrypts as docs/encryption.md describes.

const dataConverter = encryptedDataConverter(keyRing([{ id: 'theirs', key: randomBytes(32) }]));
const workflowsPath = fileURLToPath(new URL('../../examples/foreign-worker/workflows.ts', import.meta.url));

let simulator: IncodeSimulator;
let connection: Connection;
let native: NativeConnection;
beforeAll(async () => {
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  connection = await Connection.connect({ address: inject('temporalAddress') });
  native = await NativeConnection.connect({ address: inject('temporalAddress') });
});
afterAll(async () => {
  await native.close();
  await connection.close();
  await simulator.close();
});

const SETUPS: Record<string, () => Promise<Partial<WorkerOptions>>> = {
  workflowsPath: async () => ({ workflowsPath }),
  'a prebuilt bundle': async () => ({
    workflowBundle: await bundleWorkflowCode({ workflowsPath, failureConverterPath }),
  }),
};

it.each(Object.keys(SETUPS))('a worker of another team with %s encrypts payloads and failures', async (setup) => {
  const incode = createIncodeClient({ baseUrl: simulator.url, apiKey: API_KEY });
  const taskQueue = `theirs-${randomUUID()}`;
  const worker = await Worker.create({
    connection: native,
    namespace: inject('temporalNamespace'),
    taskQueue,
    activities: { ...createIncodeActivities({ incode }), openAccount: async (id: string) => `account-of-${id}` },
    dataConverter,
    ...(await SETUPS[setup]?.()),
  });
  const client = new Client({ connection, namespace: inject('temporalNamespace'), dataConverter });
  const signUp = async (interviewId: string, sessionToken: string) => {
    const handle = await client.workflow.start('signUp', {
      taskQueue,
      workflowId: `sign-up/${interviewId}`,
      args: [{ interviewId, sessionToken }],
    });
    const outcome = await handle.result().catch((error) => error.cause.cause.message);
    const { events } = await handle.fetchHistory();
    return { outcome, text: textOf(events) };
  };

  await worker.runUntil(async () => {
    const fine = await simulator.openSession();
    const refused = await simulator.openSession();
    simulator.fault({ operation: 'finishStatus', interviewId: refused.interviewId, kind: 'status', status: 400 });
    simulator.fault({ operation: 'onboardingStatus', interviewId: refused.interviewId, kind: 'status', status: 400 });
    const [approved, failed] = await Promise.all([
      signUp(fine.interviewId, fine.token),
      signUp(refused.interviewId, refused.token),
    ]);
    expect(approved.outcome).toEqual({ account: `account-of-${fine.interviewId}` });
    // A client with the keys can read the failure.
    expect(failed.outcome).toMatch(/answered 400/);
    for (const { text } of [approved, failed]) {
      expect(text).toContain('encryption-key-id');
      const sought = [API_KEY, fine.token, refused.token, 'account-of', 'confirmedBy', 'answered 400'];
      expect(sought.filter((secret) => text.includes(secret))).toEqual([]);
    }
  });
  await incode.close();
});
