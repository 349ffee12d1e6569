import { randomUUID } from 'node:crypto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { CollectedResults, StartedPerson } from '../../../src/activities/capture/types.js';
import { startedWithOf } from '../../../src/contract/capture.js';
import {
  CAPTURE_BATCH_WORKFLOW,
  CAPTURE_WORKFLOW,
  type CapturePerson,
  captureBatchWorkflowId,
  captureWorkflowId,
  FAILURES,
} from '../../../src/contract/index.js';
import { severalPeople, startPeople } from '../../support/capture-batch.js';
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
    const taskQueue = `elsewhere-${randomUUID()}`;
    const { temporal } = world;
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    await temporal.workflow.start(CAPTURE_WORKFLOW, {
      workflowId: captureWorkflowId(person.reference),
      taskQueue: `nobody-${randomUUID()}`,
      args: [person],
    });
    const questions: StartedPerson[] = [];
    const answers: CollectedResults[] = [
      // The Temporal server did not answer.
      { ended: [], unknown: [] },
      { ended: [], unknown: [], compared: [[0, 'first-run']] },
      { ended: [], unknown: [], compared: [[0, null]] },
      { ended: [[0, { outcome: 'approved' }]], unknown: [] },
    ];
    const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
    const worker = await Worker.create({
      connection,
      namespace: inject('temporalNamespace'),
      taskQueue,
      workflowBundle: WORKFLOW_BUNDLE,
      activities: {
        async collectResults({ people }: { people: StartedPerson[] }) {
          questions.push(...people);
          return answers[questions.length - 1];
        },
      },
    });
    const batchId = `people-${randomUUID()}`;
    const { rows } = await worker.runUntil(
      temporal.workflow.execute(CAPTURE_BATCH_WORKFLOW, {
        workflowId: captureBatchWorkflowId(batchId, 0),
        taskQueue,
        args: [{ batchId, shard: 0, people: [person] }],
      }),
    );
    await connection.close();
    await temporal.workflow.getHandle(captureWorkflowId(person.reference)).terminate();
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
});
