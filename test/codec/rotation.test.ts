import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectOnboardingClient } from 'temporal-incode/client';
import { keyRingFile } from 'temporal-incode/codec';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { afterAll, expect, inject, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { textOf } from '../support/history.js';
import { API_KEY, workerEnvironment } from '../support/world.js';

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-rotation-'));
const file = join(directory, 'keys');
const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
  rmSync(directory, { recursive: true });
});

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}\n`;
const [january, february] = [key('january'), key('february')];

function write(keys: string): void {
  writeFileSync(`${file}.new`, keys);
  renameSync(`${file}.new`, file);
}

it('a waiting session continues after a key rotation, with both keys in its history', async () => {
  write(january);
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  ends.push(() => simulator.close());
  const here = { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
  const taskQueue = `rotation-${randomUUID()}`;
  const worker = await createWorker(
    readConfig({
      ...workerEnvironment(simulator.url, taskQueue),
      TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE: file,
      // So that the waiting session is evicted and replayed.
      WORKER_MAX_CACHED_WORKFLOWS: '1',
    }),
  );
  const running = worker.run();
  const onboarding = await connectOnboardingClient({ ...here, taskQueue, encryptionKeys: keyRingFile(file) });
  ends.push(async () => {
    worker.shutdown();
    await running;
    await onboarding.close();
  });
  const begin = async () => {
    const { interviewId, token } = await simulator.openSession();
    await onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } });
    return interviewId;
  };
  /** The ids of the keys that a history names. */
  const keyIdsIn = async (interviewId: string) => {
    const handle = onboarding.temporal.workflow.getHandle(onboardingWorkflowId(interviewId));
    const { events } = await handle.fetchHistory();
    const text = textOf(events);
    return ['january', 'february'].filter((id) => text.includes(id));
  };

  const waiting = await begin();
  await expect.poll(async () => (await onboarding.state(waiting)).state?.stage).toBe('waiting');
  write(january + february);
  write(february + january);
  const written = async () => {
    const another = await begin();
    await onboarding.finish({ interviewId: another });
    await onboarding.result(another);
    return keyIdsIn(another);
  };
  await expect.poll(written).toEqual(['february']);

  expect(await keyIdsIn(waiting)).toEqual(['january']);
  await onboarding.finish({ interviewId: waiting });
  expect(await onboarding.result(waiting)).toMatchObject({ outcome: 'approved' });
  expect(await keyIdsIn(waiting)).toEqual(['january', 'february']);
  expect(simulator.effects(waiting).finished).toBe(1);
});
