import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import { OPERATIONS } from '../../src/gateway/operations.js';
import { makeToken, startGateway, type TestGateway } from '../gateway/support.js';
import { untilStage } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { HERE, type Installed, installedPackages, python } from './python.js';

const OPENAPI = fileURLToPath(new URL('../../schema/openapi.json', import.meta.url));
const { token, entry } = makeToken('all', 'read', 'start', 'operate');

let world: TestWorld;
let gateway: TestGateway;
let directory: string;
let found: Installed;
beforeAll(async () => {
  world = await startTestWorld();
  const { temporal, taskQueue } = world;
  const client = new OnboardingClient({ client: temporal, taskQueue, bulkTaskQueue: taskQueue });
  gateway = await startGateway({ client, tokens: () => [entry] });
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-gateway-client-'));
  found = await installedPackages('gateway-requirements.txt');
  if ('missing' in found) {
    process.stderr.write(`Skipping the tests with a generated client: ${found.missing}\n`);
    return;
  }
  const config = await fileOf('post_hooks: []\n');
  const output = join(directory, PACKAGE);
  await python(
    [found.directory],
    ['-m', 'openapi_python_client', 'generate', '--path', OPENAPI, '--output-path', output].concat([
      ...['--meta', 'none', '--config', config],
    ]),
  );
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const PACKAGE = 'temporal_incode_gateway_client';

async function fileOf(text: string): Promise<string> {
  const file = join(directory, randomUUID());
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

function program({ skip }: TestContext, name: string, args: string[], input?: string): Promise<string> {
  if ('missing' in found) return skip(found.missing);
  return python([directory, found.directory, HERE], [join(HERE, name), ...args], input);
}

interface Called {
  path?: string[];
  arguments?: Record<string, string>;
  /** The model of the body. */
  type?: string;
  body?: unknown;
  token?: string;
}

interface Answered {
  status: number;
  /** The class of the parsed answer. */
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the body that it expects
  body: any;
}

async function call(context: TestContext, operation: string, called: Called = {}): Promise<Answered> {
  const request = { url: gateway.url, token, operation, ...called };
  return JSON.parse(await program(context, 'gateway_operations.py', [], JSON.stringify(request)));
}

describe('a Python client generated from schema/openapi.json (skipped without python3, pip and PyPI)', () => {
  it('has every operation', async ({ skip }) => {
    if ('missing' in found) return skip(found.missing);
    const files = await readdir(join(directory, PACKAGE, 'api', 'default'));
    const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const operations = Object.keys(OPERATIONS).map((name) => `${snakeCase(name)}.py`);
    expect(files.filter((name) => !name.startsWith('__')).sort()).toEqual(operations.sort());
  });

  it('starts a session, lists it, extends its deadline, finishes it and reads its result', async (context) => {
    const { interviewId, token: sessionToken } = await world.simulator.openSession();
    const batchId = `generated-${randomUUID()}`;
    const started = await call(context, 'start_session', {
      type: 'StartSessionRequest',
      body: { interviewId, sessionToken, batchId, plan: { finishWhen: 'asked' } },
    });
    expect(started).toMatchObject({ status: 201, type: 'StartedSession', body: { interviewId, attached: false } });
    await untilStage(world, interviewId, 'waiting');
    const list = () => call(context, 'list_sessions', { arguments: { batch: batchId, stage: 'waiting' } });
    await expect
      .poll(list)
      .toMatchObject({ status: 200, type: 'SessionList', body: { items: [{ interviewId }], cursor: null } });
    const extended = await call(context, 'extend_deadline', {
      path: [interviewId],
      type: 'DeadlineRequest',
      body: { by: '7 days' },
      arguments: { idempotency_key: 'ticket-4711' },
    });
    expect(extended).toMatchObject({ status: 200, type: 'ExtendedDeadline', body: { deadline: expect.any(String) } });
    const finished = await call(context, 'finish_session', {
      path: [interviewId],
      type: 'FinishSessionRequest',
      body: { plan: { finishWhen: 'asked' } },
      arguments: { timeout: '60s' },
    });
    expect(finished).toMatchObject({ status: 200, type: 'FinishedSession', body: { answer: { action: 'approved' } } });
    await world.onboarding.result(interviewId);
    const ended = await call(context, 'get_session', { path: [interviewId] });
    expect(ended).toMatchObject({ status: 200, type: 'SessionView', body: { result: { outcome: 'approved' } } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('hands in a token', async (context) => {
    const { interviewId, token: sessionToken } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await untilStage(world, interviewId, 'needsToken');
    const pending = await call(context, 'finish_session', {
      path: [interviewId],
      type: 'FinishSessionRequest',
      body: {},
      arguments: { timeout: '100ms' },
    });
    expect(pending).toMatchObject({ status: 202, type: 'PendingSession', body: { stage: 'needsToken' } });
    const renewed = await call(context, 'renew_token', {
      path: [interviewId],
      type: 'TokenRequest',
      body: { sessionToken },
      arguments: { timeout: '60s' },
    });
    expect(renewed.status).toBe(204);
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
  });

  it('cancels a session', async (context) => {
    const { interviewId, token: sessionToken } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken, plan: { finishWhen: 'asked' } });
    const cancelled = await call(context, 'cancel_session', { path: [interviewId] });
    expect(cancelled).toMatchObject({ status: 202, type: 'CancelRequested', body: { interviewId } });
    const read = () => call(context, 'get_session', { path: [interviewId] });
    await expect.poll(read).toMatchObject({ status: 200, body: { status: 'cancelled' } });
  });

  it('starts a batch from CSV, and reads it and its results', async (context) => {
    const sessions = await world.sessions(2);
    const rows = sessions.map(({ interviewId, sessionToken }) => `${interviewId},${sessionToken}\n`).join('');
    const started = await call(context, 'start_batch', {
      body: `interviewId,sessionToken\n${rows}`,
      arguments: { format_: 'csv' },
    });
    expect(started).toMatchObject({ status: 202, type: 'StartedBatch', body: { sessions: 2, attached: 0 } });
    const { batchId } = started.body;
    await expect
      .poll(() => call(context, 'get_batch', { path: [batchId] }))
      .toMatchObject({ status: 200, type: 'BatchStatus', body: { done: 2, shards: { completed: 1 } } });
    const results = await call(context, 'get_batch_results', { path: [batchId] });
    expect(results).toMatchObject({ status: 200, type: 'str' });
    const ids = String(results.body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).interviewId);
    expect(ids).toEqual(sessions.map(({ interviewId }) => interviewId));
  });

  it('has a problem for each error', async (context) => {
    const problem = (name: string, more = {}) => ({ type: `urn:temporal-incode:${name}`, ...more });
    expect(await call(context, 'get_session', { path: ['nobody'] })).toMatchObject({
      ...{ status: 404, type: 'Problem', body: problem('SessionNotFoundError', { interviewId: 'nobody' }) },
    });
    expect(await call(context, 'list_sessions', { arguments: { stage: 'nowhere' } })).toMatchObject({
      ...{ status: 400, type: 'Problem', body: problem('InvalidInputError', { field: 'stage' }) },
    });
    expect(await call(context, 'about', { token: 'tig_other' })).toMatchObject({
      ...{ status: 401, type: 'Problem', body: problem('Unauthorized') },
    });
    const body = 'interviewId,sessionToken\na b,c\n';
    expect(await call(context, 'start_batch', { body, arguments: { format_: 'csv' } })).toMatchObject({
      ...{ status: 400, type: 'Problem', body: problem('InvalidInputError', { rows: [expect.any(String)] }) },
    });
  });

  it('finishes a session with the program on the page', async (context) => {
    const opened = await world.simulator.openSession();
    const files = [await fileOf(`${token}\n`), await fileOf(opened.token)];
    const run = (id: string) => program(context, 'gateway.py', [gateway.url, files[0] ?? '', id, files[1] ?? '']);
    expect(await run(opened.interviewId)).toContain('action: approved\n');
    await world.onboarding.result(opened.interviewId);
    // Runs again after the end, like a caller that lost the answer.
    expect(await run(opened.interviewId)).toBe('action: approved\noutcome: approved\n');
    expect(await run('a b')).toBe('problem: 400 urn:temporal-incode:InvalidInputError\n');
  });
});
