import { randomUUID } from 'node:crypto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { CollectedResults, StartedPerson } from '../../../src/activities/capture/types.js';
import { startedWithOf } from '../../../src/contract/capture.js';
import {
  BATCH_SIGNALS,
  CAPTURE_WORKFLOW,
  type CapturePerson,
  captureWorkflowId,
  FAILURES,
} from '../../../src/contract/index.js';
import { type PeopleHandle, severalPeople, startPeople } from '../../support/capture-batch.js';
import { type CaptureWorld, startCaptureWorld } from '../../support/capture-world.js';
import { WORKFLOW_BUNDLE } from '../../support/world.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => world.simulator.clearFaults());

const outcomesOf = (rows: { outcome?: string; failure?: { type: string } }[]) =>
  rows.map(({ outcome, failure }) => outcome ?? failure?.type);

describe('a list that attaches to a person', () => {
  it('reports no result of a workflow that was started with other images after the list had asked for the first one', async () => {
    const { people } = world.onboarding;
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 429, times: null });
    await people.start(person);
    const list = await startPeople(world, [person]);
    const asked = async () => {
      const { events } = await world.temporal.workflow.getHandle(list.workflowId).fetchHistory();
      return events?.filter(({ activityTaskCompletedEventAttributes: completed }) => completed).length ?? 0;
    };
    await expect.poll(asked).toBeGreaterThan(0);
    // Replaced in one request, so that no question finds the first workflow ended.
    const other = { ...person, front: await world.image() };
    await world.temporal.workflow.start(CAPTURE_WORKFLOW, {
      workflowId: captureWorkflowId(person.reference),
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
      taskQueue: world.taskQueue,
      args: [other],
      memo: { startedWith: startedWithOf(other) },
    });
    world.simulator.clearFaults();
    await people.result(person.reference, { person: other });
    expect(outcomesOf((await list.result()).rows)).toEqual([FAILURES.personDiffers]);
  });

  it.each([
    ['custom fields', { customFields: { firstName: 'Bob' } }],
    ['no custom fields', { customFields: {} }],
    ['another country', { customFields: { firstName: 'Ann' }, countryCode: 'USA' }],
  ])('reports no result of a workflow that was started with other texts, such as %s', async (_, part) => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    await world.onboarding.people.start({ ...person, customFields: { firstName: 'Ann' } });
    await world.onboarding.people.result(person.reference);
    const { rows } = await (await startPeople(world, [{ ...person, ...part }])).result();
    expect(outcomesOf(rows)).toEqual([FAILURES.personDiffers]);
    expect(JSON.stringify(rows)).not.toMatch(/Ann|Bob/);
  });

  it('counts custom fields in another order and the default country as the same', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    await world.onboarding.people.start({ ...person, customFields: { branch: 'Boston', desk: '4' } });
    await world.onboarding.people.result(person.reference);
    const same = { ...person, countryCode: 'ALL', customFields: { desk: '4', branch: 'Boston' } };
    const { rows } = await (await startPeople(world, [same])).result();
    expect(outcomesOf(rows)).toEqual(['approved']);
  });
});

describe('captureBatch', () => {
  it('asks with what the person was started with until that was compared for the run', async () => {
    const { temporal } = world;
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    const started = await startUnserved(person);
    const questions: StartedPerson[] = [];
    const answers: CollectedResults[] = [
      // The Temporal server did not answer.
      NOBODY,
      { ...NOBODY, compared: [[0, 'first-run']] },
      { ...NOBODY, compared: [[0, null]] },
      { ended: [[0, { outcome: 'approved' }]], unknown: [] },
    ];
    const collect = async (people: StartedPerson[]) => {
      questions.push(...people);
      return answers[questions.length - 1] ?? NOBODY;
    };
    const { rows } = await withAnswers(collect, async (list) => (await list([person])).result());
    await temporal.workflow.getHandle(started).terminate();
    expect(rows).toEqual([{ outcome: 'approved' }]);
    const startedWith = expect.objectContaining({ front: person.front });
    const { reference } = person;
    expect(questions).toEqual([
      { index: 0, reference, startedWith },
      { index: 0, reference, startedWith },
      { index: 0, reference, comparedRunId: 'first-run' },
      { index: 0, reference, startedWith },
    ]);
  });

  it('ends at once when it is stopped while it asks for people whom it has not started', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    const started = await startUnserved(person);
    const asked = new Signal();
    const ended = new Signal();
    const collect = async ([first]: StartedPerson[]) => {
      if (first?.onlySession) return NOBODY;
      asked.give();
      await ended.given;
      return NOBODY;
    };
    const { rows } = await withAnswers(collect, async (list) => {
      const handle = await list([person]);
      await asked.given;
      await handle.signal(BATCH_SIGNALS.stop);
      return handle.result().finally(() => ended.give());
    });
    await world.temporal.workflow.getHandle(started).terminate();
    expect(outcomesOf(rows)).toEqual([FAILURES.batchStopped]);
  });

  it('begins another person in the place of one who was terminated before it knows the sessions of that one', async () => {
    const people = await severalPeople(world, 21);
    const ended = new Signal();
    const collect = async ([first]: StartedPerson[]) => {
      if (!first?.onlySession) await ended.given;
      return NOBODY;
    };
    await withAnswers(collect, async (list) => {
      const handle = await list(people);
      // It counts people as begun before the server has started them.
      await expect.poll(() => startedOf(people)).toHaveLength(20);
      const [first] = (await startedOf(people)) as [string];
      await world.temporal.workflow.getHandle(first).terminate();
      await expect.poll(() => startedOf(people)).toHaveLength(21);
      await handle.signal(BATCH_SIGNALS.stop);
      await handle.result();
      ended.give();
    });
    for (const workflowId of await startedOf(people)) {
      await world.temporal.workflow
        .getHandle(workflowId)
        .terminate()
        .catch(() => undefined);
    }
  });
});

const NOBODY: CollectedResults = { ended: [], unknown: [] };

/** Starts a person whom no worker serves. @returns the workflow id */
async function startUnserved(person: CapturePerson): Promise<string> {
  const workflowId = captureWorkflowId(person.reference);
  const taskQueue = `nobody-${randomUUID()}`;
  await world.temporal.workflow.start(CAPTURE_WORKFLOW, { workflowId, taskQueue, args: [person] });
  return workflowId;
}

/** @returns the workflow ids of the people whom the server has started */
async function startedOf(people: CapturePerson[]): Promise<string[]> {
  const ids = people.map(async ({ reference }) => {
    const workflowId = captureWorkflowId(reference);
    const run = await world.temporal.workflow
      .getHandle(workflowId)
      .describe()
      .catch(() => null);
    return run === null ? [] : [workflowId];
  });
  return (await Promise.all(ids)).flat();
}

/** Runs lists with a worker whose only activity is `collectResults`. People whom the lists start remain in their first activity. */
async function withAnswers<T>(
  collect: (people: StartedPerson[]) => Promise<CollectedResults>,
  use: (list: (people: CapturePerson[]) => Promise<PeopleHandle>) => Promise<T>,
): Promise<T> {
  const taskQueue = `elsewhere-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const worker = await Worker.create({
    connection,
    namespace: inject('temporalNamespace'),
    taskQueue,
    workflowBundle: WORKFLOW_BUNDLE,
    activities: { collectResults: ({ people }: { people: StartedPerson[] }) => collect(people) },
  });
  try {
    return await worker.runUntil(use((people) => startPeople({ ...world, taskQueue }, people)));
  } finally {
    await connection.close();
  }
}

class Signal {
  give: () => void = () => undefined;
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}
