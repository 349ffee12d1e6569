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

  const post = (interviewId: string, body: unknown, base = url) =>
    answerOf(
      fetch(`${base}/onboardings/${interviewId}/finish`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  const get = (path: string) => answerOf(fetch(url + path));

  it("answers with Incode's answer, to a second request too", async () => {
    const { interviewId, token } = await world.simulator.openSession({ redirectionUrl: 'https://example.com/next' });
    const answer = { status: 200, body: { action: 'approved', redirectionUrl: 'https://example.com/next' } };
    expect(await post(interviewId, { sessionToken: token })).toMatchObject(answer);
    expect(await post(interviewId, { sessionToken: token })).toMatchObject(answer);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
    await expect
      .poll(() => get(`/onboardings/${interviewId}`))
      .toMatchObject({ status: 200, body: { status: 'completed', stage: 'done', outcome: 'approved', failure: null } });
  });

  it('says where to look if the answer takes longer than anybody waits', async () => {
    await using impatient = startExample(`${name}/server.ts`, { ...world.env, PORT: '0', PATIENCE_MS: '3000' });
    const base = await impatient.wrote(/Listening at (\S+)/);
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.revokeTokens(interviewId);
    const pending = await post(interviewId, { sessionToken: token }, base);
    expect(pending).toMatchObject({ status: 202, location: `/onboardings/${interviewId}` });
    await expect
      .poll(() => get(String(pending.location)))
      .toMatchObject({ status: 200, body: { status: 'running', stage: 'needsToken', outcome: null } });
    await onboarding().renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await post(interviewId, { sessionToken: token })).toMatchObject({
      status: 200,
      body: { action: 'approved' },
    });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it.each([
    ['a session that Incode does not know', 404, 404, 'IncodeUnknownSession'],
    ['a session that Incode refuses', 405, 422, 'IncodeMethodNotAllowed'],
  ])('answers %s with its type', async (_, incode, status, type) => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: incode });
    const refused = await post(interviewId, { sessionToken: token });
    expect(refused).toMatchObject({ status, body: { type } });
    expect(JSON.stringify(refused)).not.toContain(token);
    await expect
      .poll(() => get(`/onboardings/${interviewId}`))
      .toMatchObject({ body: { status: 'failed', failure: type } });
  });

  it('answers 410 for a session that has expired', async () => {
    const { interviewId, token } = await world.simulator.openSession({ onboardingStatus: 'EXPIRED' });
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 400 });
    expect(await post(interviewId, { sessionToken: token })).toMatchObject({ status: 410 });
  });

  it('answers 400 for what makes no sense, and starts nothing', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    expect(await post(interviewId, {})).toMatchObject({ status: 400 });
    const malformed = await post(interviewId, `{"sessionToken": ${token}}`);
    expect(malformed.status).toBe(400);
    expect(JSON.stringify(malformed)).not.toContain(token.slice(0, 5));
    expect(await get(`/onboardings/${interviewId}`)).toMatchObject({ status: 404 });
  });

  it('answers a request that is under way before it ends', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'latency', ms: 1_500 });
    const answer = post(interviewId, { sessionToken: token });
    await expect.poll(() => world.simulator.callsOf(interviewId, 'finishStatus').length).toBeGreaterThan(0);
    const stopped = service.stop();
    expect(await answer).toMatchObject({ status: 200, body: { action: 'approved' } });
    expect(await stopped).toBe(0);
  });
});

describe.each(['express', 'fastify'])('%s without Temporal', (name) => {
  it('answers 503, and does not say that the session goes on', async () => {
    const own = await startExampleWorld();
    await using service = startExample(`${name}/server.ts`, { ...own.env, PORT: '0', PATIENCE_MS: '1000' });
    const url = await service.wrote(/Listening at (\S+)/);
    await own[Symbol.asyncDispose]();
    const refused = await fetch(`${url}/onboardings/some-session/finish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sessionToken: 'some-token' }),
    });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
  });
});

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
