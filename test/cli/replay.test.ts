import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { connectOnboardingClient } from 'temporal-incode/client';
import { keyRing } from 'temporal-incode/codec';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { queriesFor } from '../../src/cli/replay/sample.js';
import { ONBOARDING_WORKFLOW, onboardingWorkflowId } from '../../src/contract/index.js';
import { startShard } from '../support/batch.js';
import { run } from '../support/cli.js';
import type { History } from '../support/history.js';
import { begin, untilStage } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld, workerEnvironment } from '../support/world.js';

const RECORDED = fileURLToPath(new URL('../replay/histories', import.meta.url));

let directory: string;
let world: TestWorld;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-replay-'));
  world = await startTestWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const server = () => ['--address', inject('temporalAddress'), '--namespace', inject('temporalNamespace')];

interface Result {
  ok: boolean;
  replayed: number;
  types: Record<string, number>;
  failures: { workflowId: string; runId: string | null; type: string; reason: string }[];
}

async function replay(args: string[], env: Record<string, string> = {}): Promise<{ code: number; result: Result }> {
  const { code, stdout, stderr } = await run(['replay', ...args, '--json'], '', env);
  if (stdout === '') throw new Error(`replay ended with ${code}: ${stderr}`);
  return { code, result: JSON.parse(stdout) };
}

/** Waits until the server lists recent changes. */
async function replaysSoon(args: string[], expected: Partial<Result>): Promise<void> {
  await expect.poll(async () => (await replay(args)).result).toMatchObject(expected);
}

/** A session started by another version, which reads the score before it finishes. */
async function ofAnotherVersion(): Promise<{ workflowId: string; taskQueue: string; history: History }> {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const taskQueue = `another-version-${randomUUID()}`;
  const worker = await Worker.create({
    connection,
    namespace: inject('temporalNamespace'),
    taskQueue,
    workflowsPath: fileURLToPath(new URL('../replay/changed-workflow.ts', import.meta.url)),
    activities: { score: async () => undefined },
  });
  const interviewId = randomUUID();
  const workflowId = onboardingWorkflowId(interviewId);
  const history = await worker.runUntil(async () => {
    const args = [{ interviewId, sessionToken: 'token' }];
    const handle = await world.temporal.workflow.start(ONBOARDING_WORKFLOW, { workflowId, taskQueue, args });
    await handle.result();
    return handle.fetchHistory();
  });
  await connection.close();
  return { workflowId, taskQueue, history };
}

