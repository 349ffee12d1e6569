import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { onboardingWorkflowId } from '../../src/contract/index.js';
import { defaultCacheDir, findTemporalBinary } from '../../src/testing/temporal-binary.js';
import { startWorld, type World } from '../support/world.js';

const run = promisify(execFile);

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('the temporal CLI', () => {
  let temporal: (...args: string[]) => Promise<unknown>;
  beforeAll(async () => {
    const options = { env: process.env, cacheDir: defaultCacheDir(process.env), onProgress: () => undefined };
    const { path } = await findTemporalBinary(options);
    temporal = async (...args) => {
      const connection = ['--address', inject('temporalAddress'), '--output', 'json'];
      return JSON.parse((await run(path, [...args, ...connection])).stdout);
    };
  });

  it('starts, queries and updates a session by name, with plain JSON', async () => {
    // Still scoring when the update comes: a workflow that has ended takes none.
    const { interviewId, token } = await world.simulator.openSession({ scoreReadyAfterMs: 3_000 });
    world.simulator.revokeTokens(interviewId);
    const id = ['--workflow-id', onboardingWorkflowId(interviewId)];
    const input = JSON.stringify({ interviewId, sessionToken: token });
    await temporal(
      ...['workflow', 'start', '--type', 'onboardingSession', '--task-queue', world.taskQueue, ...id, '--input', input],
      ...['--id-conflict-policy', 'UseExisting', '--id-reuse-policy', 'RejectDuplicate'],
    );
    const state = () =>
      temporal('workflow', 'query', '--type', 'state', ...id) as Promise<{ queryResult: [{ stage: string }] }>;
    await expect.poll(async () => (await state()).queryResult[0].stage).toBe('needsToken');
    const renewed = JSON.stringify({ sessionToken: await world.simulator.issueToken(interviewId) });
    await temporal('workflow', 'update', 'execute', '--name', 'renewToken', ...id, '--input', renewed);
    expect(await temporal('workflow', 'update', 'execute', '--name', 'finish', ...id)).toMatchObject({
      result: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' },
    });
    expect(await temporal('workflow', 'result', ...id)).toMatchObject({
      status: 'COMPLETED',
      result: { outcome: 'approved' },
    });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});

describe('a caller who names no policies', () => {
  const start = (interviewId: string, sessionToken: string) =>
    world.temporal.workflow.start('onboardingSession', {
      workflowId: onboardingWorkflowId(interviewId),
      taskQueue: world.taskQueue,
      args: [{ interviewId, sessionToken }],
    });

  it('and starts a session again after its end does not finish it again', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await (await start(interviewId, token)).result();
    expect(await (await start(interviewId, token)).result()).toMatchObject({ finish: { confirmedBy: 'status' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('nor after its workflow was terminated in the middle of the call', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true });
    const handle = await start(interviewId, token);
    await expect.poll(() => world.simulator.effects(interviewId).finished).toBe(1);
    await handle.terminate();
    await (await start(interviewId, token)).result();
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});

const PYTHON_CLIENT = `
import asyncio, json, os, sys
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

async def main(address, queue, interview_id, token):
    client = await Client.connect(address)
    start = lambda: WithStartWorkflowOperation(
        "onboardingSession", {"interviewId": interview_id, "sessionToken": token, "plan": None},
        id=f"incode-onboarding/{interview_id}", task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE)
    answer = await client.execute_update_with_start_workflow("finish", start_workflow_operation=start())
    handle = client.get_workflow_handle(f"incode-onboarding/{interview_id}")
    result = await handle.result()
    state = await handle.query("state")
    try:
        await client.execute_workflow("onboardingSession", {"interviewId": ""}, id=f"bad/{interview_id}", task_queue=queue)
        refused = None
    except WorkflowFailureError as error:
        refused = error.cause.type
    print(json.dumps({"answer": answer, "outcome": result["outcome"], "stage": state["stage"], "refused": refused}))

asyncio.run(main(*sys.argv[1:]))
sys.stdout.flush()
# The SDK's native threads can crash an interpreter that takes its time to end.
os._exit(0)
`;

describe("Python's temporalio", () => {
  const target = fileURLToPath(new URL('../../.cache/python', import.meta.url));

  it('finishes a session with one call', async ({ skip }) => {
    const hasPip = await run('python3', ['-m', 'pip', '--version']).then(
      () => true,
      () => false,
    );
    if (!hasPip) return skip('no python3 with pip on this machine');
    if (!existsSync(`${target}/temporalio`)) {
      await run('python3', [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--only-binary=:all:',
        '--target',
        target,
        'temporalio==1.35.0',
      ]);
    }
    const { interviewId, token } = await world.simulator.openSession({ redirectionUrl: 'https://example.com/next' });
    const args = ['-c', PYTHON_CLIENT, inject('temporalAddress'), world.taskQueue, interviewId, token];
    const { stdout } = await run('python3', args, { env: { ...process.env, PYTHONPATH: target } });
    expect(JSON.parse(stdout)).toEqual({
      answer: { action: 'approved', redirectionUrl: 'https://example.com/next', confirmedBy: 'response' },
      outcome: 'approved',
      stage: 'done',
      refused: 'InvalidInput',
    });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});
