import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectedOnboardingClient, connectOnboardingClient } from 'temporal-incode/client';
import { keyRing } from 'temporal-incode/codec';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FAILURES, onboardingWorkflowId } from '../../src/contract/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { failedTasks, fetchHistory } from '../support/history.js';
import { API_KEY, logs, workerEnvironment } from '../support/world.js';

const ASKED = { finishWhen: 'asked' } as const;

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}\n`;
const [old, next] = [key('old'), key('next')];

const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-keys-'));
const ends: (() => Promise<unknown>)[] = [() => Promise.resolve(rmSync(directory, { recursive: true }))];
let simulator: IncodeSimulator;

beforeAll(async () => {
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01 });
  ends.push(() => simulator.close());
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

interface Place {
  /** Replaces the worker's keys. */
  give(keys: string): void;
  client(keys?: string): Promise<ConnectedOnboardingClient>;
}

/** A worker that caches one workflow, so that others are replayed. */
async function startWorker(keys: string, env: Record<string, string> = {}): Promise<Place> {
  const file = join(directory, randomUUID());
  const give = (lines: string) => {
    writeFileSync(`${file}.new`, lines);
    renameSync(`${file}.new`, file);
  };
  give(keys);
  const here = { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
  const taskQueue = `keys-${randomUUID()}`;
  const worker = await createWorker(
    readConfig({
      ...workerEnvironment(simulator.url, taskQueue),
      TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE: file,
      WORKER_MAX_CACHED_WORKFLOWS: '1',
      ...env,
    }),
  );
  const running = worker.run();
  ends.push(async () => {
    worker.shutdown();
    await running;
  });
  return {
    give,
    async client(lines) {
      const encryptionKeys = lines === undefined ? {} : { encryptionKeys: keyRing(lines) };
      const client = await connectOnboardingClient({ ...here, taskQueue, ...encryptionKeys });
      ends.push(() => client.close());
      return client;
    },
  };
}

async function open(client: ConnectedOnboardingClient): Promise<string> {
  const { interviewId, token } = await simulator.openSession();
  await client.start({ interviewId, sessionToken: token, plan: ASKED });
  return interviewId;
}

const stageOf = async (client: ConnectedOnboardingClient, interviewId: string) =>
  (await client.state(interviewId)).state?.stage;
const failuresOf = async ({ temporal }: ConnectedOnboardingClient, interviewId: string) =>
  failedTasks(await fetchHistory(temporal, interviewId));

describe('a worker without a key', () => {
  it('skips a signal that it cannot read, also in every replay after it got the key', async () => {
    const place = await startWorker(old);
    const [client, early] = await Promise.all([place.client(old), place.client(next + old)]);
    const interviewId = await open(client);
    await expect.poll(() => stageOf(client, interviewId)).toBe('waiting');
    await early.statusChanged({ interviewId, onboardingStatus: 'EXPIRED' });
    const marked = async () =>
      (await fetchHistory(client.temporal, interviewId)).events?.some((event) => event.markerRecordedEventAttributes);
    await expect.poll(marked).toBe(true);
    expect(await stageOf(client, interviewId)).toBe('waiting');

    place.give(old + next);
    // Evicts the first session from the cache.
    await client.finish({ interviewId: await open(client) });
    expect(await client.finish({ interviewId })).toMatchObject({ action: 'approved' });
    expect(await client.result(interviewId)).toMatchObject({ outcome: 'approved' });
    expect(await failuresOf(client, interviewId)).toEqual([]);
    // A signal that comes now is read, so Incode is called.
    const another = await open(early);
    await early.statusChanged({ interviewId: another, onboardingStatus: 'EXPIRED' });
    await expect.poll(() => simulator.callsOf(another, 'onboardingStatus').length).toBeGreaterThan(0);
    await early.cancel(another);
  });

  it('refuses an update that it cannot read, and accepts it once it has the key', async () => {
    const place = await startWorker(old);
    const [client, early] = await Promise.all([place.client(old), place.client(next + old)]);
    const interviewId = await open(client);
    const refused = early.extendDeadline(interviewId, '2 days');
    await expect(refused).rejects.toThrow(/extendDeadline cannot be read: it is encrypted with key "next"/);
    place.give(old + next);
    expect(await early.extendDeadline(interviewId, '2 days')).toMatchObject({ deadline: expect.any(String) });
    expect(await failuresOf(client, interviewId)).toEqual([]);
    await client.cancel(interviewId);
  });

  it('keeps a new session waiting until it has the key', async () => {
    const place = await startWorker(old);
    const early = await place.client(next + old);
    const interviewId = await open(early);
    await expect.poll(async () => (await failuresOf(early, interviewId)).length).toBeGreaterThan(0);
    place.give(old + next);
    expect(await early.finish({ interviewId })).toMatchObject({ action: 'approved' });
    expect(await early.result(interviewId)).toMatchObject({ outcome: 'approved' });
    expect(simulator.effects(interviewId).finished).toBe(1);
  });

  it('waits for a key that was removed too early, instead of skipping a signal that it read before', async () => {
    const place = await startWorker(old + next);
    const [client, late] = await Promise.all([place.client(old + next), place.client(next + old)]);
    const interviewId = await open(client);
    await expect.poll(() => stageOf(client, interviewId)).toBe('waiting');
    place.give(next);
    // Until the worker has read the file and caches another session. The other one is not waited for: it may need the key too.
    const replayed = async () => {
      await open(late);
      await late.statusChanged({ interviewId, onboardingStatus: 'UNKNOWN' });
      return (await failuresOf(late, interviewId)).length;
    };
    await expect.poll(replayed).toBeGreaterThan(0);
    expect(logs()).toContain('encrypted with key \\"old\\", which is not among the keys here');
    place.give(next + old);
    expect(await late.finish({ interviewId })).toMatchObject({ action: 'approved' });
    const result = await late.result(interviewId);
    expect(result).toMatchObject({ outcome: 'approved' });
    expect(simulator.effects(interviewId).finished).toBe(1);
  });
});

describe('TEMPORAL_INCODE_REQUIRE_ENCRYPTION', () => {
  it('makes a worker refuse plaintext starts and updates, and skip plaintext signals', async () => {
    const place = await startWorker(old, { TEMPORAL_INCODE_REQUIRE_ENCRYPTION: 'true' });
    const [client, plain] = await Promise.all([place.client(old), place.client()]);
    const interviewId = await open(client);
    await plain.statusChanged({ interviewId, onboardingStatus: 'EXPIRED' });
    await plain.temporal.workflow
      .getHandle(onboardingWorkflowId(interviewId))
      .signal('renewToken', { sessionToken: 'eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjF9.abc' });
    await expect(
      plain.temporal.workflow
        .getHandle(onboardingWorkflowId(interviewId))
        .executeUpdate('extendDeadline', { args: [{ by: '2 days' }] }),
    ).rejects.toThrow();
    expect(await client.finish({ interviewId })).toMatchObject({ action: 'approved' });
    expect(await failuresOf(client, interviewId)).toEqual([]);

    const { interviewId: another, token } = await simulator.openSession();
    await plain.start({ interviewId: another, sessionToken: token });
    await expect(client.result(another)).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: 'input cannot be read: it is not encrypted, and the worker requires encryption',
    });
    expect(simulator.effects(another).finished).toBe(0);
    expect(FAILURES.invalidInput).toBe('InvalidInput');
  });

  it('makes a client refuse plaintext answers', async () => {
    const here = { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
    const strict = await connectOnboardingClient({ ...here, encryptionKeys: keyRing(old), requireEncryption: true });
    const plain = await connectOnboardingClient(here);
    ends.push(
      () => strict.close(),
      () => plain.close(),
    );
    const { interviewId, token } = await simulator.openSession();
    const workflowId = onboardingWorkflowId(interviewId);
    await plain.temporal.workflow.start('nobody', {
      workflowId,
      taskQueue: workflowId,
      memo: { note: 'plain' },
      args: [token],
    });
    const described = strict.temporal.workflow.getHandle(workflowId).describe();
    await expect(described.then(({ memo }) => memo)).rejects.toThrow('encryption is required here');
    await plain.temporal.workflow.getHandle(workflowId).terminate();
  });
});
