import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  OnboardingClient,
  SessionCompletedError,
  SessionEndedError,
  SessionNotFoundError,
} from '../../src/client/index.js';
import { FAILURES, onboardingWorkflowId } from '../../src/contract/index.js';
import { untilStage } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function completed(spec = {}): Promise<{ interviewId: string; token: string }> {
  const session = await world.simulator.openSession(spec);
  await world.onboarding.start({ interviewId: session.interviewId, sessionToken: session.token });
  await world.onboarding.result(session.interviewId);
  return session;
}

describe('OnboardingClient.extendDeadline', () => {
  it('returns the same answer for a repeated update id and extends the deadline once', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, plan: { finishWhen: 'asked' } });
    const extend = (updateId: string) => world.onboarding.extendDeadline(interviewId, '1 day', { updateId });
    const first = await extend('a');
    expect(await extend('a')).toEqual(first);
    const renew = () => world.onboarding.renewToken(interviewId, 'token', { updateId: 'b' });
    await renew();
    await world.onboarding.cancel(interviewId);
    await world.onboarding.result(interviewId).catch(() => undefined);
    // The answer remains available after the onboarding has ended.
    await renew();
    expect(await extend('a')).toEqual(first);
  });
});

describe('OnboardingClient.start', () => {
  it('start returns the onboarding that it started', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const started = await world.onboarding.start({ interviewId, sessionToken: token });
    expect(started).toMatchObject({ interviewId, workflowId: onboardingWorkflowId(interviewId), attached: false });
    expect(started.runId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('start attaches to a running onboarding and returns attached', async () => {
    const { interviewId } = await world.simulator.openSession();
    const first = await world.onboarding.start({ interviewId });
    expect(await world.onboarding.start({ interviewId })).toEqual({ ...first, attached: true });
    await world.onboarding.cancel(interviewId);
  });

  it('twenty concurrent starts start one onboarding', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const starts = Array.from({ length: 20 }, () =>
      world.onboarding.start({ interviewId, sessionToken: token }, { ifCompleted: 'return' }),
    );
    const started = await Promise.all(starts);
    expect(started.filter(({ attached }) => !attached)).toHaveLength(1);
    expect(new Set(started.map(({ runId }) => runId)).size).toBe(1);
    await world.onboarding.result(interviewId);
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('start throws SessionCompletedError with the outcome of a completed session', async () => {
    const { interviewId, token } = await completed({ action: 'rejected', score: { status: 'FAIL', value: '1.0' } });
    const refused = await thrown(world.onboarding.start({ interviewId, sessionToken: token }));
    expect(refused).toBeInstanceOf(SessionCompletedError);
    expect(refused).toMatchObject({ interviewId, result: { outcome: 'rejected' } });
  });

  it("start with ifCompleted 'return' leaves a completed session unchanged", async () => {
    const { interviewId, token } = await completed();
    const again = await world.onboarding.start({ interviewId, sessionToken: token }, { ifCompleted: 'return' });
    expect(again.attached).toBe(true);
    expect((await world.onboarding.result(interviewId)).finish?.confirmedBy).toBe('response');
  });

  it("start with ifCompleted 'restart' runs a completed session again and does not finish it twice", async () => {
    const { interviewId, token } = await completed();
    const again = await world.onboarding.start({ interviewId, sessionToken: token }, { ifCompleted: 'restart' });
    expect(again.attached).toBe(false);
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'status' },
    });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it('start restarts the onboarding of a failed session', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    expect((await thrown(world.onboarding.result(interviewId))).type).toBe(FAILURES.unknownSession);
    expect((await world.onboarding.start({ interviewId, sessionToken: token })).attached).toBe(false);
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('start of a terminated session waits until its last request can no longer take effect', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true, effectAfterMs: 200 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(() => world.simulator.callsOf(interviewId, 'finishStatus').length).toBe(1);
    await world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).terminate();
    await world.onboarding.start({ interviewId, sessionToken: token });
    expect(await world.onboarding.result(interviewId)).toMatchObject({ finish: { confirmedBy: 'status' } });
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });
});

describe('OnboardingClient.finish', () => {
  it('finish restarts the onboarding of a failed session', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404 });
    expect((await thrown(world.onboarding.finish({ interviewId, sessionToken: token }))).type).toBe(
      FAILURES.unknownSession,
    );
    expect(await world.onboarding.finish({ interviewId, sessionToken: token })).toMatchObject({ action: 'approved' });
  });

  it('finish reports an onboarding that ends before a worker takes it', async () => {
    const onboarding = new OnboardingClient({ client: world.temporal, taskQueue: 'nobody-polls-this' });
    const finishing = thrown(onboarding.finish({ interviewId: 'ended-at-once', sessionToken: 'a-token' }));
    const handle = world.temporal.workflow.getHandle(onboardingWorkflowId('ended-at-once'));
    await expect
      .poll(() =>
        handle.terminate('not wanted').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect(await finishing).toMatchObject({ name: 'SessionFailedError', type: 'Terminated' });
  });

  it('finish throws AnswerPendingError after its timeout', async () => {
    const { interviewId } = await world.simulator.openSession();
    const pending = await thrown(world.onboarding.finish({ interviewId }, { timeoutMs: 3_000 }));
    expect(pending.name).toBe('AnswerPendingError');
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });

  it('finish throws the reason of its signal when it aborts, and the onboarding continues', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    const left = new AbortController();
    const reason = new Error('the caller has left');
    const finishing = world.onboarding.finish({ interviewId }, { signal: left.signal });
    finishing.catch(() => undefined);
    await untilStage(world, interviewId, 'needsToken');
    left.abort(reason);
    expect(await thrown(finishing)).toBe(reason);
    expect((await world.onboarding.state(interviewId)).status).toBe('running');
    await world.onboarding.cancel(interviewId);
  });

  it('finish starts nothing if its signal is aborted', async () => {
    const { interviewId } = await world.simulator.openSession();
    const finishing = world.onboarding.finish({ interviewId }, { signal: AbortSignal.abort() });
    expect((await thrown(finishing)).name).toBe('AbortError');
    expect((await thrown(world.onboarding.state(interviewId))).name).toBe('SessionNotFoundError');
  });

  it('finish does not throw AnswerPendingError if the server is unreachable', async () => {
    const connection = Connection.lazy({ address: '127.0.0.1:1' });
    const onboarding = new OnboardingClient({ client: new Client({ connection }) });
    const away = await thrown(onboarding.finish({ interviewId: 'never-sent' }, { timeoutMs: 300 }));
    expect(away.name).toBe('TemporalUnavailableError');
    await connection.close();
  });
});

