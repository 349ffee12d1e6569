import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { OnboardingClient } from 'temporal-incode/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Example,
  type ExampleWorld,
  startExample,
  startExampleWorld,
  startOnboardingWorker,
} from '../support/example.js';

let world: ExampleWorld;
let worker: AsyncDisposable;
beforeAll(async () => {
  world = await startExampleWorld();
  worker = await startOnboardingWorker(world);
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

describe.each(['express', 'fastify'])('%s', (name) => {
  let service: Example;
  let url: string;
  beforeAll(async () => {
    service = startExample(`${name}/server.ts`, { ...world.env, PORT: '0', PATIENCE_MS: '30000' });
    url = await service.wrote(/Listening at (\S+)/);
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const ask = (user: string, method: string, path: string, base = url, body?: unknown) =>
    answerOf(
      fetch(base + path, {
        method,
        headers: { 'x-demo-user': user, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  const finish = (user: string, base = url) => ask(user, 'POST', '/onboarding/finish', base);
  const look = (user: string, base = url) => ask(user, 'GET', '/onboarding', base);
  /** Starts an onboarding like a browser. */
  async function begin(base = url): Promise<{ user: string; interviewId: string; token: string }> {
    const user = randomUUID();
    const { status, body } = await ask(user, 'POST', '/onboarding', base);
    expect(status).toBe(200);
    return { user, ...(body as { interviewId: string; token: string }) };
  }

  it("returns Incode's answer, also to a second request", async () => {
    const { user, interviewId } = await begin();
    const answer = { status: 200, body: { action: 'approved', redirectionUrl: 'https://example.com/next' } };
    expect(await finish(user)).toMatchObject(answer);
    expect(await finish(user)).toMatchObject(answer);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
    await expect
      .poll(() => look(user))
      .toMatchObject({ status: 200, body: { status: 'completed', stage: 'done', outcome: 'approved', failure: null } });
  });

  it("returns only the verdict of the user's own session, whatever ids the browser sends", async () => {
    const [mine, other] = [await begin(), await begin()];
    const foreign = { interviewId: other.interviewId, sessionToken: other.token, token: other.token };
    const query = `?interviewId=${other.interviewId}&sessionToken=${other.token}`;
    expect(await ask(mine.user, 'POST', `/onboarding/finish${query}`, url, foreign)).toMatchObject({ status: 200 });
    const finished = [mine, other].map(({ interviewId }) => world.simulator.effects(interviewId).finished);
    expect(finished).toEqual([1, 0]);
    expect(await ask(mine.user, 'POST', `/onboardings/${other.interviewId}/finish`)).toMatchObject({ status: 404 });
  });

  it('keeps one session per user, and answers 404 to a user without one', async () => {
    const { user, interviewId } = await begin();
    expect((await ask(user, 'POST', '/onboarding')).body).toMatchObject({ interviewId });
    expect(await finish('nobody')).toMatchObject({ status: 404 });
    expect(await look('nobody')).toMatchObject({ status: 404 });
    expect((await fetch(`${url}/onboarding`)).status).toBe(401);
  });

  it('answers with a link to the status if the answer takes too long', async () => {
    await using impatient = startExample(`${name}/server.ts`, { ...world.env, PORT: '0', PATIENCE_MS: '3000' });
    const base = await impatient.wrote(/Listening at (\S+)/);
    const { user, interviewId } = await begin(base);
    world.simulator.revokeTokens(interviewId);
    const pending = await finish(user, base);
    expect(pending).toMatchObject({ status: 202, location: '/onboarding' });
    await expect
      .poll(() => look(user, base))
      .toMatchObject({ status: 200, body: { status: 'running', stage: 'needsToken', outcome: null } });
    await onboarding().renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await finish(user, base)).toMatchObject({ status: 200, body: { action: 'approved' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it.each([
    ['a session that Incode does not know', 404, 404, 'IncodeUnknownSession'],
    ['a session that Incode refuses', 405, 422, 'IncodeMethodNotAllowed'],
  ])('answers with a type to %s', async (_, incode, status, type) => {
    const { user, interviewId, token } = await begin();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: incode });
    const refused = await finish(user);
    expect(refused).toMatchObject({ status, body: { type } });
    expect(JSON.stringify(refused)).not.toContain(token);
    await expect.poll(() => look(user)).toMatchObject({ body: { status: 'failed', failure: type } });
  });

  it('answers 410 for a session that has expired', async () => {
    const { user, interviewId } = await begin();
    world.simulator.setOnboardingStatus(interviewId, 'EXPIRED');
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 400 });
    expect(await finish(user)).toMatchObject({ status: 410 });
  });

  it('answers a request in flight before it exits', async () => {
    const { user, interviewId } = await begin();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'latency', ms: 1_500 });
    const answer = finish(user);
    await expect.poll(() => world.simulator.callsOf(interviewId, 'finishStatus').length).toBeGreaterThan(0);
    const stopped = service.stop();
    expect(await answer).toMatchObject({ status: 200, body: { action: 'approved' } });
    expect(await stopped).toBe(0);
  });
});

it('both examples contain the same sessions.ts', () => {
  const [one, other] = ['express', 'fastify'].map((name) => read(`examples/${name}/sessions.ts`));
  expect(one).toBe(other);
});

describe.each(['express', 'fastify'])('%s without Temporal', (name) => {
  it('answers 503 without claiming that the session continues', async () => {
    const own = await startExampleWorld();
    await using service = startExample(`${name}/server.ts`, { ...own.env, PORT: '0', PATIENCE_MS: '1000' });
    const url = await service.wrote(/Listening at (\S+)/);
    const headers = { 'x-demo-user': 'a' };
    await fetch(`${url}/onboarding`, { method: 'POST', headers });
    await own[Symbol.asyncDispose]();
    const refused = await fetch(`${url}/onboarding/finish`, { method: 'POST', headers });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
  });
});

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

function onboarding(): OnboardingClient {
  return new OnboardingClient({ client: world.temporal });
}

async function answerOf(request: Promise<Response>) {
  const response = await request;
  const text = await response.text();
  return {
    status: response.status,
    location: response.headers.get('location'),
    body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
  };
}
