import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { completeBatch, OnboardingClient, stopBatch } from '../../src/client/index.js';
import { BATCH_WORKFLOW } from '../../src/contract/index.js';
import { type OpenedSession, startTestWorld, type TestWorld } from '../support/world.js';
import { raw, statusesOf } from '../webhook/support.js';
import { ask, makeToken, problemName, startGateway, type TestGateway } from './support.js';

const starter = makeToken('billing', 'start');
const reader = makeToken('support', 'read');
const operator = makeToken('ops', 'operate', 'read');
const { token } = starter;

let world: TestWorld;
let gateway: TestGateway;
beforeAll(async () => {
  world = await startTestWorld();
  const tokens = [starter, reader, operator].map(({ entry }) => entry);
  const { temporal: client, taskQueue } = world;
  gateway = await startGateway({
    client: new OnboardingClient({ client, taskQueue, bulkTaskQueue: taskQueue }),
    tokens: () => tokens,
    maxListBytes: 3_000_000,
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const CSV = { 'content-type': 'text/csv' };
const NDJSON = { 'content-type': 'application/x-ndjson' };

const csvOf = (sessions: OpenedSession[]) =>
  [
    'interviewId,sessionToken',
    ...sessions.map(({ interviewId, sessionToken }) => `${interviewId},${sessionToken}`),
  ].join('\n');

const post = (body: string, { query = '', headers = CSV }: { query?: string; headers?: Record<string, string> } = {}) =>
  ask(gateway, `POST /v1/batches${query}`, { token, body, headers });

const untilDone = (batchId: string) =>
  expect
    .poll(async () => (await ask(gateway, `GET /v1/batches/${batchId}`, { token: reader.token })).body.shards)
    .toEqual({ running: 0, completed: 1, ended: 0 });

describe('POST /v1/batches', () => {
  it('completes a list, and attaches to it when the same list is sent again', async () => {
    const sessions = await world.sessions(3, { redirectionUrl: 'https://example.com/?name=Ann' });
    const first = await post(csvOf(sessions));
    expect([first.status, first.body]).toEqual([
      202,
      { batchId: expect.stringMatching(/^list-[0-9a-f]{16}$/), sessions: 3, attached: 0 },
    ]);
    const { batchId } = first.body;
    expect(first.headers.get('location')).toBe(`/v1/batches/${batchId}`);
    await untilDone(batchId);
    expect((await post(csvOf(sessions))).body).toEqual({ batchId, sessions: 3, attached: 3 });
    expect(world.timesFinished(sessions)).toEqual([1, 1, 1]);

    const reads = vi.spyOn(world.temporal.workflowService, 'getWorkflowExecutionHistory');
    const status = await ask(gateway, `GET /v1/batches/${batchId}`, { token });
    // The results of a completed part do not change.
    const ofBatch = reads.mock.calls.filter(([{ execution }]) => execution?.workflowId?.includes(batchId));
    expect(ofBatch).toEqual([]);
    reads.mockRestore();
    expect(status.body).toMatchObject({ batchId, total: 3, done: 3, failed: 0, outcomes: { approved: 3 } });
    const unreadable = {
      metadata: { encoding: Buffer.from('binary/encrypted') },
      data: Buffer.from('by somebody else'),
    };
    const { namespace } = world.temporal.options;
    await world.temporal.workflowService.startWorkflowExecution({
      namespace,
      workflowId: `incode-batch/encrypted-${randomUUID()}/0`,
      requestId: randomUUID(),
      workflowType: { name: BATCH_WORKFLOW },
      taskQueue: { name: 'nobody' },
      memo: { fields: { sessions: unreadable } },
    });
    const list = await ask(gateway, 'GET /v1/batches', { token: reader.token });
    expect(list.body.items).toContainEqual({
      batchId,
      of: 'sessions',
      total: 3,
      shards: { running: 0, completed: 1, ended: 0 },
      startedAt: expect.any(String),
      closedAt: expect.any(String),
    });

    const results = await ask(gateway, `GET /v1/batches/${batchId}/results`, { token });
    expect(results.headers.get('content-type')).toBe('application/x-ndjson');
    const rows = results.body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(rows.map(({ interviewId }: OpenedSession) => interviewId)).toEqual(
      sessions.map(({ interviewId }) => interviewId),
    );
    expect(rows[0]).toMatchObject({ outcome: 'approved', finish: { redirectionUrl: 'https://example.com/?name=Ann' } });
    for (const format of ['csv', 'ndjson']) {
      const seen = await ask(gateway, `GET /v1/batches/${batchId}/results?format=${format}`, { token: reader.token });
      expect(seen.body).toContain(sessions[0]?.interviewId);
      expect(seen.body).not.toMatch(/Ann/);
      expect(seen.body).not.toContain(sessions[0]?.sessionToken);
    }
    const csv = await ask(gateway, `GET /v1/batches/${batchId}/results?format=csv`, { token });
    expect(csv.body.split('\n').slice(0, 2)).toEqual([
      'interviewId,outcome,action,redirectionUrl,confirmedBy,scoreStatus,scoreValue,onboardingStatus,failureType,failureMessage,notClosed',
      expect.stringContaining(
        `${sessions[0]?.interviewId},approved,approved,https://example.com/?name=Ann,response,OK,`,
      ),
    ]);
  });

  it('takes NDJSON, a batch id and a plan', async () => {
    const batchId = `gateway-${randomUUID()}`;
    const sessions = await world.sessions(2);
    const body = sessions.map((session) => JSON.stringify(session)).join('\n');
    const query = `?batchId=${batchId}&score=false&close=true`;
    const started = await post(body, { query, headers: NDJSON });
    expect([started.status, started.body.batchId]).toEqual([202, batchId]);
    await untilDone(batchId);
    expect(sessions.map(({ interviewId }) => world.simulator.effects(interviewId).closed)).toEqual([1, 1]);
    const other = await post(body, { query: `?batchId=${batchId}`, headers: NDJSON });
    expect([other.status, problemName(other), other.body.differs]).toEqual([409, 'BatchMismatchError', 'plan']);
  });

  it('takes a list of the type application/octet-stream if a parameter names its format', async () => {
    const body = csvOf(await world.sessions(1));
    const bytes = { 'content-type': 'application/octet-stream' };
    const unnamed = await post(body, { headers: bytes });
    expect([unnamed.status, unnamed.body.field]).toEqual([400, 'format']);
    const contradicting = await post(body, { query: '?format=ndjson' });
    expect([contradicting.status, contradicting.body.field]).toEqual([400, 'format']);
    const started = await post(body, { query: '?format=csv', headers: bytes });
    expect([started.status, started.body.sessions]).toEqual([202, 1]);
    await untilDone(started.body.batchId);
  });

  it('starts nothing if a row is wrong, and names the rows', async () => {
    const [one, two] = await world.sessions(2);
    const body = `${csvOf([one as OpenedSession])}\na b,c\n${two?.interviewId}\n${one?.interviewId},${one?.sessionToken}`;
    const answer = await post(body);
    expect([answer.status, problemName(answer), answer.body.field]).toEqual([400, 'InvalidInputError', 'list']);
    expect(answer.body.rows).toEqual([
      expect.stringMatching(/^Line 3: interviewId /),
      'Line 4: has 1 value, the header has 2 columns',
      expect.stringMatching(/^Line 5: interviewId \S+ is the same as on line 2$/),
    ]);
    expect(JSON.stringify(answer.body)).not.toContain(one?.sessionToken);
    expect(world.timesFinished([one as OpenedSession])).toEqual([0]);
  });

  it.each([
    ['no header', 'just,text', CSV, 400],
    ['an empty list', '', CSV, 400],
    ['only a header', 'interviewId', CSV, 400],
    ['a quote that is not closed', 'interviewId\n"a', CSV, 400],
    ['binary', '\0\0\0', NDJSON, 400],
    ['JSON that is no list', '{"interviewId": "a"}', { 'content-type': 'application/json' }, 415],
    ['a wrong parameter', 'interviewId\na', CSV, 400, '?close=yes'],
    ['a wrong batch id', 'interviewId\na', CSV, 400, '?batchId=a%20b'],
    ['too many bytes', `interviewId\n${'a'.repeat(3_100_000)}`, CSV, 413],
  ])('refuses %s', async (_, body, headers, status, query = '') => {
    const answer = await post(body, { headers: headers as Record<string, string>, query });
    expect(answer.status).toBe(status);
    expect(problemName(answer)).not.toContain('no problem');
  });

  it('refuses a list without an announced length as soon as it is too large', async () => {
    const head = ['POST /v1/batches HTTP/1.1', 'host: a', `authorization: Bearer ${token}`, 'content-type: text/csv'];
    const chunk = `${(100_000).toString(16)}\r\n${'a'.repeat(100_000)}\r\n`;
    const received = await raw(gateway.port, [
      `${head.join('\r\n')}\r\ntransfer-encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 40 }, () => chunk),
    ]);
    expect(statusesOf(received)).toEqual([413]);
  });

  it('takes a list of more than a megabyte, and leaves no file behind', async () => {
    const sessions = await world.sessions(20);
    const padding = 'x'.repeat(60_000);
    const rows = sessions.map(({ interviewId, sessionToken }) =>
      JSON.stringify({ interviewId, sessionToken, padding }),
    );
    const { status, body } = await post(rows.join('\n'), { headers: NDJSON });
    expect([status, body.sessions]).toEqual([202, 20]);
    const left = async () => (await readdir(tmpdir())).filter((name) => /^temporal-incode-batch-\w{6}$/.test(name));
    // Other tests on this machine may hold such a directory for a moment.
    await expect.poll(left).toEqual([]);
    await untilDone(body.batchId);
  });

  it('starts nothing if the list is cut off', async () => {
    const [session] = await world.sessions(1);
    const head = ['POST /v1/batches HTTP/1.1', 'host: a', `authorization: Bearer ${token}`, 'content-type: text/csv'];
    await raw(
      gateway.port,
      [`${head.join('\r\n')}\r\ncontent-length: 5000\r\n\r\n${csvOf([session as OpenedSession])}\n`],
      {
        untilMs: 300,
      },
    );
    await expect
      .poll(() => gateway.events.at(-1))
      .toMatchObject({ operation: 'startBatch', httpStatus: 499, problem: 'CallerGone' });
    expect(world.timesFinished([session as OpenedSession])).toEqual([0]);
  });
});

it('refuses a list that stops arriving, so that it does not keep the place of others', async () => {
  const client = world.onboarding;
  await using slow = await startGateway({ client, tokens: () => [starter.entry], bodyTimeoutMs: 200 });
  const head = ['POST /v1/batches HTTP/1.1', 'host: a', `authorization: Bearer ${token}`, 'content-type: text/csv'];
  const stalled = Array.from({ length: 4 }, () =>
    raw(slow.port, [`${head.join('\r\n')}\r\ncontent-length: 5000\r\n\r\ninterviewId\n`]),
  );
  expect((await Promise.all(stalled)).map(statusesOf)).toEqual(Array(4).fill([408]));
  const next = await ask(slow, 'POST /v1/batches', { token, body: 'interviewId\na b', headers: CSV });
  expect(next.status).toBe(400);
});

describe('results of a batch', () => {
  /** A gateway to a Temporal server that lists only some shards. */
  async function resultsWith(batchId: string, keep: (workflowId: string) => boolean, query = '') {
    const { workflow } = world.temporal;
    const list: typeof workflow.list = (options) => {
      const all = workflow.list(options);
      return { ...all, [Symbol.asyncIterator]: () => kept(all, keep) } as typeof all;
    };
    const listing = Object.create(workflow, { list: { value: list } });
    const temporal = Object.create(world.temporal, { workflow: { value: listing } });
    const client = Object.create(world.onboarding, { temporal: { value: temporal } });
    await using one = await startGateway({ client, tokens: () => [reader.entry] });
    return await ask(one, `GET /v1/batches/${batchId}/results${query}`, { token: reader.token });
  }

  it('are unfinished while the server does not have every shard', async () => {
    const sessions = await world.sessions(3);
    const options = { ...world.batch(), shardSize: 1, total: 3 };
    for await (const _ of completeBatch(world.onboarding, sessions, options));
    const { batchId } = options;
    const rowsOf = async (keep: (workflowId: string) => boolean) => {
      const refused = await resultsWith(batchId, keep);
      const part = await resultsWith(batchId, keep, '?partial=true');
      const rows = part.body.split('\n').filter(Boolean);
      return [problemName(refused), rows.map((row: string) => JSON.parse(row).interviewId)];
    };
    const [one, two, three] = sessions.map(({ interviewId }) => interviewId);
    await expect.poll(() => resultsWith(batchId, () => true).then(({ status }) => status)).toBe(200);
    expect(await rowsOf((id) => !id.endsWith('/1'))).toEqual(['BatchUnfinished', [one, three]]);
    expect(await rowsOf((id) => !id.endsWith('/2'))).toEqual(['BatchUnfinished', [one, two]]);
  });

  it('that cannot be read to their end are cut off, and the audit log says why', async () => {
    const sessions = await world.sessions(2);
    const options = { ...world.batch(), shardSize: 1, total: 2 };
    for await (const _ of completeBatch(world.onboarding, sessions, options));
    const { batchId } = options;
    await expect.poll(() => resultsWith(batchId, () => true).then(({ status }) => status)).toBe(200);
    // The first shard fills more than one part of the answer, and the second one fails.
    const rows = Array.from({ length: 600 }, () => ({ outcome: 'approved' }));
    const getHandle = (id: string) => ({
      result: () => (id.endsWith('/0') ? Promise.resolve({ rows }) : Promise.reject(new Error('gone'))),
    });
    const failing = Object.create(world.temporal.workflow, { getHandle: { value: getHandle } });
    const temporal = Object.create(world.temporal, { workflow: { value: failing } });
    const client = Object.create(world.onboarding, { temporal: { value: temporal } });
    await using one = await startGateway({ client, tokens: () => [reader.entry] });
    await expect(ask(one, `GET /v1/batches/${batchId}/results`, { token: reader.token })).rejects.toThrow();
    await expect
      .poll(() => one.events)
      .toMatchObject([
        { operation: 'getBatchResults', batchId, problem: 'TemporalRequestError', error: expect.any(Error) },
      ]);
  });
});

async function* kept<T extends { workflowId: string }>(all: AsyncIterable<T>, keep: (workflowId: string) => boolean) {
  for await (const one of all) if (keep(one.workflowId)) yield one;
}

describe('a running batch', () => {
  it('is paused, resumed and stopped', async () => {
    const sessions = await world.sessions(2);
    for (const { interviewId } of sessions) {
      world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: null });
    }
    const { batchId } = (await post(csvOf(sessions))).body;
    const get = async () => (await ask(gateway, `GET /v1/batches/${batchId}`, { token: reader.token })).body;
    const steer = (what: string) => ask(gateway, `POST /v1/batches/${batchId}/${what}`, { token: operator.token });
    await expect.poll(async () => (await get()).shards?.running).toBe(1);
    expect((await steer('pause')).body).toEqual({ batchId, shards: 1 });
    await expect.poll(async () => (await get()).paused).toBe(true);
    await steer('resume');
    await expect.poll(async () => (await get()).paused).toBe(false);
    const early = await ask(gateway, `GET /v1/batches/${batchId}/results`, { token: reader.token });
    expect([early.status, problemName(early)]).toEqual([409, 'BatchUnfinished']);
    const part = await ask(gateway, `GET /v1/batches/${batchId}/results?partial=true`, { token: reader.token });
    expect([part.status, part.body]).toEqual([200, '']);
    const open = await ask(gateway, 'GET /v1/batches?status=open', { token: reader.token });
    expect(open.body.items).toContainEqual(expect.objectContaining({ batchId, closedAt: null }));
    const stopped = await steer('stop');
    expect([stopped.status, stopped.body]).toMatchObject([202, { batchId, stopRequested: true }]);
    await stopBatch(world.onboarding, batchId);
    await untilDone(batchId);
    const results = await ask(gateway, `GET /v1/batches/${batchId}/results`, { token: reader.token });
    expect(results.body).toContain('BatchStopped');
    expect((await steer('stop')).status).toBe(202);
    world.simulator.clearFaults();
  });
});

it.each([
  ['GET', ''],
  ['GET', '/results'],
  ['POST', '/pause'],
  ['POST', '/resume'],
  ['POST', '/stop'],
])('%s /v1/batches/nobody%s is answered 404', async (method, what) => {
  const answer = await ask(gateway, `${method} /v1/batches/nobody${what}`, { token: operator.token });
  expect([answer.status, problemName(answer)]).toEqual([404, 'BatchNotFoundError']);
});