describe('OnboardingClient.result', () => {
  it('result throws AnswerPendingError after its timeout', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId });
    expect((await thrown(world.onboarding.result(interviewId, { timeoutMs: 200 }))).name).toBe('AnswerPendingError');
    await world.onboarding.cancel(interviewId);
  });
});

describe('OnboardingClient for an unknown session', () => {
  it.each([
    ['result', () => world.onboarding.result('nobody')],
    ['state', () => world.onboarding.state('nobody')],
    ['cancel', () => world.onboarding.cancel('nobody')],
    ['renewToken', () => world.onboarding.renewToken('nobody', 'token')],
  ])('%s throws SessionNotFoundError for an unknown session', async (_, call) => {
    const error = await thrown(call());
    expect(error).toBeInstanceOf(SessionNotFoundError);
    expect(error.message).toContain('nobody');
  });
});

describe('OnboardingClient.state', () => {
  it('state of a completed session needs no worker', async () => {
    const { interviewId } = await completed();
    expect(await world.onboarding.state(interviewId)).toMatchObject({
      status: 'completed',
      state: { stage: 'done', outcome: 'approved', waitingFor: null },
      result: { outcome: 'approved' },
      failure: null,
      call: null,
    });
  });

  it('state of a failed session contains its failure', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 406 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await thrown(world.onboarding.result(interviewId));
    expect(await world.onboarding.state(interviewId)).toMatchObject({
      status: 'failed',
      state: {
        stage: 'finishing',
        timeline: expect.arrayContaining([{ at: expect.any(String), event: expect.stringMatching(/^Failed: /) }]),
      },
      result: null,
      failure: { type: FAILURES.notAcceptable },
    });
  });

  it('state contains the last failure and the time of the next attempt while a call is retried', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    const headers = { 'retry-after': '600' };
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 429, headers });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).call?.nextAttemptAt).toBeTruthy();
    const { call } = await world.onboarding.state(interviewId);
    expect(call).toMatchObject({ activity: 'finishStatus', attempt: 2, lastFailure: { type: FAILURES.notTaken } });
    expect(Number(call?.nextAttemptAt) - Date.now()).toBeGreaterThan(500_000);
    await world.onboarding.cancel(interviewId);
  });

  it('state shows that an operator has paused the call', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: null });
    await world.onboarding.start({ interviewId, sessionToken: token });
    const call = async () => (await world.onboarding.state(interviewId)).call;
    await expect.poll(call).toMatchObject({ lastFailure: { type: FAILURES.notTaken }, paused: false });
    const { workflowService, options } = world.temporal;
    const execution = { workflowId: onboardingWorkflowId(interviewId) };
    await workflowService.pauseActivity({ namespace: options.namespace, execution, type: 'finishStatus' });
    await expect.poll(call).toMatchObject({ activity: 'finishStatus', nextAttemptAt: null, paused: true });
    await world.onboarding.cancel(interviewId);
  });

  it('state is null without a worker', async () => {
    const { OnboardingClient } = await import('../../src/client/index.js');
    const alone = new OnboardingClient({ client: world.temporal, taskQueue: `nobody-${Math.random()}` });
    await alone.start({ interviewId: 'without-worker' });
    expect(await alone.state('without-worker')).toMatchObject({ status: 'running', state: null });
    await alone.temporal.workflow.getHandle(onboardingWorkflowId('without-worker')).terminate();
  });
});

