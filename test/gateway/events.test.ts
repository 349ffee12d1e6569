import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import type { GatewayToken } from '../../src/contract/gateway-settings.js';
import { Feed } from '../../src/gateway/feed.js';
import { untilStage } from '../support/lifecycle.js';
import { startNewServer } from '../support/new-server.js';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { ask, makeToken, problemName, startGateway, type TestGateway } from './support.js';

const { token, entry } = makeToken('support', 'read');

let world: TestWorld;
let gateway: TestGateway;
beforeAll(async () => {
  world = await startTestWorld();
  const { temporal: client, taskQueue } = world;
  gateway = await startGateway({
    client: new OnboardingClient({ client, taskQueue, bulkTaskQueue: taskQueue }),
    tokens: () => [entry],
    keepAliveMs: 50,
    maxListeners: 3,
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

interface Event {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the data that it expects
  data: any;
}

interface Heard {
  events: Event[];
  text(): string;
  ended: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Listens, and resolves when the gateway has begun. */
async function listen(query = '', of: Pick<TestGateway, 'url'> = gateway, as = token): Promise<Heard> {
  const over = new AbortController();
  const response = await fetch(`${of.url}/v1/events${query}`, {
    headers: { authorization: `Bearer ${as}` },
    signal: over.signal,
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const events: Event[] = [];
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const all = [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)];
      for (const [, event = '', data = ''] of all.slice(events.length)) events.push({ event, data: JSON.parse(data) });
    }
  })();
  const ended = reading.catch(() => undefined);
  await expect.poll(() => events[0]).toEqual({ event: 'ready', data: {} });
  return {
    events,
    text: () => text,
    ended,
    async [Symbol.asyncDispose]() {
      over.abort();
      await ended;
    },
  };
}

const of = ({ events }: Heard, name: string) => events.filter(({ event }) => event === name).map(({ data }) => data);

it('a session that others watch already is no further topic', () => {
  const feed = new Feed(world.onboarding);
  const leave = feed.listen({ interviewId: 'nobody', send: () => undefined });
  const topics = [{ interviewId: 'nobody' }, { interviewId: 'other' }, {}].map((topic) => feed.topicsWith(topic));
  expect(topics).toEqual([1, 2, 1]);
  leave();
});

describe('GET /v1/events', () => {
  it('tells of sessions that start, change their stage and end', async () => {
    await using heard = await listen();
    const list = vi.spyOn(world.temporal.workflowService, 'listWorkflowExecutions');
    // The first look at the sessions is over, so that a new one is a change.
    await expect.poll(() => list.mock.calls.length).toBeGreaterThanOrEqual(2);
    list.mockRestore();
    const { interviewId, token: sessionToken } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    const stages = () => of(heard, 'session').filter((one) => one.interviewId === interviewId);
    await expect.poll(() => stages().at(-1)?.stage).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, sessionToken);
    await expect.poll(() => stages().at(-1)).toMatchObject({ status: 'completed', outcome: 'approved' });
    expect(heard.text()).toContain(': keep-alive\n\n');
    expect(heard.text()).not.toContain(sessionToken);
  });

  it('tells of one session with its state', async () => {
    const { interviewId, token: sessionToken } = await world.simulator.openSession({
      redirectionUrl: 'https://example.com/?name=Ann',
    });
    await world.onboarding.start({ interviewId });
    await using heard = await listen(`?session=${interviewId}`);
    await using other = await listen(`?session=${interviewId}`);
    await expect.poll(() => of(heard, 'state').at(-1)?.state?.stage).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, sessionToken);
    await expect.poll(() => of(heard, 'state').at(-1)?.result?.outcome).toBe('approved');
    await expect.poll(() => of(other, 'state').at(-1)).toEqual(of(heard, 'state').at(-1));
    expect(of(heard, 'session')).toEqual([]);
    expect(heard.text()).not.toMatch(/Ann|redirectionUrl/);
  });

  it('tells of the progress of a batch', async () => {
    const sessions = await world.sessions(2);
    const [late] = sessions;
    world.simulator.fault({
      operation: 'finishStatus',
      interviewId: late?.interviewId ?? '',
      kind: 'status',
      status: 503,
      times: null,
    });
    const options = world.batch();
    const { completeBatch } = await import('../../src/client/index.js');
    const running = (async () => {
      for await (const _ of completeBatch(world.onboarding, sessions, options));
    })();
    await expect
      .poll(() => ask(gateway, `GET /v1/batches/${options.batchId}`, { token }).then(({ status }) => status))
      .toBe(200);
    await using heard = await listen(`?batch=${options.batchId}`);
    await expect.poll(() => of(heard, 'batch').at(-1)).toMatchObject({ total: 2, done: 1, waiting: 1 });
    world.simulator.clearFaults();
    await expect.poll(() => of(heard, 'batch').at(-1)).toMatchObject({ done: 2, shards: { completed: 1 } });
    await running;
  });

  it('asks Temporal once for all listeners, and not without one', async () => {
    const query = vi.spyOn(world.temporal.workflowService, 'queryWorkflow');
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    await untilStage(world, interviewId, 'needsToken');
    const asked = (id = interviewId) =>
      query.mock.calls.filter(([{ execution }]) => execution?.workflowId?.endsWith(id)).length;
    {
      await using one = await listen(`?session=${interviewId}`);
      await expect.poll(() => of(one, 'state')).toHaveLength(1);
      const before = asked();
      await using two = await listen(`?session=${interviewId}`);
      await using three = await listen(`?session=${interviewId}`);
      expect([of(two, 'state'), of(three, 'state')].map((states) => states.length)).toEqual([1, 1]);
      expect(asked()).toBe(before);
    }
    const last = asked();
    const other = await world.simulator.openSession();
    await world.onboarding.start({ interviewId: other.interviewId });
    await using _four = await listen(`?session=${other.interviewId}`);
    await expect.poll(() => asked(other.interviewId)).toBeGreaterThanOrEqual(2);
    expect(asked()).toBe(last);
    await world.onboarding.cancel(other.interviewId);
    await world.onboarding.cancel(interviewId);
    query.mockRestore();
  });

  it('tells that more sessions have ended than it can list', async () => {
    const { workflowService } = world.temporal;
    const listWorkflowExecutions: typeof workflowService.listWorkflowExecutions = Object.assign(
      async (request: { query?: string }) => {
        const answer = await workflowService.listWorkflowExecutions(request);
        return request.query?.includes('CloseTime >') ? { ...answer, nextPageToken: Buffer.from('more') } : answer;
      },
    );
    const listing = Object.create(workflowService, { listWorkflowExecutions: { value: listWorkflowExecutions } });
    const temporal = Object.create(world.temporal, { workflowService: { value: listing } });
    const client = Object.create(world.onboarding, { temporal: { value: temporal } });
    await using many = await startGateway({ client, tokens: () => [entry] });
    await using heard = await listen('', many);
    await expect.poll(() => of(heard, 'overflow').length).toBeGreaterThanOrEqual(1);
  });

  it('tells of a session that is not known', async () => {
    await using heard = await listen('?session=nobody');
    await expect.poll(() => of(heard, 'problem')).toHaveLength(1);
    expect(of(heard, 'problem')[0]).toMatchObject({ status: 404, interviewId: 'nobody' });
  });

  it('refuses more listeners than its maximum', async () => {
    await using _one = await listen();
    await using _two = await listen();
    await using _three = await listen();
    const refused = await ask(gateway, 'GET /v1/events', { token });
    expect([refused.status, problemName(refused), refused.headers.get('retry-after')]).toEqual([
      503,
      'TooManyListeners',
      '5',
    ]);
  });

  it.each([
    ['session', 'session=a%20b'],
    ['batchId', 'batch=%2F'],
    ['query.stage', 'stage=waiting'],
  ])('refuses an invalid %s', async (field, query) => {
    const answer = await ask(gateway, `GET /v1/events?${query}`, { token });
    expect([answer.status, answer.body.field?.replace('interviewId', 'session')]).toEqual([400, field]);
  });

  it('ends when the token is removed from the file', async () => {
    let tokens: GatewayToken[] = [entry];
    const client = world.onboarding;
    await using one = await startGateway({ client, tokens: () => tokens, keepAliveMs: 50 });
    await using heard = await listen('', one);
    tokens = [makeToken('other', 'read').entry];
    await heard.ended;
    await expect
      .poll(() => one.events)
      .toMatchObject([{ operation: 'watchEvents', caller: 'support', httpStatus: 200 }]);
  });

  it('ends when the gateway stops', async () => {
    await using one = await startGateway({ client: world.onboarding, tokens: () => [entry] });
    await using heard = await listen('', one);
    await one.gateway.close();
    await heard.ended;
  });

  it('tells that the Temporal server is away', async () => {
    const server = await startNewServer();
    const connection = await Connection.connect({ address: server.address });
    const client = new OnboardingClient({ client: new Client({ connection }), taskQueue: `none-${randomUUID()}` });
    await client.start({ interviewId: 'waits' });
    await using one = await startGateway({ client, tokens: () => [entry] });
    await using heard = await listen('?session=waits', one);
    await expect.poll(() => of(heard, 'state')).toHaveLength(1);
    await server.stop();
    await expect.poll(() => of(heard, 'problem').at(-1)).toMatchObject({ status: 503 });
    await connection.close();
  });
});
