import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { peopleKind } from '../../src/client/batch/people.js';
import { cutShards } from '../../src/client/batch/shards.js';
import {
  BatchDetachedError,
  BatchMismatchError,
  type BatchRunProgress,
  BatchShardError,
  batchProgress,
  type CaptureBatchOptions,
  captureBatch,
  pauseBatch,
  resumeBatch,
  stopBatch,
} from '../../src/client/index.js';
import { MAX_SHARD_BYTES } from '../../src/contract/batch.js';
import { type CapturePerson, captureBatchWorkflowId, FAILURES, SEARCH_ATTRIBUTES } from '../../src/contract/index.js';
import { all } from '../support/batch.js';
import { severalPeople } from '../support/capture-batch.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../support/capture-world.js';
import { jpeg } from '../support/images.js';
import { thrown } from '../support/thrown.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Shards of two, so that a few people make several. */
const options = (more: CaptureBatchOptions = {}) => ({ batchId: `people-${randomUUID()}`, shardSize: 2, ...more });
const sessionsOf = (people: CapturePerson[]) => people.map((person) => world.sessionsOf(person).length);
const outcomesOf = (items: { outcome?: string; failure?: { type: string } }[]) =>
  items.map(({ outcome, failure }) => outcome ?? failure?.type);
const holdUp = () => world.simulator.fault({ operation: 'start', kind: 'status', status: 429, times: null });
const untilHeldUp = (batchId: string, people: number) =>
  expect.poll(async () => (await batchProgress(world.onboarding, batchId).catch(() => null))?.waiting).toBe(people);

async function* oneByOne<T>(items: T[]): AsyncGenerator<T> {
  for (const item of items) {
    await sleep(1);
    yield item;
  }
}