describe('OnboardingClient.renewToken', () => {
  it('renewToken throws SessionEndedError for a session that has ended', async () => {
    const { interviewId, token } = await completed();
    const ended = await thrown(world.onboarding.renewToken(interviewId, token));
    expect(ended).toBeInstanceOf(SessionEndedError);
    expect(ended.message).toMatch(/has ended, so it accepts no token/);
  });

  it('renewToken refuses an expired token before it is sent', async () => {
    const { token } = await world.simulator.openSession({ tokenExpiresInMs: -1 });
    expect(await thrown(world.onboarding.renewToken('any', token))).toMatchObject({ field: 'sessionToken' });
  });
});

describe('a worker with a token source', () => {
  it('gets a token for a session that was started without one', async () => {
    await using sourced = await worldWithTokenSource();
    const { interviewId } = await sourced.simulator.openSession();
    await sourced.onboarding.start({ interviewId });
    expect((await sourced.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(sourced.simulator.callsOf(interviewId, 'onboardingStatus')).toHaveLength(1);
  });

  it('renews a refused token without human help', async () => {
    await using sourced = await worldWithTokenSource();
    const { interviewId, token } = await sourced.simulator.openSession();
    sourced.simulator.revokeTokens(interviewId);
    await sourced.onboarding.start({ interviewId, sessionToken: token });
    expect((await sourced.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(sourced.simulator.effects(interviewId).finished).toBe(1);
  });

  it("waits for a token if Incode also refuses the source's tokens", async () => {
    await using sourced = await worldWithTokenSource();
    const { interviewId, token } = await sourced.simulator.openSession();
    sourced.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 401, times: 2 });
    await sourced.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await sourced.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    expect((await sourced.onboarding.state(interviewId)).state?.waitingFor).toContain('token source as well');
    expect(sourced.simulator.callsOf(undefined, 'start')).toHaveLength(1);
    await sourced.onboarding.renewToken(interviewId, token);
    expect((await sourced.onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('waits for a token if Incode issues none', async () => {
    await using sourced = await worldWithTokenSource();
    await sourced.onboarding.start({ interviewId: 'not-at-incode' });
    await expect.poll(async () => (await sourced.onboarding.state('not-at-incode')).state?.stage).toBe('needsToken');
    expect((await sourced.onboarding.state('not-at-incode')).state?.waitingFor).toContain('the token source failed');
    await sourced.onboarding.cancel('not-at-incode');
  });

  it('uses a token from renewToken while the source has not answered', async () => {
    await using sourced = await worldWithTokenSource();
    const { interviewId, token } = await sourced.simulator.openSession();
    sourced.simulator.fault({ operation: 'start', kind: 'status', status: 503, times: null });
    await sourced.onboarding.start({ interviewId });
    await expect.poll(() => sourced.simulator.callsOf(undefined, 'start').length).toBeGreaterThan(0);
    await sourced.onboarding.renewToken(interviewId, token);
    expect((await sourced.onboarding.result(interviewId)).outcome).toBe('approved');
  });

  it('never uses a token that Incode issued for another session', async () => {
    await using sourced = await worldWithTokenSource();
    const { interviewId } = await sourced.simulator.openSession();
    const other = await sourced.simulator.openSession();
    const body = JSON.stringify({ token: other.token, interviewId: other.interviewId, existingSession: false });
    sourced.simulator.fault({ operation: 'start', kind: 'body', body, effect: false });
    await sourced.onboarding.start({ interviewId });
    await expect.poll(async () => (await sourced.onboarding.state(interviewId)).state?.stage).toBe('needsToken');
    expect(sourced.simulator.callsOf(undefined, 'finishStatus')).toHaveLength(0);
    await sourced.onboarding.cancel(interviewId);
  });
});

async function worldWithTokenSource(): Promise<TestWorld> {
  const { reissuingTokenSource } = await import('../../src/activities/index.js');
  return startTestWorld({ tokenSource: (incode) => reissuingTokenSource(incode, { configurationId: 'flow' }) });
}
