import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectedOnboardingClient, captureBatch, connectOnboardingClient } from 'temporal-incode/client';
import { keyRing } from 'temporal-incode/codec';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type CapturePerson, captureBatchWorkflowId, captureWorkflowId, FAILURES } from '../../src/contract/index.js';
import { all } from '../support/batch.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../support/capture-world.js';
import { failedTasks, textOf } from '../support/history.js';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}\n`;
const [old, next] = [key('old'), key('next')];
const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-people-keys-'));
const keysFile = join(directory, 'keys');

let world: CaptureWorld;
const clients: ConnectedOnboardingClient[] = [];
beforeAll(async () => {
  giveWorker(old);
  world = await startCaptureWorld({ worker: { TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE: keysFile } });
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await world[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function giveWorker(keys: string): void {
  writeFileSync(`${keysFile}.new`, keys);
  renameSync(`${keysFile}.new`, keysFile);
}

async function clientWith(keys: string): Promise<ConnectedOnboardingClient> {
  const here = { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
  const client = await connectOnboardingClient({
    ...here,
    taskQueue: world.taskQueue,
    encryptionKeys: keyRing(keys),
  });
  clients.push(client);
  return client;
}

/** A person whose references have the digests of the images. */
async function withDigests({
  plan: _,
  ...person
}: Awaited<ReturnType<CaptureWorld['person']>>): Promise<CapturePerson> {
  return { ...person, front: await pinned(world, person.front) };
}

describe('people from images with encrypted payloads', () => {
  it('a person with other images differs, and the same person is attached to', async () => {
    const client = await clientWith(old);
    const [same, other] = [await withDigests(await world.person()), await withDigests(await world.person())];
    await all(captureBatch(client, [same, other], { batchId: `people-${randomUUID()}` }));
    const changed = { ...other, front: { ...other.front, sha256: 'a0'.repeat(32) } };
    const rows = await all(captureBatch(client, [same, changed], { batchId: `people-${randomUUID()}` }));
    expect(rows.map(({ outcome, failure }) => outcome ?? failure?.type)).toEqual(['approved', FAILURES.personDiffers]);
    expect(world.sessionsOf(other)).toHaveLength(1);
    // Digest and address are not readable on the server.
    const { raw } = await client.temporal.workflow.getHandle(captureWorkflowId(other.reference)).describe();
    const text = textOf(raw);
    for (const secret of [other.front.uri, String(other.front.sha256)]) expect(text.includes(secret)).toBe(false);
  });

  it('a list that the worker cannot read waits for its key, and loses nobody', async () => {
    const early = await clientWith(next + old);
    const people = [await withDigests(await world.person()), await withDigests(await world.person())];
    const batchId = `people-${randomUUID()}`;
    const running = all(captureBatch(early, people, { batchId }));
    const shard = early.temporal.workflow.getHandle(captureBatchWorkflowId(batchId, 0));
    const failures = async () => failedTasks(await shard.fetchHistory().catch(() => ({ events: [] }) as never)).length;
    await expect.poll(failures).toBeGreaterThan(0);
    expect(people.map((person) => world.sessionsOf(person).length)).toEqual([0, 0]);
    giveWorker(old + next);
    const rows = await running;
    expect(rows.map(({ outcome }) => outcome)).toEqual(['approved', 'approved']);
    expect(people.map((person) => world.sessionsOf(person).length)).toEqual([1, 1]);
  });
});