describe('captureBatch', () => {
  it('onboards people from an async iterable, with results in the order of the list', async () => {
    const people = await severalPeople(world, 5);
    const batch = captureBatch(world.onboarding, oneByOne(people), { shardSize: 2 });
    expect(batch.batchId).toMatch(/^people-[0-9a-f-]{36}$/);
    const items = await all(batch);
    expect(items.map(({ index, reference }) => [index, reference])).toEqual(
      people.map(({ reference }, index) => [index, reference]),
    );
    expect(items.map(({ interviewId }) => interviewId)).toEqual(
      people.map((person) => world.sessionsOf(person)[0]?.interviewId),
    );
    expect(outcomesOf(items)).toEqual(people.map(() => 'approved'));
    // The server lists shards with a delay.
    await expect
      .poll(() => batchProgress(world.onboarding, batch.batchId))
      .toMatchObject({
        total: 5,
        done: 5,
        failed: 0,
        outcomes: { approved: 5 },
        shards: { running: 0, completed: 3, ended: 0 },
      });
  });

  it('returns the same results for the same list, and opens no second session', async () => {
    const people = await severalPeople(world, 3);
    const how = options();
    const items = await all(captureBatch(world.onboarding, people, how));
    expect(await all(captureBatch(world.onboarding, people, how))).toEqual(items);
    // Another batch of the same people attaches to their workflows.
    expect(await all(captureBatch(world.onboarding, people, options()))).toEqual(items);
    expect(sessionsOf(people)).toEqual([1, 1, 1]);
  });

  it('refuses another list, another plan and another length under the same id', async () => {
    const people = await severalPeople(world, 4);
    const how = options({ plan: { findSessionWithin: '2m' } });
    await all(captureBatch(world.onboarding, people, how));
    const run = (list: CapturePerson[], more: CaptureBatchOptions = {}) =>
      thrown(all(captureBatch(world.onboarding, list, { ...how, ...more })));
    const [first, second, third, fourth] = people as [CapturePerson, CapturePerson, CapturePerson, CapturePerson];
    const changed = { ...fourth, front: first.front };
    expect(await run([first, second, third, changed])).toMatchObject({ shard: 1, differs: 'people' });
    expect(await run([first, second, third, { ...fourth, customFields: { a: 'b' } }])).toMatchObject({ shard: 1 });
    const shorter = await run([first, second]);
    expect(shorter).toBeInstanceOf(BatchMismatchError);
    expect(shorter).toMatchObject({ message: expect.stringContaining('it was started with other people') });
    expect(await run(people, { plan: { government: true } })).toMatchObject({ shard: 0, differs: 'plan' });
    // Equivalent, although written differently.
    const same = [first, second, third, { ...fourth, front: await pinned(world, fourth.front) }];
    const equivalent = { ...how, plan: { findSessionWithin: '120 s', watchlist: false } };
    expect(await all(captureBatch(world.onboarding, same, equivalent))).toHaveLength(4);
  });

  it('reports no result of an image that was replaced at the same address since', async () => {
    const people = await severalPeople(world, 3);
    const [, replaced] = people as [CapturePerson, CapturePerson];
    const how = options();
    const items = await all(captureBatch(world.onboarding, people, how));
    expect(outcomesOf(items)).toEqual(['approved', 'approved', 'approved']);
    const place = join(world.directory, replaced.front.uri.slice('file:'.length));
    await writeFile(place, jpeg({ content: 'another image' }));
    const beforeAttach = async (person: CapturePerson) => ({ ...person, front: await pinned(world, person.front) });
    const listed = await Promise.all(people.map(beforeAttach));
    for (const again of [
      captureBatch(world.onboarding, listed, how),
      captureBatch(world.onboarding, people, { ...how, beforeAttach }),
    ]) {
      const [first, second, third] = await all(again);
      expect(second).toEqual({
        index: 1,
        reference: replaced.reference,
        failure: {
          type: FAILURES.personDiffers,
          message: expect.stringContaining(`Person ${replaced.reference}: the image of the front is another one`),
        },
      });
      expect(outcomesOf([first, third] as typeof items)).toEqual(['approved', 'approved']);
    }
    expect(sessionsOf(people)).toEqual([1, 1, 1]);
  });

  it('names the images whose digests beforeAttach does not know', async () => {
    const people = await severalPeople(world, 1);
    const how = options();
    await all(captureBatch(world.onboarding, people, how));
    const beforeAttach = async (person: CapturePerson) => ({ ...person, front: await pinned(world, person.front) });
    expect(await all(captureBatch(world.onboarding, people, { ...how, beforeAttach }))).toMatchObject([
      { outcome: 'approved', notCompared: ['back', 'selfie'] },
    ]);
  });

  it('refuses an invalid person and a repeated reference, and names both places', async () => {
    const people = await severalPeople(world, 4);
    const [first] = people as [CapturePerson];
    const refused = (list: unknown[]) =>
      thrown(all(captureBatch(world.onboarding, list as CapturePerson[], options())));
    expect(await refused([...people, first])).toMatchObject({
      message: 'people[4].reference is the same as that of people[0]',
    });
    expect(await refused([first, { reference: 'x', front: {} }])).toMatchObject({ field: 'people[1].front.uri' });
    expect(() => captureBatch(world.onboarding, [], { plan: { review: 'ask' as never } })).toThrow('plan.review');
    expect(() => captureBatch(world.onboarding, [], { shardSize: 201 })).toThrow('from 1 to 200');
    expect(() => captureBatch(world.onboarding, [], { batchId: 'a b' })).toThrow('batchId');
  });

  it('detaches when the signal is aborted, and attaches again', async () => {
    const people = await severalPeople(world, 4);
    holdUp();
    const detach = new AbortController();
    const how = options();
    const running = thrown(all(captureBatch(world.onboarding, people, { ...how, signal: detach.signal })));
    await untilHeldUp(how.batchId, 4);
    detach.abort();
    const error = await running;
    expect(error).toBeInstanceOf(BatchDetachedError);
    expect(error).toMatchObject({ handedOver: 4, message: expect.stringContaining('4 people continue') });
    world.simulator.clearFaults();
    const seen: BatchRunProgress[] = [];
    const onProgress = (progress: BatchRunProgress) => void seen.push(progress);
    expect(outcomesOf(await all(captureBatch(world.onboarding, people, { ...how, onProgress })))).toEqual(
      people.map(() => 'approved'),
    );
    expect(seen.at(-1)).toMatchObject({ total: 4, handedOver: 4, attached: 4, done: 4, failed: 0 });
    expect(sessionsOf(people)).toEqual([1, 1, 1, 1]);
  });

  it.each([
    ['Incode’s rate limit', { status: 429 }, 'Incode answered 429'],
    ['an outage of Incode', { status: 503 }, 'Incode answered 503'],
    ['a wrong API key', { status: 403 }, 'API key'],
  ])('names %s as what holds up people, until it is over', async (_, { status }, text) => {
    const people = await severalPeople(world, 2);
    world.simulator.fault({ operation: 'processFace', kind: 'status', status, times: null });
    const seen: BatchRunProgress[] = [];
    const onProgress = (progress: BatchRunProgress) => seen.push(progress);
    const how = options({ onProgress, progressIntervalMs: 200 });
    const running = all(captureBatch(world.onboarding, people, how));
    await expect.poll(() => seen.at(-1)?.heldUpBy).toContain(text);
    expect(seen.at(-1)?.heldUpBy).not.toContain('Person');
    expect((await batchProgress(world.onboarding, how.batchId)).heldUpBy).toContain(text);
    world.simulator.clearFaults();
    for (const { reference } of people) await world.onboarding.people.cancel(reference);
    await running;
    expect(seen.at(-1)?.heldUpBy).toBeNull();
    expect((await batchProgress(world.onboarding, how.batchId)).heldUpBy).toBeNull();
  });

  it('names a problem of the session that a person waits for, and no normal wait', async () => {
    const people = await severalPeople(world, 1);
    world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 403, times: null });
    const how = options();
    const running = all(captureBatch(world.onboarding, people, how));
    const heldUpBy = () =>
      batchProgress(world.onboarding, how.batchId).then(
        (status) => status.heldUpBy,
        () => null,
      );
    await expect.poll(heldUpBy).toContain('API key');
    world.simulator.clearFaults();
    for (const { reference } of people) await world.onboarding.people.cancel(reference);
    await running;
    world.simulator.fault({ operation: 'isFinished', kind: 'body', body: '{"finished": false}', times: null });
    const waiting = await severalPeople(world, 1);
    const other = options();
    const waits = all(captureBatch(world.onboarding, waiting, other));
    await expect.poll(() => world.simulator.callsOf(undefined, 'isFinished').length).toBeGreaterThan(2);
    await expect
      .poll(async () => (await world.onboarding.people.state(waiting[0]?.reference ?? '')).call?.attempt)
      .toBeGreaterThan(1);
    expect((await batchProgress(world.onboarding, other.batchId)).heldUpBy).toBeNull();
    world.simulator.clearFaults();
    await waits;
  });

  it('counts the people whose session tokens Incode refuses', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    world.simulator.fault({
      operation: 'addFace',
      externalCustomerId: person.reference,
      kind: 'status',
      status: 401,
      times: null,
    });
    const how = options();
    const rows = all(captureBatch(world.onboarding, [person], how));
    const heldUpBy = async () => (await batchProgress(world.onboarding, how.batchId).catch(() => null))?.heldUpBy;
    await expect.poll(heldUpBy).toBe('1 person waits for a session token that Incode accepts');
    world.simulator.clearFaults();
    expect((await rows).map(({ outcome }) => outcome)).toEqual(['approved']);
  });

  it('counts the people who wait for another image', async () => {
    const people = await severalPeople(world, 2);
    world.simulator.script({ operation: 'addFrontId', times: 2, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
    const how = options({ plan: { onRefusedImage: 'wait' } });
    const running = all(captureBatch(world.onboarding, people, how));
    const heldUpBy = async () => (await batchProgress(world.onboarding, how.batchId).catch(() => null))?.heldUpBy;
    await expect.poll(heldUpBy).toBe('2 people wait for another image');
    const [{ reference }, other] = people as [CapturePerson, CapturePerson];
    await world.onboarding.people.cancel(reference);
    await expect.poll(heldUpBy).toBe('1 person waits for another image');
    await world.onboarding.people.cancel(other.reference);
    await running;
  });

  it('names what people wait for, and estimates no time left if nobody else is left', async () => {
    const people = await severalPeople(world, 3);
    const [image, review] = people as [CapturePerson, CapturePerson];
    review.customFields = { simulate: 'review' };
    const { sha256 } = await pinned(world, image.front);
    world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
    const seen: BatchRunProgress[] = [];
    const onProgress = (progress: BatchRunProgress) => seen.push(progress);
    const plan = { onRefusedImage: 'wait', review: 'wait' } as const;
    const how = { batchId: `people-${randomUUID()}`, plan, onProgress, progressIntervalMs: 200 };
    const running = all(captureBatch(world.onboarding, people, how));
    await expect
      .poll(() => seen.at(-1)?.heldUpBy)
      .toBe('1 person waits for another image; 1 person waits for a reviewer at Incode');
    await expect.poll(() => seen.at(-1)).toMatchObject({ done: 1, timeLeftMs: null });
    expect(seen.at(-1)?.perSecond).toBeGreaterThan(0);
    for (const { reference } of [image, review]) await world.onboarding.people.cancel(reference);
    await running;
  });

  it('says that no worker polls the task queue of the list', async () => {
    const taskQueue = `nobody-${randomUUID()}`;
    const detach = new AbortController();
    const seen: BatchRunProgress[] = [];
    const onProgress = (progress: BatchRunProgress) => seen.push(progress);
    const how = options({ taskQueue, onProgress, progressIntervalMs: 200, signal: detach.signal });
    const running = thrown(all(captureBatch(world.onboarding, await severalPeople(world, 1), how)));
    const text = `no worker polls the task queue ${taskQueue}`;
    await expect.poll(() => seen.at(-1)?.heldUpBy).toBe(text);
    expect(await batchProgress(world.onboarding, how.batchId)).toMatchObject({ unknown: 1, heldUpBy: text });
    detach.abort();
    await running;
    await world.temporal.workflow.getHandle(captureBatchWorkflowId(how.batchId, 0)).terminate();
  });

  it('stops with one row for each person, whether ended, begun, started by another caller, or not handed over', async () => {
    const people = await severalPeople(world, 5);
    const [ended, elsewhere] = people as [CapturePerson, CapturePerson];
    await world.onboarding.people.start(ended);
    await world.onboarding.people.result(ended.reference);
    holdUp();
    await world.onboarding.people.start(elsewhere);
    const how = options({ shardSize: 4, window: 1 });
    const running = all(captureBatch(world.onboarding, people, how));
    const progress = () => batchProgress(world.onboarding, how.batchId).catch(() => null);
    await expect.poll(progress).toMatchObject({ done: 1, waiting: 3 });
    expect(await stopBatch(world.onboarding, how.batchId)).toBe(0);
    const rows = await running;
    const { done, failed, stopped } = await batchProgress(world.onboarding, how.batchId);
    expect({ done, failed, stopped }).toEqual({ done: 1, failed: 0, stopped: 3 });
    expect(rows.map(({ reference }) => reference)).toEqual(people.map(({ reference }) => reference));
    expect(rows[0]?.outcome).toBe('approved');
    const goesOn = rows.filter(({ failure }) => failure?.message.endsWith('goes on unless it is cancelled'));
    expect(goesOn.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(rows[4]?.failure?.message).toContain('before it was handed over');
    world.simulator.clearFaults();
    const again = await all(captureBatch(world.onboarding, people, { ...how, retryFailed: true }));
    expect(outcomesOf(again)).toEqual(people.map(() => 'approved'));
    expect(sessionsOf(people)).toEqual(people.map(() => 1));
  });

  it('cancels the people whom the stopped batch has begun, on request, and nobody else', async () => {
    const people = await severalPeople(world, 3);
    const [elsewhere, ...begun] = people as [CapturePerson, CapturePerson, CapturePerson];
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 429, times: null });
    await world.onboarding.people.start(elsewhere);
    const how = { batchId: `people-${randomUUID()}`, plan: {} };
    const running = all(captureBatch(world.onboarding, people, how));
    await expect.poll(() => sessionsOf(people)).toEqual([1, 1, 1]);
    expect(await stopBatch(world.onboarding, how.batchId, { cancelPeople: true })).toBe(0);
    expect(outcomesOf(await running)).toEqual(people.map(() => FAILURES.batchStopped));
    const statuses = people.map(async ({ reference }) => (await world.onboarding.people.state(reference)).status);
    expect(await Promise.all(statuses)).toEqual(['running', 'cancelled', 'cancelled']);
    world.simulator.clearFaults();
    const again = await all(captureBatch(world.onboarding, people, { ...how, retryFailed: true }));
    expect(outcomesOf(again)).toEqual(people.map(() => 'approved'));
    expect(sessionsOf([elsewhere, ...begun])).toEqual([1, 2, 2]);
  });

  it('pauses, resumes and stops, and retryFailed continues with the rest', async () => {
    const people = await severalPeople(world, 6);
    holdUp();
    const how = options({ window: 2 });
    const running = all(captureBatch(world.onboarding, people, how));
    const progress = () => batchProgress(world.onboarding, how.batchId).catch(() => null);
    await expect.poll(async () => (await progress())?.waiting).toBe(4);
    expect(await pauseBatch(world.onboarding, how.batchId)).toBe(2);
    await expect.poll(async () => (await progress())?.paused).toBe(true);
    expect(await resumeBatch(world.onboarding, how.batchId)).toBe(2);
    expect(await stopBatch(world.onboarding, how.batchId)).toBe(0);
    const items = await running;
    expect(outcomesOf(items)).toEqual(people.map(() => FAILURES.batchStopped));
    expect(items[0]?.failure?.message).toContain('goes on');
    expect(items[5]?.failure?.message).toBe(
      `Person ${people[5]?.reference}: the batch was stopped before it was handed over`,
    );
    world.simulator.clearFaults();
    const again = await all(captureBatch(world.onboarding, people, { ...how, retryFailed: true }));
    expect(outcomesOf(again)).toEqual(people.map(() => 'approved'));
    expect(sessionsOf(people)).toEqual(people.map(() => 1));
  });

  it('starts failed people again with retryFailed only, also those of an earlier list', async () => {
    const people = await severalPeople(world, 2);
    world.simulator.fault({ operation: 'start', kind: 'status', status: 400, times: 2 });
    const how = options();
    const items = await all(captureBatch(world.onboarding, people, how));
    expect(outcomesOf(items)).toEqual([FAILURES.badRequest, FAILURES.badRequest]);
    const [first, second] = people as [CapturePerson, CapturePerson];
    expect(outcomesOf(await all(captureBatch(world.onboarding, people, how)))).toEqual(outcomesOf(items));
    const other = options({ retryFailed: true });
    expect(outcomesOf(await all(captureBatch(world.onboarding, [second], other)))).toEqual(['approved']);
    const again = await all(captureBatch(world.onboarding, people, { ...how, retryFailed: true }));
    expect(outcomesOf(again)).toEqual(['approved', 'approved']);
    expect(sessionsOf([first, second])).toEqual([1, 1]);
  });

  it('names a shard that somebody terminates, and attaches to its people when it is run again', async () => {
    const people = await severalPeople(world, 2);
    holdUp();
    const how = options();
    const running = thrown(all(captureBatch(world.onboarding, people, how)));
    await untilHeldUp(how.batchId, 2);
    await world.temporal.workflow.getHandle(captureBatchWorkflowId(how.batchId, 0)).cancel();
    const error = await running;
    expect(error).toBeInstanceOf(BatchShardError);
    expect(error).toMatchObject({ type: 'Cancelled', message: expect.stringContaining('attach to its people') });
    world.simulator.clearFaults();
    expect(outcomesOf(await all(captureBatch(world.onboarding, people, how)))).toEqual(['approved', 'approved']);
    expect(sessionsOf(people)).toEqual([1, 1]);
  });

  it('names a shard that ends while images are read again, at once', async () => {
    const people = await severalPeople(world, 2);
    holdUp();
    const how = options();
    const running = thrown(all(captureBatch(world.onboarding, people, how)));
    await untilHeldUp(how.batchId, 2);
    let release = () => {};
    const isRead = new Promise<void>((resolve) => {
      release = resolve;
    });
    const beforeAttach = vi.fn((person: CapturePerson) => isRead.then(() => person));
    const again = thrown(all(captureBatch(world.onboarding, people, { ...how, beforeAttach })));
    await expect.poll(() => beforeAttach.mock.calls.length).toBe(2);
    await world.temporal.workflow.getHandle(captureBatchWorkflowId(how.batchId, 0)).cancel();
    for (const error of [await running, await again]) expect(error).toBeInstanceOf(BatchShardError);
    release();
    world.simulator.clearFaults();
  });

  it('calls beforeStart for people who are started, and not for those whom the server has', async () => {
    const people = await severalPeople(world, 3);
    const called: string[] = [];
    const beforeStart = async (person: CapturePerson) => {
      called.push(person.reference);
      return { ...person, front: await pinned(world, person.front) };
    };
    const how = options({ beforeStart });
    await all(captureBatch(world.onboarding, people, how));
    await all(captureBatch(world.onboarding, people, how));
    expect(called.sort()).toEqual(people.map(({ reference }) => reference).sort());
    const broken = options({ beforeStart: () => Promise.reject(new Error('the image is gone')) });
    await expect(all(captureBatch(world.onboarding, people, broken))).rejects.toThrow('the image is gone');
  });

  it('reads from a list of 2,000 people only as many as its window has room for', async () => {
    let read = 0;
    async function* people(): AsyncGenerator<CapturePerson> {
      for (; read < 2_000; read += 1) yield { reference: `person-${randomUUID()}`, front: { uri: 'file:front.jpg' } };
    }
    const detach = new AbortController();
    const seen: BatchRunProgress[] = [];
    const batch = captureBatch(world.onboarding, people(), {
      // No worker takes them.
      taskQueue: `nobody-${randomUUID()}`,
      window: 2,
      signal: detach.signal,
      onProgress: (progress) => void seen.push(progress),
      progressIntervalMs: 100,
    });
    const running = thrown(all(batch));
    await expect.poll(() => seen.at(-1)?.handedOver).toBe(400);
    expect(read).toBeLessThanOrEqual(601);
    detach.abort();
    expect(await running).toBeInstanceOf(BatchDetachedError);
    for (const shard of [0, 1]) {
      await world.temporal.workflow.getHandle(captureBatchWorkflowId(batch.batchId, shard)).terminate();
    }
  });

  it('starts shards with search attribute, summary and a memo without images', async () => {
    const people = await severalPeople(world, 2);
    const how = options();
    await all(captureBatch(world.onboarding, people, how));
    const shard = await world.temporal.workflow.getHandle(captureBatchWorkflowId(how.batchId, 0)).describe();
    expect(shard.searchAttributes).toMatchObject({ [SEARCH_ATTRIBUTES.batchId]: [how.batchId] });
    expect(shard.memo).toEqual({
      contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      plan: expect.stringContaining('"onRefusedImage":"continue"'),
      people: 2,
      total: 2,
    });
  });
});

