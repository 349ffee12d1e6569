import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CapturePerson, captureWorkflowId, FAILURES, type SuspectedOrphan } from '../../../src/contract/index.js';
import { progressOfPeople, severalPeople, startPeople } from '../../support/capture-batch.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../../support/capture-world.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.simulator.clearFaults();
  world.simulator.clearScripts();
});

async function onePerson(): Promise<CapturePerson> {
  const [person] = (await severalPeople(world, 1)) as [CapturePerson];
  return person;
}

async function rowsOf(person: CapturePerson, more = {}) {
  return (await (await startPeople(world, [person], more)).result()).rows;
}

/** The person's workflow has ended, and that of the session waits for somebody. */
async function endInSession(person: CapturePerson, end: 'terminate' | 'cancel'): Promise<SuspectedOrphan> {
  const { people } = world.onboarding;
  await people.start({ ...person, plan: { finishWhen: 'asked' } });
  const inSession = async () => (await people.state(person.reference)).session?.state?.stage;
  await expect.poll(inSession).toBe('waiting');
  await world.temporal.workflow.getHandle(captureWorkflowId(person.reference))[end]();
  await people.result(person.reference).catch(() => undefined);
  return sessionOf(person, 0);
}

function sessionOf(person: CapturePerson, index: number): SuspectedOrphan {
  const { externalCustomerId = '', interviewId = '' } = world.sessionsOf(person)[index] ?? {};
  return { externalCustomerId: String(externalCustomerId), interviewId };
}

async function refuseFront({ front }: CapturePerson): Promise<void> {
  const { sha256 } = await pinned(world, front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
}

describe('captureBatch with retryFailed', () => {
  it('refuses a terminated person whose session is still being completed or has been completed', async () => {
    const person = await onePerson();
    const { interviewId } = await endInSession(person, 'terminate');
    const failure = { type: FAILURES.personHasSession, message: expect.stringContaining('is still being completed') };
    expect(await rowsOf(person, { retryFailed: true })).toEqual([{ interviewId, failure }]);
    await world.onboarding.finish({ interviewId: String(interviewId) });
    await world.onboarding.result(String(interviewId));
    const [row] = await rowsOf({ ...person, front: await world.image() }, { retryFailed: true });
    expect(row?.failure?.message).toContain(`session ${interviewId} of the earlier run has been completed`);
    expect(world.sessionsOf(person)).toHaveLength(1);
  });

  it('names the session of a cancelled person as a suspected orphan', async () => {
    const person = await onePerson();
    const first = await endInSession(person, 'cancel');
    const rows = await rowsOf(person, { retryFailed: true });
    expect(rows).toEqual([expect.objectContaining({ outcome: 'approved', suspectedOrphans: [first] })]);
    expect(world.sessionsOf(person)).toHaveLength(2);
  });

  it('starts a person again once, also with other images', async () => {
    const person = await onePerson();
    await refuseFront(person);
    const plan = { onRefusedImage: 'fail' as const };
    await rowsOf(person, { plan });
    const other = { ...person, front: await world.image() };
    await refuseFront(other);
    const [row] = await rowsOf(other, { plan, retryFailed: true });
    expect(row?.failure?.type).toBe(FAILURES.imageRefused);
    expect(row?.suspectedOrphans).toEqual([sessionOf(person, 0)]);
    expect(row?.interviewId).toBe(sessionOf(person, 1).interviewId);
    expect(world.sessionsOf(person)).toHaveLength(2);
  });

  it('starts nobody again who has failed after the list had asked for the person', async () => {
    const person = await onePerson();
    world.simulator.fault({ operation: 'processId', kind: 'status', status: 429, times: null });
    await world.onboarding.people.start(person);
    const list = await startPeople(world, [person], { retryFailed: true });
    const asked = async () => {
      const { events } = await world.temporal.workflow.getHandle(list.workflowId).fetchHistory();
      return events?.filter(({ activityTaskCompletedEventAttributes: completed }) => completed).length ?? 0;
    };
    await expect.poll(asked).toBeGreaterThan(0);
    expect(await progressOfPeople(list)).toMatchObject({ waiting: 1 });
    await world.temporal.workflow.getHandle(captureWorkflowId(person.reference)).terminate();
    expect((await list.result()).rows[0]?.failure?.type).toBe('Terminated');
    expect(world.sessionsOf(person)).toHaveLength(1);
  });
});
