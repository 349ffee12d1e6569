import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { OnboardingClient } from 'temporal-incode/client';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/index.js';
import { API_KEY, workerEnvironment } from '../support/world.js';

const here = { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
const taskQueue = `eager-${randomUUID()}`;
let simulator: IncodeSimulator;
let temporal: Client;
let end: () => Promise<unknown>;

beforeAll(async () => {
  simulator = await startIncodeSimulator({ apiKeys: [API_KEY] });
  const worker = await createWorker(
    readConfig({
      ...workerEnvironment(simulator.url, taskQueue),
    }),
  );
  const running = worker.run();
  temporal = new Client({ connection: worker.connection, namespace: here.namespace });
  end = async () => {
    worker.shutdown();
    await running;
    await simulator.close();
  };
});
afterAll(() => end());

/** Whether the server returned the first task with the answer to the start. */
async function isBegunEagerly(interviewId: string): Promise<boolean> {
  const { events } = await temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).fetchHistory();
  return events?.[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted === true;
}

it.each([true, false])(
  'a client on the connection of the worker starts eagerly only on request: %s',
  async (requestEagerStart) => {
    const onboarding = new OnboardingClient({ client: temporal, taskQueue, requestEagerStart });
    const { interviewId, token } = await simulator.openSession();
    await onboarding.start({ interviewId, sessionToken: token });
    expect(await onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
    expect(await isBegunEagerly(interviewId)).toBe(requestEagerStart);
  },
);
