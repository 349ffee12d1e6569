import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayToken } from '../../src/contract/gateway-settings.js';
import { untilStage } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { ask, makeToken, problemName, startGateway, type TestGateway } from './support.js';

const reader = makeToken('support', 'read');
const starter = makeToken('billing', 'start');
const operator = makeToken('ops', 'read', 'operate');
const { token } = starter;

let world: TestWorld;
let gateway: TestGateway;
beforeAll(async () => {
  world = await startTestWorld();
  const tokens = [reader, starter, operator].map(({ entry }) => entry);
  gateway = await startGateway({ client: world.onboarding, tokens: () => tokens });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function opened(spec = {}) {
  const { interviewId, token: sessionToken } = await world.simulator.openSession(spec);
  return { interviewId, sessionToken };
}

const path = (interviewId: string, what = '') => `/v1/sessions/${encodeURIComponent(interviewId)}${what}`;

const WAITS = { plan: { finishWhen: 'asked' } };

describe('POST /v1/sessions', () => {
  it('starts an onboarding, and attaches to it when the request is repeated', async () => {
    const session = await opened();
    const first = await ask(gateway, 'POST /v1/sessions', { token, body: { ...session, ...WAITS } });
    expect(first.status).toBe(201);
    expect(first.headers.get('location')).toBe(path(session.interviewId));
    expect(first.body).toMatchObject({ interviewId: session.interviewId, attached: false, plan: WAITS.plan });
    const second = await ask(gateway, 'POST /v1/sessions', { token, body: { ...session, ...WAITS } });
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({ attached: true, runId: first.body.runId });
    await world.onboarding.cancel(session.interviewId);
  });

  it('answers a repeated request with the completed onboarding, or refuses it if asked to', async () => {
    const session = await opened();
    await ask(gateway, 'POST /v1/sessions', { token, body: session });
    await world.onboarding.result(session.interviewId);
    expect((await ask(gateway, 'POST /v1/sessions', { token, body: session })).status).toBe(200);
    const refused = await ask(gateway, 'POST /v1/sessions', { token, body: { ...session, ifCompleted: 'refuse' } });
    expect([refused.status, problemName(refused)]).toEqual([409, 'SessionCompletedError']);
    expect(world.simulator.effects(session.interviewId).finished).toBe(1);
  });

  it('names what differs from the plan of the running onboarding', async () => {
    const session = await opened();
    await ask(gateway, 'POST /v1/sessions', { token, body: { ...session, ...WAITS } });
    const body = { ...session, plan: { finishWhen: 'asked', close: true } };
    const other = await ask(gateway, 'POST /v1/sessions', { token, body });
    expect([other.status, problemName(other), other.body.differs]).toEqual([409, 'PlanMismatchError', ['close']]);
    const attach = await ask(gateway, 'POST /v1/sessions', { token, body: { ...body, ifPlanDiffers: 'attach' } });
    expect([attach.status, attach.body.plan.close]).toEqual([200, false]);
    await world.onboarding.cancel(session.interviewId);
  });

  it.each([
    ['interviewId', { interviewId: 'a b' }],
    ['interviewId', {}],
    ['sessionToken', { interviewId: 'a', sessionToken: 'two words' }],
    ['plan.close', { interviewId: 'a', plan: { close: 'yes' } }],
    ['body.session', { interviewId: 'a', session: 'b' }],
    ['ifCompleted', { interviewId: 'a', ifCompleted: 'restart' }],
    ['batchId', { interviewId: 'a', batchId: '"' }],
    ['body', []],
    ['body', '{'],
  ])('refuses an invalid request and names the field %s', async (field, body) => {
    const answer = await ask(gateway, 'POST /v1/sessions', { token, body });
    expect([answer.status, problemName(answer), answer.body.field]).toEqual([400, 'InvalidInputError', field]);
  });
});

describe('POST /v1/sessions/{interviewId}/finish', () => {
  it('starts the session and answers with the action and the URL', async () => {
    const { interviewId, sessionToken } = await opened({ redirectionUrl: 'https://example.com/welcome' });
    const answer = await ask(gateway, `POST ${path(interviewId, '/finish')}`, { token, body: { sessionToken } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      interviewId,
      answer: { action: 'approved', redirectionUrl: 'https://example.com/welcome', confirmedBy: 'response' },
    });
    await world.onboarding.result(interviewId);
    const repeated = await ask(gateway, `POST ${path(interviewId, '/finish')}`, { token, body: { sessionToken } });
    expect(repeated.body).toMatchObject({ answer: answer.body.answer, stage: 'done', outcome: 'approved' });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('answers without stage and outcome if the state cannot be read after the answer', async () => {
    const { interviewId, token: sessionToken } = await world.simulator.openSession();
    const client = Object.create(world.onboarding, { state: { value: () => Promise.reject(new Error('away')) } });
    await using one = await startGateway({ client, tokens: null });
    const answer = await ask(one, `POST ${path(interviewId, '/finish?timeout=60s')}`, { body: { sessionToken } });
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { answer: { action: 'approved' }, stage: null, outcome: null },
    ]);
  });

  it('answers 202 with what the session waits for if there is no answer in time', async () => {
    const { interviewId } = await opened();
    const answer = await ask(gateway, `POST ${path(interviewId, '/finish?timeout=500ms')}`, { token });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(path(interviewId));
    expect(answer.body).toMatchObject({ interviewId, stage: 'needsToken', hasWorker: true });
    expect(answer.body.waitingFor).toContain('token');
    await world.onboarding.cancel(interviewId);
  });

  it('answers 422 with the failure that ended the onboarding', async () => {
    const { interviewId, sessionToken } = await opened();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    const body = { sessionToken };
    const answer = await ask(gateway, `POST ${path(interviewId, '/finish')}`, { token, body });
    expect([answer.status, problemName(answer), answer.body.failure]).toEqual([
      422,
      'SessionFailedError',
      'IncodeUnknownSession',
    ]);
  });

  it.each(['0s', 'soon', '61s', '-1s'])('refuses the timeout %s', async (timeout) => {
    const answer = await ask(gateway, `POST ${path('a', `/finish?timeout=${timeout}`)}`, { token });
    expect([answer.status, answer.body.field]).toEqual([400, 'timeout']);
  });
});

describe('GET /v1/sessions/{interviewId}', () => {
  it('shows stage, score and outcome, and the redirection URL only with the scope start', async () => {
    const session = await opened({ redirectionUrl: 'https://example.com/?name=Ann' });
    await world.onboarding.start(session);
    await world.onboarding.result(session.interviewId);
    const seen = await ask(gateway, `GET ${path(session.interviewId)}`, { token: reader.token });
    expect(seen.status).toBe(200);
    expect(seen.body).toMatchObject({
      status: 'completed',
      failure: null,
      call: null,
      state: { stage: 'done', outcome: 'approved', score: { status: 'OK' } },
      result: { outcome: 'approved', finish: { action: 'approved' } },
    });
    expect(new Date(seen.body.closedAt).getTime()).toBeGreaterThanOrEqual(new Date(seen.body.startedAt).getTime());
    expect(JSON.stringify(seen.body)).not.toMatch(/Ann|redirectionUrl/);
    const own = await ask(gateway, `GET ${path(session.interviewId)}`, { token });
    expect(own.body.state.finish.redirectionUrl).toBe('https://example.com/?name=Ann');
    expect(JSON.stringify(own.body)).not.toContain(session.sessionToken);
  });

  it('answers 404 for a session that is not known', async () => {
    const answer = await ask(gateway, `GET ${path('nobody')}`, { token: reader.token });
    expect([answer.status, problemName(answer)]).toEqual([404, 'SessionNotFoundError']);
    expect(answer.body.interviewId).toBe('nobody');
  });
});

describe('GET /v1/sessions', () => {
  it('lists sessions by batch, stage and outcome, page by page', async () => {
    const batchId = `gateway ${randomUUID()}`;
    const sessions = await Promise.all(Array.from({ length: 3 }, () => opened()));
    for (const session of sessions) {
      await ask(gateway, 'POST /v1/sessions', { token, body: { ...session, ...WAITS, batchId } });
    }
    const query = `batch=${encodeURIComponent(batchId)}`;
    const list = (more = '') => ask(gateway, `GET /v1/sessions?${query}${more}`, { token: reader.token });
    await expect.poll(async () => (await list()).body.items).toHaveLength(3);
    const first = await list('&stage=waiting&status=open&limit=2');
    expect(first.body.items).toHaveLength(2);
    const rest = await list(`&stage=waiting&status=open&limit=2&cursor=${first.body.cursor}`);
    const found = [...first.body.items, ...rest.body.items].map(({ interviewId }) => interviewId);
    expect(found.sort()).toEqual(sessions.map(({ interviewId }) => interviewId).sort());
    expect(first.body.items[0]).toMatchObject({ status: 'running', stage: 'waiting', outcome: null, batchId });
    expect((await list('&outcome=approved')).body).toEqual({ items: [], cursor: null });
    const elsewhere = await list(`&limit=2&cursor=${first.body.cursor}`);
    expect([elsewhere.status, elsewhere.body.field]).toEqual([400, 'cursor']);
    await Promise.all(sessions.map(({ interviewId }) => world.onboarding.cancel(interviewId)));
  });

  it.each([
    ['stage', 'stage=elsewhere'],
    ['outcome', 'outcome=approved%27'],
    ['status', 'status='],
    ['cursor', 'cursor=x'],
    ['cursor', `cursor=${Buffer.from('a page token of somebody').toString('base64url')}`],
    ['limit', 'limit=1001'],
    ['limit', 'limit=0x10'],
    ['batch', 'batch=%22'],
    ['query.order', 'order=1'],
    ['stage', 'stage=waiting&stage=done'],
  ])('refuses an invalid %s: %s', async (field, query) => {
    const answer = await ask(gateway, `GET /v1/sessions?${query}`, { token: reader.token });
    expect([answer.status, problemName(answer), answer.body.field]).toEqual([400, 'InvalidInputError', field]);
  });

  it('refuses a cursor that Temporal does not know', async () => {
    const { cursorOf } = await import('../../src/client/list/page.js');
    const { queryFor } = await import('../../src/client/list/query.js');
    const cursor = cursorOf(Buffer.from('not a page token'), queryFor({}));
    const answer = await ask(gateway, `GET /v1/sessions?cursor=${cursor}`, { token: reader.token });
    expect([answer.status, answer.body.field]).toEqual([400, 'cursor']);
  });
});

describe('POST /v1/sessions/{interviewId}/token', () => {
  it('hands in a token, and may be repeated', async () => {
    const { interviewId, sessionToken } = await opened();
    await world.onboarding.start({ interviewId });
    await untilStage(world, interviewId, 'needsToken');
    const hand = () => ask(gateway, `POST ${path(interviewId, '/token')}`, { token, body: { sessionToken } });
    expect((await hand()).status).toBe(204);
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect((await hand()).status).toBe(204);
  });
});

describe('POST /v1/sessions/{interviewId}/deadline', () => {
  it('extends the deadline once for one Idempotency-Key', async () => {
    const session = await opened();
    await world.onboarding.start({ ...session, plan: { finishWhen: 'asked' } });
    await untilStage(world, session.interviewId, 'waiting');
    const extend = (key: string) =>
      ask(gateway, `POST ${path(session.interviewId, '/deadline')}`, {
        token: operator.token,
        body: { by: '1 day' },
        headers: { 'idempotency-key': key },
      });
    const [first, second] = [await extend('a'), await extend('a')];
    expect(first.status).toBe(200);
    expect(second.body).toEqual(first.body);
    const third = await extend('b');
    expect(Date.parse(third.body.deadline) - Date.parse(first.body.deadline)).toBe(86_400_000);
    await world.onboarding.cancel(session.interviewId);
  });

  it('extends the deadline again for the same Idempotency-Key with another duration', async () => {
    const session = await opened();
    await world.onboarding.start({ ...session, plan: { finishWhen: 'asked' } });
    await untilStage(world, session.interviewId, 'waiting');
    const extend = async (by: string) => {
      const sent = { token: operator.token, body: { by }, headers: { 'idempotency-key': 'a' } };
      return Date.parse((await ask(gateway, `POST ${path(session.interviewId, '/deadline')}`, sent)).body.deadline);
    };
    const first = await extend('1 day');
    expect((await extend('2 days')) - first).toBe(2 * 86_400_000);
    // Another spelling of the same duration.
    expect((await extend('24 hours')) - first).toBe(0);
    await world.onboarding.cancel(session.interviewId);
  });

  it('refuses a request without Idempotency-Key, because a repetition would extend the deadline twice', async () => {
    const answer = await ask(gateway, `POST ${path('a', '/deadline')}`, {
      token: operator.token,
      body: { by: '1 day' },
    });
    expect([answer.status, answer.body.field]).toEqual([400, 'Idempotency-Key']);
  });
});

describe('DELETE /v1/sessions/{interviewId}', () => {
  it('cancels the onboarding, and may be repeated', async () => {
    const session = await opened();
    await world.onboarding.start({ ...session, plan: { finishWhen: 'asked' } });
    const cancel = () => ask(gateway, `DELETE ${path(session.interviewId)}`, { token: operator.token });
    expect((await cancel()).status).toBe(202);
    await expect.poll(async () => (await world.onboarding.state(session.interviewId)).status).toBe('cancelled');
    expect((await cancel()).body).toEqual({ interviewId: session.interviewId, cancelRequested: true });
  });
});

it('logs who did what to which session, without a secret', async () => {
  const session = await opened();
  const before = gateway.events.length;
  await ask(gateway, `POST ${path(session.interviewId, '/finish')}`, {
    token,
    body: { sessionToken: session.sessionToken },
  });
  await ask(gateway, `DELETE ${path(session.interviewId)}`, { token });
  await ask(gateway, `GET ${path(session.interviewId)}`, { token: 'guessed' });
  const { interviewId } = session;
  await expect.poll(() => gateway.events.slice(before)).toHaveLength(3);
  expect(gateway.events.slice(before)).toMatchObject([
    { operation: 'finishSession', caller: 'billing', interviewId, httpStatus: 200 },
    { operation: 'cancelSession', caller: 'billing', httpStatus: 403, problem: 'Forbidden' },
    { operation: 'getSession', caller: 'nobody', httpStatus: 401, problem: 'Unauthorized' },
  ]);
  for (const secret of [session.sessionToken, token, 'guessed']) {
    expect(JSON.stringify(gateway.events)).not.toContain(secret);
  }
});

describe('a request that waits for a session', () => {
  /** A gateway whose client shows how its last finish ended. */
  async function waitingGateway(tokens: () => GatewayToken[]) {
    let finishing: Promise<unknown> | undefined;
    const finish: typeof world.onboarding.finish = (...args) => {
      const answer = world.onboarding.finish(...args);
      finishing = answer;
      return answer;
    };
    const client = Object.create(world.onboarding, { finish: { value: finish } });
    const one = await startGateway({ client, tokens });
    return { one, finishing: () => finishing, isWaiting: () => finishing !== undefined };
  }

  it('waits no longer when its caller has left', async () => {
    const { interviewId } = await opened();
    await world.onboarding.start({ interviewId });
    const { one, finishing, isWaiting } = await waitingGateway(() => [starter.entry]);
    const left = new AbortController();
    const answer = fetch(`${one.url}${path(interviewId, '/finish?timeout=60s')}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: left.signal,
    });
    answer.catch(() => undefined);
    await untilStage(world, interviewId, 'needsToken');
    // The gateway has begun to wait.
    await expect.poll(isWaiting).toBe(true);
    left.abort();
    await expect.poll(() => one.events.at(-1)).toMatchObject({ httpStatus: 499, problem: 'CallerGone' });
    await expect(finishing()).rejects.toMatchObject({ message: 'The caller is gone' });
    // The session goes on.
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
    await one.gateway.close();
  });

  it('is answered 401 when its token is removed from the file', async () => {
    const { interviewId } = await opened();
    await world.onboarding.start({ interviewId });
    let tokens = [starter.entry];
    const { one } = await waitingGateway(() => tokens);
    const answer = ask(one, `POST ${path(interviewId, '/finish?timeout=60s')}`, { token });
    await untilStage(world, interviewId, 'needsToken');
    tokens = [reader.entry];
    expect(problemName(await answer)).toBe('Unauthorized');
    await world.onboarding.cancel(interviewId);
    await one.gateway.close();
  });
});

it('answers 202 to a request that waits when the gateway stops', async () => {
  const { interviewId } = await opened();
  const one = await startGateway({ client: world.onboarding, tokens: null });
  const answer = ask(one, `POST ${path(interviewId, '/finish?timeout=60s')}`);
  await expect
    .poll(() =>
      world.onboarding.state(interviewId).then(
        ({ state }) => state?.stage,
        () => '',
      ),
    )
    .toBe('needsToken');
  await one.gateway.close();
  expect((await answer).status).toBe(202);
  await world.onboarding.cancel(interviewId);
});