describe('shards of people', () => {
  const kind = peopleKind({ plan: {}, retryFailed: false, beforeStart: (person) => person });
  const cut = (people: CapturePerson[]) => all(cutShards(people, 200, kind.shape()));
  const many = (count: number, customFields = {}): CapturePerson[] =>
    Array.from({ length: count }, (_, at) => ({
      reference: `person-${at}`,
      front: { uri: 'file:front.jpg' },
      back: { uri: 'file:back.jpg' },
      selfie: { uri: 'file:selfie.jpg' },
      customFields,
    }));
  const image = { uri: 'file:image.jpg', sha256: 'a'.repeat(64), bytes: 7_499_925 };

  it('have 200 people at most, and fewer if these are large', async () => {
    expect((await cut(many(401))).map(({ items }) => items.length)).toEqual([200, 200, 1]);
    const large = Object.fromEntries([...Array(20).keys()].map((key) => [`field ${key}`, 'ä'.repeat(1_000)]));
    const shards = await cut(many(200, large));
    expect(shards.length).toBeGreaterThan(5);
    expect(shards.flatMap(({ items }) => items)).toHaveLength(200);
  });

  it('are cut at the same places with digests, and fit into the limit with them', async () => {
    const fields = {
      text: 'x'.repeat(1_000),
      more: 'x'.repeat(1_000),
      again: 'x'.repeat(1_000),
      much: 'x'.repeat(1_000),
      tail: 'x'.repeat(1_000),
      once: 'x'.repeat(990),
    };
    const pinnedPeople = many(600, fields).map((person) => ({
      ...person,
      ...Object.fromEntries(
        (['front', 'back', 'selfie'] as const).map((side) => [side, { ...image, ...person[side] }]),
      ),
    }));
    const [with_, without] = [await cut(pinnedPeople), await cut(many(600, fields))];
    const cuts = (shards: typeof without) => shards.map(({ first, contentHash }) => [first, contentHash]);
    expect(cuts(with_)).toEqual(cuts(without));
    expect(with_.length).toBeGreaterThan(3);
    for (const { items } of with_) expect(JSON.stringify(items).length).toBeLessThan(MAX_SHARD_BYTES);
  });
});
