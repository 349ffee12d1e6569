import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { pinned, startCaptureWorld } from '../support/capture-world.js';
import { thrown } from '../support/thrown.js';

it('a person whom an older worker refuses to start again can be started on a newer worker, and no session is forgotten', async () => {
  await using world = await startCaptureWorld();
  const { people } = world.onboarding;
  const input = await world.person({ plan: { onRefusedImage: 'fail' } });
  const { sha256 } = await pinned(world, input.front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  await people.start(input);
  await people.result(input.reference).catch(() => undefined);
  world.simulator.clearScripts();

  const taskQueue = `older-${randomUUID()}`;
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const workflowsPath = fileURLToPath(new URL('../support/workflows-before-earlier-sessions.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  const namespace = inject('temporalNamespace');
  const older = await Worker.create({ connection, namespace, taskQueue, workflowBundle });
  const refused = await older.runUntil(async () => {
    const client = new OnboardingClient({ client: world.temporal, taskQueue });
    expect((await client.people.start(input, { retryFailed: true })).attached).toBe(false);
    return thrown(client.people.result(input.reference));
  });
  await connection.close();
  expect(refused).toMatchObject({ name: 'InvalidInputError' });
  expect(world.sessionsOf(input)).toHaveLength(1);

  // No session was opened, so it takes no retryFailed.
  expect((await people.start(input)).attached).toBe(false);
  const { onboarding, suspectedOrphans } = await people.result(input.reference);
  expect(onboarding?.outcome).toBe('approved');
  const [{ externalCustomerId, interviewId } = {}] = world.sessionsOf(input);
  expect(suspectedOrphans).toEqual([{ externalCustomerId, interviewId }]);
});
