import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { collectResults } from '../../../src/activities/capture/collect-results.js';
import type { CollectedResults, StartedPerson } from '../../../src/activities/capture/types.js';
import { requestOf, startedWithOf } from '../../../src/contract/capture.js';
import { CAPTURE_WORKFLOW, type CapturePerson, captureWorkflowId, FAILURES } from '../../../src/contract/index.js';
import { ImageError } from '../../../src/images/errors.js';
import type { ImageSource } from '../../../src/images/index.js';
import { startCaptureWorld } from '../../support/capture-world.js';

let connection: Connection;
let client: Client;
beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection, namespace: inject('temporalNamespace') });
});
afterAll(() => connection.close());

let person: CapturePerson;
let runId: string;
beforeEach(async () => {
  const front = { uri: 'file:ann.jpg', sha256: 'a'.repeat(64) };
  person = { reference: randomUUID(), front, customFields: { firstName: 'Ann' } };
  runId = await start(person);
});
afterEach(() => client.workflow.getHandle(captureWorkflowId(person.reference)).terminate());

/** No worker polls the task queue, so the workflow runs until the test ends it. */
async function start(input: CapturePerson, memo: object = { startedWith: startedWithOf(input) }): Promise<string> {
  const handle = await client.workflow.start(CAPTURE_WORKFLOW, {
    workflowId: captureWorkflowId(input.reference),
    taskQueue: `nobody-${randomUUID()}`,
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    args: [input],
    memo: { ...memo },
  });
  return handle.firstExecutionRunId;
}

function ask(question: Partial<StartedPerson>, through = client) {
  const { reference } = person;
  const people = [{ index: 0, reference, ...question }];
  return new MockActivityEnvironment(undefined, { client: through }).run(collectResults({ sources: [] }), { people });
}

/** A client whose first description of a workflow fails. */
function failingOnce(): Client {
  let isFirst = true;
  const workflow = Object.create(client.workflow, {
    getHandle: {
      value: (...args: Parameters<Client['workflow']['getHandle']>) => {
        const handle = client.workflow.getHandle(...args);
        const describe = async () => {
          if (!isFirst) return handle.describe();
          isFirst = false;
          throw new Error('14 UNAVAILABLE');
        };
        return { ...handle, describe };
      },
    },
  });
  return Object.create(client, { workflow: { value: workflow } });
}

const DIFFERS = { ended: [[0, { failure: expect.objectContaining({ type: FAILURES.personDiffers }) }]], unknown: [] };
const other = (part: Partial<CapturePerson>) => requestOf({ ...person, ...part });

describe('collectResults', () => {
  it('names the run that it has compared', async () => {
    expect(await ask({ startedWith: requestOf(person) })).toEqual({ ended: [], unknown: [], compared: [[0, runId]] });
  });

  it('names no run as compared if the server does not describe the workflow', async () => {
    const through = failingOnce();
    const startedWith = other({ front: { uri: 'file:bob.jpg' } });
    expect(await ask({ startedWith }, through)).toEqual({ ended: [], unknown: [] });
    expect(await ask({ startedWith }, through)).toEqual(DIFFERS);
  });

  it.each([
    ['with', true],
    ['without', false],
  ])(
    'asks for another comparison of a run that has read no image yet, for a list %s digests',
    async (_, hasDigests) => {
      const { front } = person;
      const withoutDigest = { uri: front.uri };
      await start({ ...person, front: withoutDigest });
      const startedWith = other({ front: hasDigests ? front : withoutDigest });
      expect(await ask({ startedWith })).toEqual({ ended: [], unknown: [], compared: [[0, null]] });
    },
  );

  it('reads the images of people who have ended before those of people who have not', async () => {
    await using world = await startCaptureWorld();
    const done = await world.person();
    await world.run(done);
    const others = Array.from({ length: 20 }, (_, at) => ({
      reference: randomUUID(),
      front: { uri: `file:running-${at}.jpg`, sha256: 'b'.repeat(64) },
    }));
    for (const running of others) await start(running);
    const asked: string[] = [];
    const source: ImageSource = {
      schemes: ['file'],
      async open(uri) {
        asked.push(uri);
        throw new ImageError(uri, 'slow', 'is slow');
      },
    };
    const withoutDigest = others.map(({ front, ...other }) => ({ ...other, front: { uri: front.uri } }));
    const people = [...withoutDigest, done].map((listed, index) => {
      return { index, reference: listed.reference, startedWith: requestOf(listed) };
    });
    const { ended }: CollectedResults = await new MockActivityEnvironment(undefined, { client }).run(
      collectResults({ sources: [source] }),
      { people },
    );
    for (const { reference } of others) await client.workflow.getHandle(captureWorkflowId(reference)).terminate();
    expect(asked[0]).toBe(done.front.uri);
    const notCompared = ['front', 'back', 'selfie'];
    expect(ended).toEqual([[others.length, expect.objectContaining({ outcome: 'approved', notCompared })]]);
    expect(new Set(asked).size).toBe(others.length + notCompared.length);
  });

  it('compares a run once', async () => {
    expect(await ask({ comparedRunId: runId })).toEqual({ ended: [], unknown: [] });
  });

  it('asks for another comparison, and reports nothing, if another run has taken the place of the compared one', async () => {
    await start({ ...person, front: { uri: 'file:bob.jpg' } });
    expect(await ask({ comparedRunId: runId })).toEqual({ ended: [], unknown: [], compared: [[0, null]] });
  });

  it.each([
    ['the front', { front: { uri: 'file:bob.jpg' } }],
    ['the flow', { configurationId: 'other' }],
    ['the country', { countryCode: 'USA' }],
    ['a custom field', { customFields: { firstName: 'Bob' } }],
    ['the number of custom fields', { customFields: {} }],
  ])('reports a person who differs in %s', async (_, part) => {
    expect(await ask({ startedWith: other(part) })).toEqual(DIFFERS);
  });

  it('compares only images and flow for a shard whose earlier version has asked', async () => {
    const startedWith = startedWithOf(person);
    expect(await ask({ startedWith })).toEqual({ ended: [], unknown: [], compared: [[0, runId]] });
  });

  it.each([
    ['the front', { front: { uri: 'file:bob.jpg' } }],
    ['the flow', { configurationId: 'other' }],
    ['the country', { countryCode: 'USA' }],
  ])('compares %s with the input of a workflow that neither a list nor the client has started', async (_, part) => {
    const absent = { back: null, selfie: null, configurationId: null, countryCode: null };
    const front = { ...person.front, sha256: null };
    await start({ ...person, ...absent, front } as unknown as CapturePerson, {});
    for (const startedWith of [requestOf(person), startedWithOf(person)]) {
      // The workflow has read no image yet.
      expect(await ask({ startedWith })).toEqual({ ended: [], unknown: [], compared: [[0, null]] });
    }
    expect(await ask({ startedWith: other(part) })).toEqual(DIFFERS);
  });

  it('compares nothing with a workflow that was started without an input', async () => {
    const { reference } = person;
    const handle = await client.workflow.start(CAPTURE_WORKFLOW, {
      workflowId: captureWorkflowId(reference),
      taskQueue: `nobody-${randomUUID()}`,
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
      args: [],
    });
    expect(await ask({ startedWith: requestOf(person) })).toMatchObject({
      compared: [[0, handle.firstExecutionRunId]],
    });
  });
});
