import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OnboardingResult } from '../../src/contract/index.js';
import type { SessionState, StartedSession } from '../../src/nexus/index.js';
import { type NexusWorld, startNexusWorld } from '../support/nexus-world.js';

// On a busy machine, requests between namespaces time out, and Temporal retries them with backoff.

let world: NexusWorld;
beforeAll(async () => {
  world = await startNexusWorld();
});
afterAll(() => world?.close());

async function openSession() {
  const { interviewId, token } = await world.simulator.openSession();
  return { interviewId, sessionToken: token };
}

/** A session whose token Incode refuses, so that its onboarding waits for another token. */
async function openSessionWithoutToken() {
  const input = await openSession();
  world.simulator.revokeTokens(input.interviewId);
  return input;
}

/** Makes every finish fail until the faults are cleared. */
function outage(): void {
  world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 503, times: 1_000 });
}

/** Makes Incode answer 404 to the next finish requests. */
function isUnknown(interviewId: string, times = 100): void {
  world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404, times });
}

async function stateOf(interviewId: string): Promise<SessionState> {
  return (await world.ask('state', { interviewId })).result as SessionState;
}

async function untilStage(interviewId: string, stage: string): Promise<void> {
  const read = async () => (await world.onboarding.state(interviewId).catch(() => null))?.state?.stage;
  await expect.poll(read).toBe(stage);
}

/** Until the operation is started, so that the caller's server waits for it and does not retry the request. */
async function untilStarted(caller: WorkflowHandle): Promise<void> {
  const isStarted = async () => {
    const { events } = await caller.fetchHistory();
    return events?.some((event) => event.nexusOperationStartedEventAttributes) ?? false;
  };
  await expect.poll(isStarted).toBe(true);
}

const finishedAt = (interviewId: string) => world.simulator.effects(interviewId).finished;

const APPROVED = { action: 'approved', redirectionUrl: null, confirmedBy: 'response' };

it('the workflow in docs/nexus.md opens an account, and refuses a session that Incode does not know', async () => {
  const { interviewId, sessionToken } = await openSession();
  expect(await world.openAccount(interviewId, sessionToken)).toBe('approved, no redirection');
  const unknown = await openSession();
  isUnknown(unknown.interviewId);
  expect(await world.openAccount(unknown.interviewId, unknown.sessionToken)).toMatch('does not know the session');
});

describe('finish', () => {
  it('returns the same answer to concurrent and repeated calls', async () => {
    const input = await openSession();
    const answers = await Promise.all([world.ask('finish', input), world.ask('finish', input)]);
    expect(answers).toEqual([{ result: APPROVED }, { result: APPROVED }]);
    expect(await world.ask('finish', input)).toEqual({ result: APPROVED });
    expect(finishedAt(input.interviewId)).toBe(1);
  });

  it('waits through an outage and a restart of the worker', async () => {
    const input = await openSession();
    outage();
    const callers = [await world.begin('finish', input), await world.begin('finish', input)];
    await Promise.all(callers.map(untilStarted));
    await world.restartWorker();
    world.simulator.clearFaults();
    for (const caller of callers) expect(await caller.result()).toEqual({ result: APPROVED });
    expect(finishedAt(input.interviewId)).toBe(1);
  });

  it('fails with the type of the failure, even after a wait', async () => {
    const input = await openSession();
    outage();
    const caller = await world.begin('finish', input);
    await untilStarted(caller);
    world.simulator.clearFaults();
    isUnknown(input.interviewId);
    expect((await caller.result()).failure).toMatchObject({ type: 'IncodeUnknownSession' });
  });

  it('a cancelled call ends for its caller only, and the session continues', async () => {
    const input = await openSessionWithoutToken();
    const callers = [await world.begin('finish', input), await world.begin('finish', input)] as const;
    await Promise.all(callers.map(untilStarted));
    await callers[0].cancel();
    expect(await callers[0].result()).toMatchObject({ failure: { type: 'Cancelled' } });
    const sessionToken = await world.simulator.issueToken(input.interviewId);
    await world.onboarding.renewToken(input.interviewId, sessionToken);
    expect(await callers[1].result()).toEqual({ result: APPROVED });
  });
});

describe('complete', () => {
  it('returns the outcome to all callers, including later ones', async () => {
    const input = await openSessionWithoutToken();
    const callers = [await world.begin('complete', input), await world.begin('complete', input)];
    await Promise.all(callers.map(untilStarted));
    await untilStage(input.interviewId, 'needsToken');
    const sessionToken = await world.simulator.issueToken(input.interviewId);
    await world.onboarding.renewToken(input.interviewId, sessionToken);
    const results = await Promise.all(callers.map(async (caller) => (await caller.result()).result));
    const later = await world.ask('complete', input);
    for (const result of [...results, later.result]) {
      expect((result as OnboardingResult).outcome).toBe('approved');
      expect(result).toEqual(results[0]);
    }
    expect(finishedAt(input.interviewId)).toBe(1);
  });

  it('fails with the type of the failure, and starts the session again on the next call', async () => {
    const input = await openSession();
    isUnknown(input.interviewId, 1);
    expect((await world.ask('complete', input)).failure).toMatchObject({ type: 'IncodeUnknownSession' });
    expect((await world.ask('complete', input)).result).toMatchObject({ outcome: 'approved' });
    expect(finishedAt(input.interviewId)).toBe(1);
  });

  it('cancels the onboarding if the operation is cancelled', async () => {
    const input = await openSessionWithoutToken();
    const caller = await world.begin('complete', input);
    await untilStarted(caller);
    await caller.cancel();
    expect(await caller.result()).toMatchObject({ failure: { type: 'Cancelled' } });
    expect((await stateOf(input.interviewId)).status).toBe('cancelled');
  });
});

