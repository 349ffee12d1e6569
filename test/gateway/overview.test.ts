import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GATEWAY_SCOPES } from '../../src/contract/gateway-settings.js';
import type { Overview } from '../../src/gateway/types.js';
import type { LocalTemporalServer } from '../../src/testing/index.js';
import { begin, untilStage } from '../support/lifecycle.js';
import { startNewServer } from '../support/new-server.js';
import { startTestWorld, type TestWorld } from '../support/world.js';
import { ask, makeToken, problemName, startGateway, type TestGateway } from './support.js';

const reader = makeToken('support', 'read');
const starter = makeToken('billing', 'start');

// A server of its own, because an overview counts everything of a namespace.
let server: LocalTemporalServer;
let world: TestWorld;
let gateway: TestGateway;
beforeAll(async () => {
  server = await startNewServer();
  world = await startTestWorld({ address: server.address });
  const tokens = [reader.entry, starter.entry];
  gateway = await startGateway({ client: world.onboarding, tokens: () => tokens, webUi: 'http://ui.example/w/' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await server.stop();
});

async function overview(): Promise<Overview> {
  const { status, body } = await ask(gateway, 'GET /v1/overview', { token: reader.token });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

const NONE = { approved: 0, rejected: 0, needsReview: 0, undecided: 0, expired: 0 };

describe('GET /v1/overview', () => {
  it('counts open sessions by stage, and ended ones by hour and outcome', async () => {
    const waiting = await begin(world, { plan: { finishWhen: 'asked' } });
    const warned = { action: 'none', score: { status: 'WARN', value: '61.0' } };
    const inReview = await begin(world, { plan: { review: 'wait' } }, warned);
    await untilStage(world, waiting.interviewId, 'waiting');
    await untilStage(world, inReview.interviewId, 'inReview');
    for (const spec of [{ action: 'approved' }, { action: 'rejected', score: { status: 'FAIL', value: '1.0' } }]) {
      const { interviewId } = await begin(world, {}, spec);
      await world.onboarding.result(interviewId);
    }
    const terminated = await begin(world, { plan: { finishWhen: 'asked' } });
    await world.temporal.workflow.getHandle(`incode-onboarding/${terminated.interviewId}`).terminate('for the test');
    await expect
      .poll(async () => (await overview()).sessions)
      .toEqual({ waiting: 1, needsToken: 0, inReview: 1, atWork: 0 });
    await expect
      .poll(async () => sumOf((await overview()).hours))
      .toEqual({ ...NONE, approved: 1, rejected: 1, failed: 1 });
    const { hours, people } = await overview();
    expect(people).toEqual({ needsImage: 0, needsToken: 0, atWork: 0 });
    expect(hours).toHaveLength(24);
    const starts = hours.map(({ from }) => Date.parse(from));
    expect(
      starts.every(
        (start, at) => start % 3_600_000 === 0 && (at === 0 || start - Number(starts[at - 1]) === 3_600_000),
      ),
    ).toBe(true);
    await world.onboarding.cancel(waiting.interviewId);
    await world.onboarding.cancel(inReview.interviewId);
  });

  it('takes the counts once for all who ask at the same time', async () => {
    const { workflowService } = world.temporal;
    const count = workflowService.countWorkflowExecutions.bind(workflowService);
    let asked = 0;
    const spied = Object.assign(Object.create(workflowService), {
      countWorkflowExecutions: (request: { query: string }) => {
        if (request.query.endsWith(`ExecutionStatus = 'Running'`)) asked += 1;
        return count(request);
      },
    });
    const temporal = Object.create(world.temporal, { workflowService: { value: spied } });
    const client = Object.create(world.onboarding, { temporal: { value: temporal } });
    await using other = await startGateway({ client, tokens: () => [reader.entry] });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(other, 'GET /v1/overview', { token: reader.token })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    // All open sessions and three stages, all open people and two stages.
    expect(asked).toBe(7);
  });

  it('is refused to a token that may only start', async () => {
    const refused = await ask(gateway, 'GET /v1/overview', { token: starter.token });
    expect([refused.status, problemName(refused)]).toEqual([403, 'Forbidden']);
  });
});

function sumOf(hours: Overview['hours']): Record<string, number> {
  const sums: Record<string, number> = { ...NONE, failed: 0 };
  for (const { outcomes, failed } of hours) {
    for (const [name, value] of Object.entries({ ...outcomes, failed })) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

describe('GET /v1/about', () => {
  it('names the token, its scopes and the Web UI', async () => {
    const { body } = await ask(gateway, 'GET /v1/about', { token: starter.token });
    expect(body).toEqual({ name: 'billing', scopes: ['start'], webUi: 'http://ui.example/w/' });
    expect((await ask(gateway, 'GET /v1/about')).status).toBe(401);
  });

  it('names nobody on a machine without tokens', async () => {
    await using open = await startGateway({ client: world.onboarding, tokens: null });
    const { body } = await ask(open, 'GET /v1/about');
    expect(body).toEqual({ name: 'anybody', scopes: [...GATEWAY_SCOPES], webUi: null });
  });
});
