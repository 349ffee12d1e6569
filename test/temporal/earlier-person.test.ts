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

  const named = (interviewId: string) => ({
    workflowExecutionSignaledEventAttributes: {
      signalName: 'sessionStarted',
      input: payloads({ externalCustomerId: 'ann~1', interviewId }),
    },
  });

  const orphansIn = async (...events: object[]) => {
    const workflow = { getHandle: () => ({ fetchHistory: async () => ({ events }) }) };
    const temporal = { options: client.options, workflow } as unknown as Client;
    return (await sessionsOfRun(temporal, { workflowId: 'any', runId: 'any' })).suspectedOrphans;
  };

  const ofPerson = { externalCustomerId: 'ann~1' };
  const unknown = { ...ofPerson, interviewId: null };
  const opensOthers = call(10, { ...ofPerson, interviewId: 'a' }, { interviewId: 'b', earlierRequests: 1 });

  it('still names a session that a lost request may have opened, after a later token renewal', async () => {
    const renewed = call(20, { ...ofPerson, interviewId: 'b' }, { interviewId: 'b' });
    expect(await orphansIn(...opensOthers, ...renewed)).toContainEqual(unknown);
  });

  it.each(['a', 'b'])('still names it after a webhook has named the known session %s', async (known) => {
    expect(await orphansIn(...opensOthers, named(known))).toContainEqual(unknown);
  });

  it('names it once a webhook has said its id', async () => {
    const orphans = await orphansIn(...opensOthers, named('c'));
    expect(orphans).toContainEqual({ ...ofPerson, interviewId: 'c' });
    expect(orphans).not.toContainEqual(unknown);
  });

  it('still names a session that a request in flight may open, after a webhook has named another one', async () => {
    const [inFlight] = call(20, { ...ofPerson, interviewId: 'a' }, {});
    const opened = call(10, ofPerson, { interviewId: 'a' });
    expect(await orphansIn(...opened, inFlight as object, named('a'), named('c'))).toContainEqual(unknown);
  });

  it('names the sessions of the run that has continued it', async () => {
    const histories: Record<string, object[]> = {
      first: [{ workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'second' } }],
      second: call(10, ofPerson, { interviewId: 'a' }),
    };
    const getHandle = (_: string, runId: string) => ({ fetchHistory: async () => ({ events: histories[runId] }) });
    const temporal = { options: client.options, workflow: { getHandle } } as unknown as Client;
    const found = await sessionsOfRun(temporal, { workflowId: 'any', runId: 'first' });
    expect(found).toEqual({ interviewId: 'a', suspectedOrphans: [] });
  });

  it('still names sessions that requests of the run before it may have opened', async () => {
    const attempt = { ...ofPerson, interviewId: 'a', isAnswerLost: false, otherIds: ['b'], opensInstead: 2 };
    const started = {
      workflowExecutionStartedEventAttributes: {
        input: { payloads: [input, { attempts: [attempt] }].map((value) => defaultPayloadConverter.toPayload(value)) },
      },
    };
    expect(await orphansIn(started)).toContainEqual(unknown);
  });
});
