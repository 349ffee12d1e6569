import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { batchProgress } from '../../src/client/index.js';
import { BULK_TASK_QUEUE, FAILURES, TASK_QUEUE } from '../../src/contract/index.js';
import { defaultCacheDir, findTemporalBinary } from '../../src/testing/server/binary.js';
import { codeBlocks, section } from '../support/markdown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

const run = promisify(execFile);

/** The commands of docs/contract.md in their order. */
const page = await readFile(new URL('../../docs/contract.md', import.meta.url), 'utf8');
const BLOCKS = codeBlocks(section(page, 'With the temporal CLI'), 'sh').map((block) =>
  block.replaceAll('\\\n', ' ').trim().split('\n'),
);

/** The sample values on the page. */
const SAMPLE = { interviewId: '5f3a9c0be7d1426f8a90c3d2', token: 'eyJhbGciOiJIUzI1NiJ9', batchId: 'night-2026-11-24' };

let world: TestWorld;
let directory: string;
let path: string;
beforeAll(async () => {
  world = await startTestWorld();
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-cli-'));
  const options = { env: process.env, cacheDir: defaultCacheDir(process.env), onProgress: () => undefined };
  path = dirname((await findTemporalBinary(options)).path);
});
afterAll(async () => {
  await rm(directory, { recursive: true });
  await world[Symbol.asyncDispose]();
});

/** Runs a command of the page with other values, and returns its answer. */
async function temporal(command: string, values: Partial<typeof SAMPLE>): Promise<Record<string, unknown>> {
  expect(command).toMatch(/^temporal workflow /);
  const replaced = Object.entries(values).reduce(
    (text, [name, value]) => text.replaceAll(SAMPLE[name as keyof typeof SAMPLE], value),
    command
      .replace(`--task-queue ${BULK_TASK_QUEUE} `, `--task-queue ${world.taskQueue} `)
      .replace(`--task-queue ${TASK_QUEUE} `, `--task-queue ${world.taskQueue} `),
  );
  const env = {
    ...process.env,
    PATH: `${path}${delimiter}${process.env.PATH}`,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: inject('temporalNamespace'),
  };
  const { stdout } = await run('sh', ['-c', `${replaced} --output json`], { cwd: directory, env });
  return stdout.trim() === '' ? {} : JSON.parse(stdout);
}

const nameOf = (command: string) => /(?:--name|--type) (\w+)|\b(result)\b/.exec(command)?.slice(1).find(Boolean);

it('the commands on the page complete a session step by step', async () => {
  const [commands = []] = BLOCKS;
  const { interviewId, token } = await world.simulator.openSession();
  const answers: Record<string, Record<string, unknown>> = {};
  for (const command of commands) answers[String(nameOf(command))] = await temporal(command, { interviewId, token });
  expect(answers).toMatchObject({
    onboardingSession: { workflowId: `incode-onboarding/${interviewId}`, type: 'onboardingSession' },
    state: {
      queryResult: [
        { interviewId, stage: 'waiting', waitingFor: 'someone to finish it (update finish)', outcome: null },
      ],
    },
    extendDeadline: { result: { deadline: expect.stringMatching(/^\d{4}-.*Z$/) } },
    renewToken: { name: 'renewToken' },
    statusChanged: {},
    finish: { result: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' } },
    result: { status: 'COMPLETED', result: { outcome: 'approved' } },
  });
  expect(world.simulator.effects(interviewId).finished).toBe(1);
});

it('the commands on the page complete a session with one call', async () => {
  const [, commands = []] = BLOCKS;
  expect(commands).toHaveLength(1);
  const { interviewId, token } = await world.simulator.openSession();
  await writeFile(join(directory, 'session.json'), JSON.stringify({ interviewId, sessionToken: token }));
  expect(await temporal(commands[0] ?? '', { interviewId })).toMatchObject({
    updateResult: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' },
  });
  expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  expect(world.simulator.effects(interviewId).finished).toBe(1);
});

it('the commands on the page start, control and show a shard of a batch', async () => {
  const [, , commands = []] = BLOCKS;
  const batchId = `cli-${randomUUID()}`;
  // The scores never come, so that the shard runs until it is stopped.
  const sessions = await world.sessions(2, { scoreReadyAfterMs: null });
  await writeFile(join(directory, 'shard.json'), JSON.stringify({ batchId, shard: 0, sessions }));
  const answers: Record<string, Record<string, unknown>> = {};
  for (const command of commands) {
    answers[String(nameOf(command))] = await temporal(command, { batchId });
    // Only after the shard has begun, because before that its progress is empty.
    if (nameOf(command) === 'onboardingBatch') await waiting(sessions.length);
  }
  expect(answers).toMatchObject({
    onboardingBatch: { workflowId: `incode-batch/${batchId}/0` },
    progress: { queryResult: [{ batchId, shard: 0, total: 2, waiting: 2, paused: false }] },
    pause: {},
    resume: {},
    stop: {},
    result: { status: 'COMPLETED', result: { batchId, rows: sessions.map(() => STOPPED_ROW) } },
  });

  async function waiting(count: number) {
    const status = async () => (await batchProgress(world.onboarding, batchId)).waiting;
    await expect.poll(status).toBe(count);
  }
});

const STOPPED_ROW = { finish: { action: 'approved' }, failure: { type: FAILURES.batchStopped } };
