import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { completeBatch, OnboardingClient } from 'temporal-incode/client';
import { encryptedDataConverter, keyRing } from 'temporal-incode/codec';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { expect, inject, it } from 'vitest';
import { batchWorkflowId } from '../../src/contract/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { all, outcomes } from '../support/batch.js';
import { textOf } from '../support/history.js';
import { API_KEY, workerEnvironment } from '../support/world.js';

it('createWorker applies the data converter of a host to batches too', async () => {
  await using simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const dataConverter = encryptedDataConverter(keyRing([{ id: 'theirs', key: randomBytes(32) }]));
  const namespace = inject('temporalNamespace');
  const taskQueue = `own-codec-${randomUUID()}`;
  const config = readConfig({
    ...workerEnvironment(simulator.url, taskQueue),
  });
  const worker = await createWorker(config, { worker: { dataConverter } });
  const running = worker.run();
  const client = new Client({ connection: worker.connection, namespace, dataConverter });
  const onboarding = new OnboardingClient({ client, taskQueue });
  const { interviewId, token } = await simulator.openSession();
  const options = { batchId: `batch-${randomUUID()}`, taskQueue: `${taskQueue}-bulk` };
  const items = await all(completeBatch(onboarding, [{ interviewId, sessionToken: token }], options));
  expect(outcomes(items)).toEqual(['approved']);
  const { events } = await client.workflow.getHandle(batchWorkflowId(options.batchId, 0)).fetchHistory();
  expect(textOf(events)).not.toContain(token);
  worker.shutdown();
  await running;
});
