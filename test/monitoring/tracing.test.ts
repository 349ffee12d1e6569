import { randomUUID } from 'node:crypto';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Client, Connection } from '@temporalio/client';
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import { expect, inject, it } from 'vitest';
import { completeBatch, OnboardingClient } from '../../src/client/index.js';
import { readConfig } from '../../src/config/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';
import { API_KEY, workerEnvironment } from '../support/world.js';

// Imported from dist, as a host does, because the worker looks for its bundle next to its own file.
const { createWorker } = (await import('../../dist/worker.js')) as unknown as typeof import('../../src/worker.js');

it('createWorker passes interceptors to single sessions and batches, so that a host can trace both', async () => {
  await using simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test');
  const taskQueue = `test-${randomUUID()}`;
  const config = readConfig({
    ...workerEnvironment(simulator.url, taskQueue),
  });
  const calls: string[] = [];
  const own: string[] = [];
  const worker = await createWorker(config, {
    onCall: ({ operation, outcome }) => calls.push(`${operation} ${outcome}`),
    interceptors: {
      activity: [(context) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(context, { tracer }) })],
    },
    worker: {
      interceptors: {
        activity: [
          ({ info }) => {
            own.push(info.activityType);
            return {};
          },
        ],
      },
    },
  });
  const running = worker.run();
  expect(await worker.health()).toEqual({ alive: true, ready: true });

  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({
    connection,
    namespace: inject('temporalNamespace'),
    interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor({ tracer })] },
  });
  const onboarding = new OnboardingClient({ client, taskQueue });
  const open = async () => {
    const { interviewId, token } = await simulator.openSession();
    return { interviewId, sessionToken: token };
  };
  const session = await open();
  await onboarding.start(session);
  await onboarding.result(session.interviewId);
  const items = completeBatch(onboarding, [await open()], { batchId: randomUUID(), taskQueue: `${taskQueue}-bulk` });
  for await (const { outcome } of items) expect(outcome).toBe('approved');

  const spans = () => exporter.getFinishedSpans().map(({ name }) => name);
  await expect
    .poll(spans)
    .toEqual(
      expect.arrayContaining([
        'StartWorkflow:onboardingSession',
        'RunActivity:finishStatus',
        'RunActivity:score',
        'StartWorkflow:onboardingBatch',
        'RunActivity:completeMany',
      ]),
    );
  // Interceptors in the option `worker` apply only to single sessions, in addition to the others.
  expect(own).toEqual(['finishStatus', 'score']);
  const callsOfASession = ['onboardingStatus ok', 'finishStatus ok', 'score ok'];
  expect(calls).toEqual([...callsOfASession, ...callsOfASession]);

  worker.shutdown();
  await running;
  expect(await worker.health()).toMatchObject({ alive: true, ready: false });
  await connection.close();
  await provider.shutdown();
});