describe('the command replay', () => {
  it('reports that all histories in a directory replay, and how many of each kind', async () => {
    const { code, result } = await replay(['--file', RECORDED]);
    expect({ code, ok: result.ok, failures: result.failures }).toEqual({ code: 0, ok: true, failures: [] });
    expect(result.types).toMatchObject({ onboardingBatch: 6, onboardingAnswer: 2 });
    const people = await run(['replay', '--file', join(RECORDED, 'approved.json')]);
    expect(people).toMatchObject({ code: 0, stdout: 'All 1 replay with this version: 1 onboardingSession.\n' });
  });

  it('names a workflow that does not replay, the reason and what to do, from a file and a namespace', async () => {
    const { workflowId, taskQueue, history } = await ofAnotherVersion();
    const file = join(directory, 'another.json');
    await writeFile(file, historyToJSON(history));
    const told = await run(['replay', '--file', file]);
    expect(told.code).toBe(1);
    expect(told.stdout).toContain('another.json');
    expect(told.stdout).toContain('1 of 1 do not replay with this version');
    expect(told.stdout).toContain('docs/deploys.md');

    await begin(world);
    const args = [...server(), '--query', `TaskQueue = '${taskQueue}' OR TaskQueue = '${world.taskQueue}'`];
    await replaysSoon(args, { ok: false, replayed: 2 });
    const { code, result } = await replay(args);
    expect(code).toBe(1);
    expect(result.failures).toEqual([
      {
        workflowId,
        runId: expect.any(String),
        type: ONBOARDING_WORKFLOW,
        reason: expect.stringMatching(/nondeterminism/i),
      },
    ]);
  });

  it('takes one workflow of every kind before a second of any kind', async () => {
    const queue = await startTestWorld();
    try {
      for (let index = 0; index < 4; index += 1) {
        const { interviewId } = await begin(queue, { plan: { score: false } });
        await queue.onboarding.result(interviewId);
      }
      const { interviewId } = await begin(queue, { plan: { finishWhen: 'processed' } });
      await untilStage(queue, interviewId, 'waiting');
      const shard = await startShard(queue, await queue.sessions(2));
      await shard.result();
      const query = `TaskQueue = '${queue.taskQueue}'`;
      const args = [...server(), '--query', query];
      await replaysSoon(args, {
        ok: true,
        replayed: 7,
        types: { onboardingSession: 5, onboardingBatch: 1, onboardingBatchClaims: 1 },
      });
      // A waiting session, a completed session and a shard.
      await replaysSoon([...args, '--limit', '3'], { types: { onboardingSession: 2, onboardingBatch: 1 } });
      await replaysSoon([...args, '--status', 'open'], { types: { onboardingSession: 1, onboardingBatchClaims: 1 } });
      await replaysSoon([...args, '--status', 'closed'], { types: { onboardingSession: 4, onboardingBatch: 1 } });
    } finally {
      await queue[Symbol.asyncDispose]();
    }
  });

  it('queries old and new workflows', () => {
    const now = Date.parse('2026-11-25T00:00:00Z');
    const batches = queriesFor({ status: 'open', limit: 1, query: "BuildIds = 'x'" }, now).filter((query) =>
      query.includes(`'onboardingBatch'`),
    );
    const rest = `ExecutionStatus = 'Running' AND (BuildIds = 'x')`;
    expect(batches).toEqual([
      `WorkflowType = 'onboardingBatch' AND StartTime < '2026-11-18T00:00:00.000Z' AND ${rest}`,
      `WorkflowType = 'onboardingBatch' AND StartTime >= '2026-11-18T00:00:00.000Z' AND StartTime < '2026-11-24T00:00:00.000Z' AND ${rest}`,
      `WorkflowType = 'onboardingBatch' AND StartTime >= '2026-11-24T00:00:00.000Z' AND ${rest}`,
    ]);
  });

  it('reads encrypted histories with the keys of the environment, and fails without them', async () => {
    const keys = `test:${randomBytes(32).toString('base64')}`;
    const address = inject('temporalAddress');
    const namespace = inject('temporalNamespace');
    const taskQueue = `replay-encrypted-${randomUUID()}`;
    const worker = await createWorker(
      readConfig({
        ...workerEnvironment(world.simulator.url, taskQueue),
        TEMPORAL_INCODE_ENCRYPTION_KEYS: keys,
      }),
    );
    const running = worker.run();
    const onboarding = await connectOnboardingClient({ address, namespace, taskQueue, encryptionKeys: keyRing(keys) });
    const { interviewId, token } = await world.simulator.openSession();
    await onboarding.start({ interviewId, sessionToken: token });
    await onboarding.result(interviewId);
    await onboarding.close();
    worker.shutdown();
    await running;
    const args = [...server(), '--query', `TaskQueue = '${taskQueue}'`];
    const withKeys = async () => (await replay(args, { TEMPORAL_INCODE_ENCRYPTION_KEYS: keys })).result;
    await expect.poll(withKeys).toMatchObject({ ok: true, replayed: 1 });
    // From the server, and from a file of the temporal CLI.
    const file = join(directory, 'encrypted.json');
    const history = await world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).fetchHistory();
    await writeFile(file, historyToJSON(history));
    const others = `test:${randomBytes(32).toString('base64')}`;
    const cases: [env: Record<string, string>, message: string][] = [
      [{}, 'The history is encrypted, and this process has no keys'],
      [{ TEMPORAL_INCODE_ENCRYPTION_KEYS: others.replace('test', 'other') }, 'encrypted with key "test"'],
      [{ TEMPORAL_INCODE_ENCRYPTION_KEYS: others }, 'cannot be decrypted with key "test"'],
    ];
    for (const from of [args, ['--file', file]]) {
      for (const [env, message] of cases) {
        const { code, stdout, stderr } = await run(['replay', ...from], '', env);
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        expect(stderr).toContain(message);
        expect(stderr).not.toContain('    at ');
      }
    }
    expect(await replay(['--file', file], { TEMPORAL_INCODE_ENCRYPTION_KEYS: keys })).toMatchObject({ code: 0 });
  });

  it('says that there is nothing to replay', async () => {
    const args = ['replay', ...server(), '--query', `TaskQueue = 'nobody-${randomUUID()}'`];
    expect(await run(args)).toMatchObject({ code: 0, stdout: 'No history to replay.\n' });
  });

  it.each([
    ['a missing file', ['--file', 'nowhere.json'], 'nowhere.json does not exist'],
    ['a file that is not JSON', ['--file', fileURLToPath(import.meta.url)], 'it is not JSON'],
    [
      'a file that is not a history',
      ['--file', fileURLToPath(new URL('../../package.json', import.meta.url))],
      'is not a history',
    ],
    ['a directory without any', ['--file', fileURLToPath(new URL('.', import.meta.url))], 'no file that ends in .json'],
    ['an unknown status', ['--status', 'sleeping'], '--status'],
    ['a limit of nothing', ['--limit', '0'], '--limit must be a whole number'],
  ])('exits with 2 for %s', async (_, args, message) => {
    const { code, stderr } = await run(['replay', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('exits with 2 for a query that the server refuses', async () => {
    const { code, stderr } = await run(['replay', ...server(), '--query', 'nonsense =']);
    expect(code).toBe(2);
    expect(stderr).toContain('Temporal refuses the query');
  });
});
