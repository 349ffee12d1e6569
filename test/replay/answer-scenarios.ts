import { NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { ANSWER_WORKFLOW, answerWorkflowId } from '../../src/contract/index.js';
import { nexusWorkerOptions } from '../../src/nexus/worker-options.js';
import type { History } from '../support/history.js';
import { begin } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld, WORKFLOW_BUNDLE } from '../support/world.js';

/** A scenario for every path through `onboardingAnswer`. */
export const ANSWER_SCENARIOS: Record<string, () => Promise<History>> = {
  answer: () => waiting(async (world) => (await begin(world)).interviewId),

  'answer-refused': () =>
    waiting(async (world) => {
      world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 404 });
      return (await begin(world)).interviewId;
    }),
};

async function waiting(startSession: (world: TestWorld) => Promise<string>): Promise<History> {
  await using world = await startTestWorld();
  const interviewId = await startSession(world);
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const options = nexusWorkerOptions(`${world.taskQueue}-nexus`, world.taskQueue);
  const namespace = inject('temporalNamespace');
  const worker = await Worker.create({ ...options, connection, namespace, workflowBundle: WORKFLOW_BUNDLE });
  const history = await worker.runUntil(async () => {
    const handle = await world.temporal.workflow.start(ANSWER_WORKFLOW, {
      taskQueue: options.taskQueue,
      workflowId: answerWorkflowId(interviewId, 'request'),
      args: [{ interviewId }],
    });
    await handle.result().catch(() => undefined);
    return handle.fetchHistory();
  });
  await connection.close();
  return history;
}
