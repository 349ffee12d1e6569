import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from '@temporalio/client';
import { encryptedDataConverter, keyRing } from 'temporal-incode/codec';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EncryptionKeyError, OnboardingClient, PlanMismatchError } from '../../src/client/index.js';
import { onboardingWorkflowId, PLAN_DEFAULTS } from '../../src/contract/index.js';
import { fetchHistory } from '../support/history.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** A session whose first token Incode refuses, and another token that it accepts. */
async function sessionWithRefusedToken() {
  const { interviewId, token } = await world.simulator.openSession();
  world.simulator.revokeTokens(interviewId);
  return { interviewId, refused: token, fresh: await world.simulator.issueToken(interviewId) };
}

async function stageOf(interviewId: string) {
  return (await world.onboarding.state(interviewId)).state?.stage;
}

async function events(interviewId: string): Promise<string[]> {
  return ((await world.onboarding.state(interviewId)).state?.timeline ?? []).map(({ event }) => event);
}

describe('OnboardingClient.start with another token', () => {
  it('start passes the token to an onboarding that waits for one and returns tokenHandedIn', async () => {
    const { interviewId, refused, fresh } = await sessionWithRefusedToken();
    await world.onboarding.start({ interviewId, sessionToken: refused });
    await expect.poll(() => stageOf(interviewId)).toBe('needsToken');
    expect(await world.onboarding.start({ interviewId, sessionToken: fresh })).toMatchObject({
      attached: true,
      tokenHandedIn: true,
    });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('start does not pass the token to an onboarding that needs none', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked' } });
    expect(await world.onboarding.start({ interviewId, sessionToken: 'another' })).toMatchObject({
      attached: true,
      tokenHandedIn: false,
    });
    expect(await world.onboarding.finish({ interviewId, sessionToken: 'another' })).toMatchObject({ attached: true });
    expect(await events(interviewId)).not.toContain('A session token was handed in');
  });

  it('start does not pass on the token that the onboarding was started with', async () => {
    const { interviewId, refused } = await sessionWithRefusedToken();
    await world.onboarding.start({ interviewId, sessionToken: refused });
    await expect.poll(() => stageOf(interviewId)).toBe('needsToken');
    expect((await world.onboarding.start({ interviewId, sessionToken: refused })).tokenHandedIn).toBe(false);
    await world.onboarding.cancel(interviewId);
  });

  it('start throws InvalidInputError for a token that Incode has already refused', async () => {
    const { interviewId, refused } = await sessionWithRefusedToken();
    await world.onboarding.start({ interviewId });
    await expect.poll(() => stageOf(interviewId)).toBe('needsToken');
    await world.onboarding.renewToken(interviewId, refused);
    await expect.poll(() => events(interviewId)).toContain('Incode refused the session token');
    await expect.poll(() => stageOf(interviewId)).toBe('needsToken');
    const error = await thrown(world.onboarding.start({ interviewId, sessionToken: refused }));
    expect(error).toMatchObject({ name: 'InvalidInputError', field: 'sessionToken' });
    await world.onboarding.cancel(interviewId);
  });
});

describe('OnboardingClient.finish with another token', () => {
  it('finish passes the token to an onboarding that waits for one and returns tokenHandedIn', async () => {
    const { interviewId, refused, fresh } = await sessionWithRefusedToken();
    await world.onboarding.start({ interviewId, sessionToken: refused });
    await expect.poll(() => stageOf(interviewId)).toBe('needsToken');
    expect(await world.onboarding.finish({ interviewId, sessionToken: fresh })).toMatchObject({
      action: 'approved',
      attached: true,
      tokenHandedIn: true,
    });
  });

  it('finish passes the token on after Incode refuses the token that the onboarding was started with', async () => {
    const { interviewId, refused, fresh } = await sessionWithRefusedToken();
    await world.onboarding.start({ interviewId, sessionToken: refused, plan: { finishWhen: 'asked' } });
    await expect.poll(() => stageOf(interviewId)).toBe('waiting');
    expect(await world.onboarding.finish({ interviewId, sessionToken: fresh })).toMatchObject({
      action: 'approved',
      tokenHandedIn: true,
    });
  });

  it('finish passes the token on while another caller waits for the same answer', async () => {
    const { interviewId, refused, fresh } = await sessionWithRefusedToken();
    const first = world.onboarding.finish({ interviewId, sessionToken: refused });
    await expect.poll(() => stageOf(interviewId).catch(() => null)).toBe('needsToken');
    const second = await world.onboarding.finish({ interviewId, sessionToken: fresh });
    expect(second).toMatchObject({ action: 'approved', attached: true, tokenHandedIn: true });
    expect(await first).toEqual({ action: 'approved', redirectionUrl: null, confirmedBy: 'response' });
  });
});

describe('attaching with another plan', () => {
  async function waiting(plan = {}) {
    const { interviewId, token } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'asked', ...plan } });
    return { interviewId, sessionToken: token };
  }

  it('start throws PlanMismatchError with the differing parts and the current plan', async () => {
    const input = await waiting();
    const plan = { close: true, scoreDeadline: '15m', finishWhen: 'now' } as const;
    const error = await thrown(world.onboarding.start({ ...input, plan }));
    expect(error).toBeInstanceOf(PlanMismatchError);
    expect(error).toMatchObject({
      interviewId: input.interviewId,
      differs: ['close', 'finishWhen'],
      plan: { ...PLAN_DEFAULTS, finishWhen: 'asked' },
    });
    expect(error.message).toContain('close is false, finishWhen is "asked"');
    await world.onboarding.cancel(input.interviewId);
  });

  it('finish throws PlanMismatchError and leaves the session unchanged', async () => {
    const input = await waiting({ close: true });
    const error = await thrown(world.onboarding.finish({ ...input, plan: { close: false } }));
    expect(error).toMatchObject({ name: 'PlanMismatchError', differs: ['close'] });
    expect(await stageOf(input.interviewId)).toBe('waiting');
    await world.onboarding.cancel(input.interviewId);
  });

  it('finish throws PlanMismatchError after an earlier finish was answered', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'score', interviewId, kind: 'status', status: 503, times: null });
    const input = { interviewId, sessionToken: token };
    await world.onboarding.finish(input);
    const error = await thrown(world.onboarding.finish({ ...input, plan: { close: true } }));
    expect(error).toMatchObject({ name: 'PlanMismatchError', differs: ['close'] });
    await world.onboarding.cancel(interviewId);
  });

  it("start and finish with ifPlanDiffers 'attach' return the current plan", async () => {
    const input = await waiting();
    const options = { ifPlanDiffers: 'attach' } as const;
    const plan = { ...PLAN_DEFAULTS, finishWhen: 'asked' };
    const started = await world.onboarding.start({ ...input, plan: { close: true } }, options);
    expect(started).toMatchObject({ attached: true, plan });
    const answer = await world.onboarding.finish({ ...input, plan: { close: true } }, options);
    expect(answer).toMatchObject({ action: 'approved', attached: true, plan });
    expect((await world.onboarding.result(input.interviewId)).closed).toBeNull();
  });

  it('start compares only the parts of the plan that the caller names', async () => {
    const input = await waiting({ close: true });
    expect((await world.onboarding.start(input)).plan).toMatchObject({ close: true });
    const plan = { scoreDeadline: '900 seconds', review: 'report' } as const;
    expect((await world.onboarding.start({ ...input, plan })).attached).toBe(true);
    await world.onboarding.cancel(input.interviewId);
  });

  it("state returns the session's plan", async () => {
    const { interviewId } = await waiting({ close: true });
    expect((await world.onboarding.state(interviewId)).state?.plan).toEqual({
      ...PLAN_DEFAULTS,
      finishWhen: 'asked',
      close: true,
    });
    await world.onboarding.cancel(interviewId);
  });
});

