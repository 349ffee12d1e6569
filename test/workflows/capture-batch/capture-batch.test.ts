import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BATCH_SIGNALS,
  type CapturePerson,
  type CaptureRow,
  captureBatchWorkflowId,
  captureWorkflowId,
  FAILURES,
  ONBOARDING_WORKFLOW,
  onboardingWorkflowId,
  SEARCH_ATTRIBUTES,
} from '../../../src/contract/index.js';
import { progressOfPeople, severalPeople, startPeople } from '../../support/capture-batch.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../../support/capture-world.js';
import { billableActions } from '../../support/history.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const rowsOf = async (people: CapturePerson[], more = {}): Promise<CaptureRow[]> =>
  (await (await startPeople(world, people, more)).result()).rows;
const outcomesOf = (rows: CaptureRow[]) => rows.map(({ outcome, failure }) => outcome ?? failure?.type);
const sessionsOf = (people: CapturePerson[]) => people.map((person) => world.sessionsOf(person).length);
const start = (person: CapturePerson) => world.start(person);

/** Nobody gets past this call, and everybody soon after the fault is cleared. */
function holdUp(operation: 'start' | 'processFace'): void {
  world.simulator.fault({ operation, kind: 'status', status: 429, times: null });
}

async function refuseFront({ front }: CapturePerson): Promise<void> {
  const { sha256 } = await pinned(world, front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
}

describe('captureBatch', () => {
  it('onboards more people than it has places, and returns a row for each in their order', async () => {
    const people = await severalPeople(world, 23);
    const rows = await rowsOf(people);
    expect(rows).toHaveLength(23);
    for (const [index, person] of people.entries()) {
      const [session] = world.sessionsOf(person);
      expect(rows[index]).toEqual({
        interviewId: session?.interviewId,
        outcome: 'approved',
        reason: "The score's overall status is OK.",
        score: { status: 'OK', value: '94.6' },
        images: { front: 'accepted', back: 'accepted', selfie: 'accepted' },
        digests: { front: [expect.any(String)], back: [expect.any(String)], selfie: [expect.any(String)] },
        face: { confidence: 1, existingUser: false, nameMatched: false, code: null },
      });
    }
    expect(sessionsOf(people)).toEqual(people.map(() => 1));
  });

  it('reports a person who fails as a row, with the session and Incode’s answer about the image', async () => {
    const people = await severalPeople(world, 3);
    const [, refused, gone] = people as [CapturePerson, CapturePerson, CapturePerson];
    await refuseFront(refused);
    await unlink(join(world.directory, gone.front.uri.slice('file:'.length)));
    const rows = await rowsOf(people, { plan: { onRefusedImage: 'fail' } });
    expect(outcomesOf(rows)).toEqual(['approved', FAILURES.imageRefused, FAILURES.imageUnusable]);
    expect(rows[1]).toEqual({
      interviewId: world.sessionsOf(refused)[0]?.interviewId,
      images: { front: 'refused DOCUMENT_NOT_READABLE classification readability sharpness' },
      failure: { type: FAILURES.imageRefused, message: expect.stringContaining(refused.reference) },
    });
    expect(rows[2]).toEqual({
      failure: { type: FAILURES.imageUnusable, message: expect.stringContaining('does not exist') },
    });
    expect(sessionsOf(people)).toEqual([1, 1, 0]);
  });

  it('names the suspected orphan of a person whose first session was lost', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    const [row] = await rowsOf([person], { plan: { findSessionWithin: '300ms' } });
    expect(row).toMatchObject({ outcome: 'approved' });
    const orphan = world.sessionsOf(person).find(({ interviewId }) => interviewId !== row?.interviewId);
    expect(row?.suspectedOrphans).toEqual([{ externalCustomerId: orphan?.externalCustomerId, interviewId: null }]);
  });

  it('attaches to people whose workflows run or have ended, and opens no second session', async () => {
    const people = await severalPeople(world, 4);
    const [ended, failed, running] = people as [CapturePerson, CapturePerson, CapturePerson];
    await (await start(ended)).result();
    await refuseFront(failed);
    await (await world.start({ ...failed, plan: { onRefusedImage: 'fail' } })).result().catch(() => undefined);
    holdUp('processFace');
    await start(running);
    await expect.poll(() => world.sessionsOf(running).length).toBe(1);
    const handle = await startPeople(world, people);
    await expect.poll(async () => (await progressOfPeople(handle)).failed).toBe(1);
    expect(await progressOfPeople(handle)).toMatchObject({ total: 4, done: 1, failed: 1, waiting: 2 });
    world.simulator.clearFaults();
    const { rows } = await handle.result();
    expect(outcomesOf(rows)).toEqual(['approved', FAILURES.imageRefused, 'approved', 'approved']);
    expect(rows[1]).toMatchObject({ images: { front: expect.stringContaining('refused DOCUMENT_NOT_READABLE') } });
    expect(sessionsOf(people)).toEqual([1, 1, 1, 1]);
    // Another list with the same people gets the same rows.
    expect(await rowsOf(people)).toEqual(rows);
    expect(sessionsOf(people)).toEqual([1, 1, 1, 1]);
  });

  it('begins failed people again with retryFailed, and keeps the rows of the others', async () => {
    const people = await severalPeople(world, 3);
    const [, failed, kept] = people as [CapturePerson, CapturePerson, CapturePerson];
    world.simulator.fault({ operation: 'start', kind: 'status', status: 400 });
    await (await start(failed)).result().catch(() => undefined);
    const earlier = [null, null, { outcome: 'rejected' as const }];
    const rows = await rowsOf(people, { retryFailed: true, earlier });
    expect(outcomesOf(rows)).toEqual(['approved', 'approved', 'rejected']);
    expect(sessionsOf([kept])).toEqual([0]);
  });

  it('reports no result of a workflow that was started with other images of the person', async () => {
    const people = await severalPeople(world, 2);
    const [first, second] = people as [CapturePerson, CapturePerson];
    await rowsOf(people);
    const other = { ...second, front: await world.image() };
    const rows = await rowsOf([first, other]);
    expect(outcomesOf(rows)).toEqual(['approved', FAILURES.personDiffers]);
    expect(rows[1]?.interviewId).toBeUndefined();
    expect(sessionsOf(people)).toEqual([1, 1]);
  });

  it('reports the outcome of a session whose workflow another caller has started', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    holdUp('processFace');
    const handle = await startPeople(world, [person]);
    await expect.poll(() => world.sessionsOf(person).length).toBe(1);
    const interviewId = String(world.sessionsOf(person)[0]?.interviewId);
    const session = await world.temporal.workflow.start(ONBOARDING_WORKFLOW, {
      workflowId: onboardingWorkflowId(interviewId),
      taskQueue: world.taskQueue,
      args: [{ interviewId, plan: { finishWhen: 'asked' } }],
    });
    world.simulator.clearFaults();
    await expect
      .poll(
        async () => (await world.temporal.workflow.getHandle(captureWorkflowId(person.reference)).describe()).status,
      )
      .toMatchObject({ name: 'COMPLETED' });
    await session.executeUpdate('finish');
    expect((await handle.result()).rows).toEqual([expect.objectContaining({ interviewId, outcome: 'approved' })]);
  });

  it('begins nobody while it is paused', async () => {
    const people = await severalPeople(world, 22);
    holdUp('start');
    const handle = await startPeople(world, people);
    await expect.poll(async () => (await progressOfPeople(handle)).waiting).toBe(20);
    await handle.signal(BATCH_SIGNALS.pause);
    world.simulator.clearFaults();
    await expect.poll(async () => (await progressOfPeople(handle)).done).toBe(20);
    expect(await progressOfPeople(handle)).toMatchObject({ paused: true, waiting: 0 });
    await handle.signal(BATCH_SIGNALS.resume);
    expect(outcomesOf((await handle.result()).rows)).toEqual(people.map(() => 'approved'));
  });

  it('ends at once when it is stopped, and the people who have begun go on', async () => {
    const people = await severalPeople(world, 22);
    holdUp('start');
    const handle = await startPeople(world, people);
    await expect.poll(async () => (await progressOfPeople(handle)).waiting).toBe(20);
    await handle.signal(BATCH_SIGNALS.stop);
    const { rows } = await handle.result();
    expect(outcomesOf(rows)).toEqual(people.map(() => FAILURES.batchStopped));
    expect(rows[0]?.failure?.message).toContain(`${captureWorkflowId(people[0]?.reference ?? '')} goes on`);
    expect(rows[21]?.failure?.message).toContain('before this person was begun');
    world.simulator.clearFaults();
    const again = await rowsOf(people, { retryFailed: true, earlier: rows.map(() => null) });
    expect(outcomesOf(again)).toEqual(people.map(() => 'approved'));
    expect(sessionsOf(people)).toEqual(people.map(() => 1));
  });

  it('leaves people alone when it is cancelled or terminated', async () => {
    for (const end of ['cancel', 'terminate'] as const) {
      const people = await severalPeople(world, 2);
      holdUp('processFace');
      const handle = await startPeople(world, people);
      await expect.poll(() => sessionsOf(people)).toEqual([1, 1]);
      await handle[end]();
      await expect(handle.result()).rejects.toThrow();
      world.simulator.clearFaults();
      expect(outcomesOf(await rowsOf(people))).toEqual(['approved', 'approved']);
      expect(sessionsOf(people)).toEqual([1, 1]);
    }
  });

  it('reports a person whose workflow was terminated, and begins the person again with retryFailed', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    holdUp('start');
    const handle = await startPeople(world, [person]);
    await expect.poll(async () => (await progressOfPeople(handle)).waiting).toBe(1);
    const begun = world.temporal.workflow.getHandle(captureWorkflowId(person.reference));
    // The shard counts a person as begun before the server has started the workflow.
    await expect.poll(() => begun.describe().catch(() => null)).not.toBeNull();
    await begun.terminate();
    const message = `Person ${person.reference}: the workflow was terminated`;
    expect((await handle.result()).rows).toEqual([{ failure: { type: 'Terminated', message } }]);
    world.simulator.clearFaults();
    expect(outcomesOf(await rowsOf([person], { retryFailed: true }))).toEqual(['approved']);
  });

  it.each(['cancel', 'terminate'] as const)(
    'names the session of a person whom somebody has ended by %s',
    async (end) => {
      const [person] = (await severalPeople(world, 1)) as [CapturePerson];
      holdUp('processFace');
      const handle = await startPeople(world, [person]);
      await expect.poll(() => sessionsOf([person])).toEqual([1]);
      // The workflow knows the session once it uploads.
      const [{ interviewId } = { interviewId: '' }] = world.sessionsOf(person);
      await expect.poll(() => world.uploads(interviewId)).toHaveLength(3);
      await world.temporal.workflow.getHandle(captureWorkflowId(person.reference))[end]();
      const type = end === 'cancel' ? 'Cancelled' : 'Terminated';
      expect((await handle.result()).rows).toEqual([
        { interviewId, failure: { type, message: expect.stringContaining(person.reference) } },
      ]);
      world.simulator.clearFaults();
    },
  );

  it('names the sessions of people who have begun when it is stopped', async () => {
    const people = await severalPeople(world, 2);
    const [lost] = people as [CapturePerson];
    world.simulator.fault({
      operation: 'start',
      externalCustomerId: lost.reference,
      kind: 'reset',
      effect: true,
    });
    holdUp('processFace');
    const handle = await startPeople(world, people, { plan: { findSessionWithin: '100ms' } });
    await expect.poll(() => sessionsOf(people)).toEqual([2, 1]);
    const used = () => people.map((person) => world.sessionsOf(person).at(-1)?.interviewId ?? '');
    await expect.poll(() => used().map((interviewId) => world.uploads(interviewId).length)).toEqual([3, 3]);
    await handle.signal(BATCH_SIGNALS.stop);
    const { rows } = await handle.result();
    expect(outcomesOf(rows)).toEqual([FAILURES.batchStopped, FAILURES.batchStopped]);
    expect(rows.map(({ interviewId }) => interviewId)).toEqual(used());
    const [{ externalCustomerId } = { externalCustomerId: '' }] = world.sessionsOf(lost);
    expect(rows[0]?.suspectedOrphans).toEqual([{ externalCustomerId, interviewId: null }]);
    expect(rows[1]).not.toHaveProperty('suspectedOrphans');
    for (const { reference } of people) await world.onboarding.people.cancel(reference);
    world.simulator.clearFaults();
  });

  it('makes people and their sessions searchable by batch', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    const batchId = `people-${randomUUID()}`;
    const handle = await startPeople(world, [person], { batchId });
    const { rows } = await handle.result();
    const ids = async () => {
      const found: string[] = [];
      const query = `${SEARCH_ATTRIBUTES.batchId} = '${batchId}'`;
      for await (const { workflowId } of world.temporal.workflow.list({ query })) found.push(workflowId);
      return found.sort();
    };
    await expect
      .poll(ids)
      .toEqual([captureWorkflowId(person.reference), onboardingWorkflowId(String(rows[0]?.interviewId))]);
  });

  it('costs 15 billable actions for each person, without repeated polls of the score', async () => {
    const people = await severalPeople(world, 4);
    const handle = await startPeople(world, people);
    const { rows } = await handle.result();
    const { workflow } = world.temporal;
    const actionsOf = async (workflowId: string, polled: string[] = []) =>
      billableActions(await workflow.getHandle(workflowId).fetchHistory(), polled);
    for (const [at, { reference }] of people.entries()) {
      const person = await actionsOf(captureWorkflowId(reference));
      const session = await actionsOf(onboardingWorkflowId(String(rows[at]?.interviewId)), ['score']);
      // One poll of the score, and the commands that start the person and the session.
      expect(person + session + 1 + 2).toBe(15);
    }
    expect(billableActions(await handle.fetchHistory())).toBe(1);
  });

  it('refuses an invalid input', async () => {
    const handle = await startPeople(world, []);
    const cause = { type: FAILURES.invalidInput, message: 'people must be a list of 1 to 200 people' };
    await expect(handle.result()).rejects.toMatchObject({ cause });
    expect(handle.workflowId).toMatch(captureBatchWorkflowId('people-', 0).replace('/0', ''));
  });
});
