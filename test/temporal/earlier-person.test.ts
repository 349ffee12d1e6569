import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CAPTURE_WORKFLOW, type CaptureInput, captureWorkflowId } from '../../src/contract/index.js';
import { earlierPerson, sessionsOfRun } from '../../src/temporal/earlier-person.js';

let client: Client;
let connection: Connection;
beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') });
  client = new Client({ connection, namespace: inject('temporalNamespace') });
});
afterAll(() => connection.close());

/** A run that no worker has touched, with the arguments that the run before it has handed over. */
async function terminated(...args: unknown[]) {
  const handle = await client.workflow.start(CAPTURE_WORKFLOW, {
    workflowId: captureWorkflowId(randomUUID()),
    taskQueue: `nobody-${randomUUID()}`,
    args,
  });
  await handle.signal('sessionStarted', { externalCustomerId: 'ann~of-nobody', interviewId: 'of-nobody' });
  await handle.signal('sessionStarted', { externalCustomerId: 'ann~5', interviewId: 'by-webhook' });
  await handle.terminate();
  return { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
}

const input: CaptureInput = { reference: 'ann', front: { uri: 'file:ann.jpg' } };

describe('earlierPerson', () => {
  it('names the sessions in the input and in the record that the run has taken over', async () => {
    const earlierSessions = [{ externalCustomerId: 'ann~1', interviewId: 'earlier' }];
    const attempts = [
      { externalCustomerId: 'ann~2', interviewId: 'used', isAnswerLost: false },
      { externalCustomerId: 'ann~3', interviewId: 'found', isAnswerLost: true, otherIds: ['other'] },
      { externalCustomerId: 'ann~4', interviewId: null, isAnswerLost: true },
      { externalCustomerId: 'ann~5', interviewId: null, isAnswerLost: true },
      { externalCustomerId: 'ann~6', interviewId: null, isAnswerLost: false },
    ];
    const run = await terminated({ ...input, earlierSessions }, { attempts });
    expect(await earlierPerson(client, run)).toEqual({
      sessions: [
        { externalCustomerId: 'ann~1', interviewId: 'earlier' },
        { externalCustomerId: 'ann~2', interviewId: 'used' },
        { externalCustomerId: 'ann~3', interviewId: 'found' },
        { externalCustomerId: 'ann~3', interviewId: 'other' },
        { externalCustomerId: 'ann~4', interviewId: null },
        { externalCustomerId: 'ann~5', interviewId: 'by-webhook' },
      ],
      kept: null,
    });
  });

  it('finds nothing in a run that was started without an input', async () => {
    expect(await earlierPerson(client, await terminated())).toEqual({ sessions: [], kept: null });
  });
});

describe('sessionsOfRun', () => {
  const payloads = (value: unknown) => ({ payloads: [defaultPayloadConverter.toPayload(value)] });
  const call = (id: number, input: object, result: object) => [
    {
      eventId: id,
      activityTaskScheduledEventAttributes: { activityType: { name: 'openSession' }, input: payloads(input) },
    },
    {
      eventId: id + 1,
      activityTaskCompletedEventAttributes: { scheduledEventId: id, result: payloads(result) },
    },
  ];

  it('still names a session that a lost request may have opened, after a later token renewal', async () => {
    const ofPerson = { externalCustomerId: 'ann~1' };
    const events = [
      ...call(10, { ...ofPerson, interviewId: 'a' }, { interviewId: 'b', earlierRequests: 1 }),
      ...call(20, { ...ofPerson, interviewId: 'b' }, { interviewId: 'b' }),
    ];
    const workflow = { getHandle: () => ({ fetchHistory: async () => ({ events }) }) };
    const found = await sessionsOfRun({ options: client.options, workflow } as unknown as Client, {
      workflowId: 'any',
      runId: 'any',
    });
    expect(found.suspectedOrphans).toContainEqual({ ...ofPerson, interviewId: null });
  });
});