describe('start', () => {
  it('starts once, and attaches to a running or completed session', async () => {
    const input = await openSession();
    const first = (await world.ask('start', input)).result as StartedSession;
    expect(first).toMatchObject({ workflowId: `incode-onboarding/${input.interviewId}`, attached: false });
    expect((await world.ask('start', input)).result).toEqual({ ...first, attached: true });
    await world.onboarding.result(input.interviewId);
    expect((await world.ask('start', input)).result).toEqual({ ...first, attached: true });
    expect(finishedAt(input.interviewId)).toBe(1);
  });
});

describe('state', () => {
  it('returns the state of a running session', async () => {
    const input = await openSessionWithoutToken();
    await world.ask('start', input);
    await untilStage(input.interviewId, 'needsToken');
    const state = await stateOf(input.interviewId);
    expect(state).toMatchObject({ status: 'running', state: { stage: 'needsToken' }, closedAt: null });
    expect(new Date(state.startedAt).toISOString()).toBe(state.startedAt);
    expect((await stateOf(input.interviewId)).runId).toBe(state.runId);
  });

  it('fails with NOT_FOUND for a session that was never started', async () => {
    expect(await world.ask('state', { interviewId: 'never-started' })).toEqual({
      failure: {
        type: 'NOT_FOUND',
        message: expect.stringMatching(/^Session never-started: no onboarding is known in this namespace\./),
      },
    });
  });
});

describe('renewToken', () => {
  it('continues a session that needs a token, and can be repeated', async () => {
    const { interviewId, token } = await world.simulator.openSession({
      action: 'none',
      score: { status: 'WARN', value: '61.0' },
    });
    world.simulator.revokeTokens(interviewId);
    const plan = { review: 'wait' };
    const finishing = await world.begin('finish', { interviewId, sessionToken: token, plan });
    await untilStage(interviewId, 'needsToken');
    const fresh = { interviewId, sessionToken: await world.simulator.issueToken(interviewId) };
    expect(await world.ask('renewToken', fresh)).not.toHaveProperty('failure');
    expect((await finishing.result()).result).toMatchObject({ confirmedBy: 'response' });
    await untilStage(interviewId, 'inReview');
    expect(await world.ask('renewToken', fresh)).not.toHaveProperty('failure');
    expect(finishedAt(interviewId)).toBe(1);
  });

  it('refuses the token that Incode has refused', async () => {
    const input = await openSessionWithoutToken();
    await world.ask('start', input);
    await untilStage(input.interviewId, 'needsToken');
    const { interviewId, sessionToken } = input;
    const { failure } = await world.ask('renewToken', { interviewId, sessionToken });
    expect(failure).toMatchObject({ type: 'BAD_REQUEST' });
    expect(failure?.message).toContain('is the one that Incode refused');
    expect(failure?.message).not.toContain(sessionToken);
  });
});

describe('extendDeadline and cancel', () => {
  it('extendDeadline and cancel change a waiting session, and extendDeadline is refused in a stage without a deadline', async () => {
    const input = await openSession();
    const { interviewId } = input;
    await world.ask('start', { ...input, plan: { finishWhen: 'asked' } });
    await untilStage(interviewId, 'waiting');
    const before = (await stateOf(interviewId)).state?.deadline ?? '';
    const extended = (await world.ask('extendDeadline', { interviewId, by: '1 day' })).result as { deadline: string };
    expect(Date.parse(extended.deadline) - Date.parse(before)).toBe(86_400_000);
    expect(await world.ask('cancel', { interviewId })).not.toHaveProperty('failure');
    await expect.poll(async () => (await stateOf(interviewId)).status).toBe('cancelled');

    const other = await openSessionWithoutToken();
    await world.ask('start', other);
    await untilStage(other.interviewId, 'needsToken');
    const refused = await world.ask('extendDeadline', { interviewId: other.interviewId, by: '1 day' });
    expect(refused.failure).toMatchObject({ type: 'WrongStage' });
  });
});

describe('invalid input', () => {
  it.each([
    ['finish', { interviewId: 'i', plan: { finishWhen: 'later' } }, 'plan.finishWhen must be one of now, processed'],
    ['complete', { interviewId: 'i', flow: 'f' }, 'flow is not known; known are interviewId'],
    ['start', {}, 'interviewId must be a non-empty string'],
    ['state', null, 'input must be an object'],
    ['renewToken', { interviewId: 'i', sessionToken: 'secret\nsecret' }, 'sessionToken must be printable ASCII'],
    ['extendDeadline', { interviewId: 'i', by: 'soon' }, 'extendDeadline.by must be a duration'],
    ['cancel', { interviewId: 'i', force: true }, 'force is not known; known are interviewId'],
  ] as const)('is refused by %s with BAD_REQUEST and the reason: %j', async (operation, input, reason) => {
    const { failure } = await world.ask(operation, input);
    expect(failure?.type).toBe('BAD_REQUEST');
    expect(failure?.message).toContain(reason);
    expect(failure?.message).not.toContain('secret');
  });
});
