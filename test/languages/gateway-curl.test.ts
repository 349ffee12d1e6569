import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { makeToken, startGateway, type TestGateway } from '../gateway/support.js';
import { untilStage } from '../support/lifecycle.js';
import { codeBlocks, section } from '../support/markdown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

const run = promisify(execFile);

/** The commands of docs/gateway.md in their order. */
const page = await readFile(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
const [SESSION = [], BATCH = []] = codeBlocks(section(page, 'Examples'), 'sh').map((block) =>
  block.replaceAll('\\\n', ' ').trim().split('\n'),
);
const [BODY = ''] = codeBlocks(section(page, 'Examples'), 'json');

/** The sample values on the page. */
const SAMPLE = { url: 'https://gateway.example', interviewId: '5f3a', token: 'eyJ…', batchId: 'night-1' };

const caller = makeToken('all', 'read', 'start', 'operate');

let world: TestWorld;
let gateway: TestGateway;
let directory: string;
beforeAll(async () => {
  world = await startTestWorld();
  const { temporal, taskQueue } = world;
  const client = new OnboardingClient({ client: temporal, taskQueue, bulkTaskQueue: taskQueue });
  gateway = await startGateway({ client, tokens: () => [caller.entry] });
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-curl-'));
  await writeFile(join(directory, 'token-header'), `Authorization: Bearer ${caller.token}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function replaced(text: string, values: Partial<typeof SAMPLE>): string {
  return Object.entries(values).reduce(
    (changed, [name, value]) => changed.replaceAll(SAMPLE[name as keyof typeof SAMPLE], value),
    text,
  );
}

/** Runs a command of the page with other values, and returns its output. */
async function curl(command: string, values: Partial<typeof SAMPLE>): Promise<string> {
  expect(command).toMatch(/^curl /);
  const { stdout } = await run('sh', ['-c', replaced(command, { url: gateway.url, ...values })], { cwd: directory });
  return stdout;
}

it('the curl commands on the page start, show, list, extend and finish a session', async () => {
  const { interviewId, token } = await world.simulator.openSession();
  await writeFile(join(directory, 'session.json'), replaced(BODY, { interviewId, token }), { mode: 0o600 });
  const answers: unknown[] = [];
  for (const command of SESSION) {
    answers.push(JSON.parse(await curl(command, { interviewId })));
    // Only after the session waits, because a deadline belongs to a stage.
    if (answers.length === 1) await untilStage(world, interviewId, 'waiting');
  }
  expect(answers).toMatchObject([
    { interviewId, attached: false, plan: { finishWhen: 'asked' } },
    { interviewId, state: { stage: 'waiting' } },
    { cursor: null },
    { deadline: expect.stringMatching(/^\d{4}-.*Z$/) },
    { interviewId, answer: { action: 'approved' } },
  ]);
  expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
});

it('the curl commands on the page complete a list', async () => {
  const sessions = await world.sessions(2);
  const rows = sessions.map(({ interviewId, sessionToken }) => `${interviewId},${sessionToken}\n`).join('');
  await writeFile(join(directory, 'sessions.csv'), `interviewId,sessionToken\n${rows}`, { mode: 0o600 });
  const [start = '', show = '', results = ''] = BATCH;
  const batchId = `curl-${randomUUID()}`;
  expect(JSON.parse(await curl(start, { batchId }))).toEqual({ batchId, sessions: 2, attached: 0 });
  await expect.poll(async () => JSON.parse(await curl(show, { batchId })).done).toBe(2);
  const lines = (await curl(results, { batchId })).trim().split('\n');
  expect(lines.slice(1).map((line) => line.split(',').slice(0, 2))).toEqual(
    sessions.map(({ interviewId }) => [interviewId, 'approved']),
  );
});
