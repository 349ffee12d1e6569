import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { completeBatch, pauseBatch, resumeBatch } from 'temporal-incode/client';
import { expect, inject, it } from 'vitest';
import { startWorkerProcess } from '../../dist/cli/local/worker-process.js';
import { OnboardingClient } from '../../src/client/index.js';
import {
  batchWorkflowId,
  captureWorkflowId,
  type OnboardingInput,
  onboardingWorkflowId,
} from '../../src/contract/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { jpeg } from '../support/images.js';
import { installPreviousSdk } from '../support/previous-sdk.js';
import { API_KEY, workerEnvironment } from '../support/world.js';

/** The version that this package was pinned to before the current one. */
const PREVIOUS = '1.23.0';

const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const CURRENT: string = dependencies['@temporalio/client'];

it(`sessions, a batch and a person that a worker on SDK ${PREVIOUS} has begun complete on ${CURRENT}`, async () => {
  await using previous = await installPreviousSdk(PREVIOUS);
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-upgrade-'));
  const logFile = join(directory, 'worker.log');
  const taskQueue = `upgrade-${randomUUID()}`;
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY], latencyMs: 100 });
  const env = {
    ...workerEnvironment(simulator.url, taskQueue),
    INCODE_CONFIGURATION_ID: 'flow',
    INCODE_IMAGE_ROOTS: directory,
    INCODE_PROCESS_POLL: '200ms',
    // So that the batch lasts until it is paused.
    INCODE_BULK_CONNECTIONS: '1',
    WORKER_SHUTDOWN_GRACE: '2s',
  };
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const temporal = new Client({ connection, namespace: inject('temporalNamespace') });
  const onboarding = new OnboardingClient({ client: temporal, taskQueue, bulkTaskQueue: `${taskQueue}-bulk` });
  const image = async (name: string) => {
    await writeFile(join(directory, name), jpeg({ content: name }));
    return { uri: `file:${name}` };
  };
  const begin = async (spec: Parameters<typeof simulator.openSession>[0], plan: OnboardingInput['plan'] = {}) => {
    const { interviewId, token } = await simulator.openSession(spec);
    await onboarding.start({ interviewId, sessionToken: token, plan });
    return { interviewId, token };
  };
  const stageOf = async (interviewId: string) => (await onboarding.state(interviewId)).state?.stage;
  const stopOld = await previous.startWorker(env, logFile);
  let stopNew: () => Promise<void> = async () => undefined;
  try {
    const asked = await begin({}, { finishWhen: 'asked' });
    const processed = await begin({ processedAfterMs: null }, { finishWhen: 'processed' });
    const inReview = await begin({ action: 'none', score: { status: 'WARN', value: '61.0' } }, { review: 'wait' });
    const retrying = await begin({ scoreReadyAfterMs: null });
    const reference = `person-${randomUUID()}`;
    const front = await image('front.jpg');
    simulator.script({
      operation: 'addFrontId',
      externalCustomerId: reference,
      answer: { failReason: 'DOCUMENT_NOT_READABLE' },
      times: 1,
    });
    await onboarding.people.start({
      reference,
      front,
      back: await image('back.jpg'),
      selfie: await image('selfie.jpg'),
      plan: { onRefusedImage: 'wait' },
    });
    const batchId = `upgrade-${randomUUID()}`;
    const sessions = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const { interviewId, token } = await simulator.openSession();
        return { interviewId, sessionToken: token };
      }),
    );
    const finishedOfBatch = () =>
      sessions.filter(({ interviewId }) => simulator.effects(interviewId).finished > 0).length;
    const rows: { outcome?: string }[] = [];
    const completing = (async () => {
      const options = { batchId, plan: { score: false }, shardSize: 60, taskQueue: `${taskQueue}-bulk` };
      for await (const row of completeBatch(onboarding, sessions, options)) rows.push(row);
    })();
    await expect.poll(finishedOfBatch).toBeGreaterThan(0);
    await pauseBatch(onboarding, batchId);
    await expect.poll(() => stageOf(asked.interviewId)).toBe('waiting');
    await expect.poll(() => stageOf(processed.interviewId)).toBe('waiting');
    await expect.poll(() => stageOf(inReview.interviewId)).toBe('inReview');
    await expect.poll(() => stageOf(retrying.interviewId)).toBe('scoring');
    await expect.poll(async () => (await onboarding.people.state(reference)).state?.stage).toBe('needsImage');
    const doneOnOld = finishedOfBatch();
    expect(doneOnOld).toBeLessThan(sessions.length);
    await stopOld();

    const current = await startWorkerProcess(env, logFile);
    stopNew = () => current.stop();
    simulator.setOnboardingStatus(processed.interviewId, 'POST_PROCESSING_FINISHED');
    await onboarding.statusChanged({
      interviewId: processed.interviewId,
      onboardingStatus: 'POST_PROCESSING_FINISHED',
    });
    simulator.setOnboardingStatus(inReview.interviewId, 'MANUAL_REVIEW_APPROVED');
    await onboarding.statusChanged({ interviewId: inReview.interviewId, onboardingStatus: 'MANUAL_REVIEW_APPROVED' });
    expect(await onboarding.finish({ interviewId: asked.interviewId })).toMatchObject({ action: 'approved' });
    await onboarding.people.replaceImage(reference, 'front', await image('front-again.jpg'));
    await resumeBatch(onboarding, batchId);
    for (const { interviewId } of [asked, processed, inReview]) {
      expect(await onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
    }
    expect(await onboarding.people.result(reference)).toMatchObject({ onboarding: { outcome: 'approved' } });
    await completing;
    expect(rows.map(({ outcome }) => outcome)).toEqual(sessions.map(() => 'approved'));
    const finished = [asked, processed, inReview, ...sessions].map(
      ({ interviewId }) => simulator.effects(interviewId).finished,
    );
    expect(new Set(finished)).toEqual(new Set([1]));
    for (const id of [
      onboardingWorkflowId(asked.interviewId),
      batchWorkflowId(batchId, 0),
      captureWorkflowId(reference),
    ]) {
      expect(await sdksOf(temporal, id), id).toEqual([PREVIOUS, CURRENT]);
    }
    await onboarding.cancel(retrying.interviewId);
  } finally {
    await stopNew();
    await connection.close();
    await simulator.close();
    await rm(directory, { recursive: true, force: true });
  }
});

/** @returns the versions of the SDK that have completed its workflow tasks, in their order */
async function sdksOf(client: Client, workflowId: string): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const versions = (events ?? []).flatMap(
    (event) => event.workflowTaskCompletedEventAttributes?.sdkMetadata?.sdkVersion || [],
  );
  return [...new Set(versions)];
}