describe('OnboardingClient.finish for a completed session', () => {
  it('finish returns the earlier answer of a completed session, marked as attached', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const input = { interviewId, sessionToken: token };
    const first = await world.onboarding.finish(input);
    await world.onboarding.result(interviewId);
    expect(await world.onboarding.finish(input)).toEqual({ ...first, attached: true, plan: PLAN_DEFAULTS });
  });
});

describe('attaching with encryption', () => {
  const keys = keyRing(`one:${Buffer.alloc(32, 7).toString('base64')}`);

  function clientWith(dataConverter: object): OnboardingClient {
    const { connection } = world.temporal;
    const client = new Client({ connection, namespace: inject('temporalNamespace'), dataConverter });
    return new OnboardingClient({ client, taskQueue: 'nobody-polls-this' });
  }

  it('start compares an encrypted plan with the key and without a worker', async () => {
    const interviewId = randomUUID();
    const encrypting = clientWith(encryptedDataConverter(keys));
    await encrypting.start({ interviewId, plan: { finishWhen: 'asked' } });
    const other = { interviewId, plan: { close: true } };
    expect(await thrown(encrypting.start(other))).toMatchObject({ differs: ['close'] });
    expect(await thrown(clientWith({}).start(other))).toBeInstanceOf(EncryptionKeyError);
    await world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).terminate();
  });
});

it('finish uses its own update id when it starts the onboarding, and the shared one when it attaches, as docs/contract.md says', async () => {
  const { interviewId, token } = await world.simulator.openSession();
  world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: null });
  const starting = world.onboarding.finish({ interviewId, sessionToken: token });
  // Until the server knows the session, there is no stage.
  await expect.poll(() => stageOf(interviewId).catch(() => undefined)).toBe('finishing');
  const attaching = [1, 2].map(() => world.onboarding.finish({ interviewId, sessionToken: token }));
  const accepted = async () => {
    const { events } = await fetchHistory(world.temporal, interviewId);
    return (events ?? []).flatMap((event) => {
      const id = event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId;
      return id ? [id] : [];
    });
  };
  await expect.poll(accepted).toEqual([expect.stringMatching(/^finish-[0-9a-f]{8}-[0-9a-f-]{27}$/), 'finish']);
  world.simulator.clearFaults();
  await Promise.all([starting, ...attaching]);
  expect(await accepted()).toHaveLength(2);
  const page = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');
  expect(page).toContain('`OnboardingClient` uses `finish-<uuid>`');
});
