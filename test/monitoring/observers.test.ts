import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../src/activities/batch/circuit-breaker.js';
import { type ActivityEvent, createBulkActivities, createIncodeActivities } from '../../src/activities/index.js';
import { createIncodeClient, givenExecutiveToken, type IncodeCall } from '../../src/incode/index.js';
import { startIncodeSimulator } from '../../src/testing/index.js';

async function worldOf(options: { onCall?: (call: IncodeCall) => void } = {}) {
  const simulator = await startIncodeSimulator({ timeScale: 0.01 });
  const incode = createIncodeClient({ baseUrl: simulator.url, apiKey: simulator.apiKey, ...options });
  return {
    simulator,
    incode,
    open: async () => {
      const { interviewId, token } = await simulator.openSession();
      return { interviewId, sessionToken: token };
    },
    async [Symbol.asyncDispose]() {
      await incode.close();
      await simulator.close();
    },
  };
}

describe('onCall', () => {
  it('receives every call with its outcome', async () => {
    const calls: IncodeCall[] = [];
    await using world = await worldOf({ onCall: (call) => calls.push(call) });
    const session = await world.open();
    await world.incode.onboardingStatus(session);
    world.simulator.fault({ operation: 'score', kind: 'status', status: 503 });
    await expect(world.incode.score(session)).rejects.toThrow('503');
    world.simulator.fault({ operation: 'score', kind: 'body', body: '[]' });
    await expect(world.incode.score(session)).rejects.toThrow('not an answer to this call');
    world.simulator.fault({ operation: 'finishStatus', kind: 'reset' });
    await expect(world.incode.finishStatus(session)).rejects.toThrow('closed the connection');
    expect(calls).toEqual([
      { operation: 'onboardingStatus', outcome: 'ok', httpStatus: 200, durationMs: expect.any(Number) },
      { operation: 'score', outcome: 'notTaken', httpStatus: 503, durationMs: expect.any(Number) },
      { operation: 'score', outcome: 'resultUnknown', httpStatus: 200, durationMs: expect.any(Number) },
      { operation: 'finishStatus', outcome: 'maybeRunning', durationMs: expect.any(Number) },
    ]);
    expect(calls.every(({ durationMs }) => durationMs > 0)).toBe(true);
  });

  it('does not receive calls that were never sent', async () => {
    const calls: IncodeCall[] = [];
    await using world = await worldOf({ onCall: (call) => calls.push(call) });
    const session = { interviewId: 'any', sessionToken: 'with a space' };
    await expect(world.incode.finishStatus(session)).rejects.toThrow('does not fit in a header');
    expect(calls).toEqual([]);
  });

  it('does not make a call fail if it throws', async () => {
    await using world = await worldOf({
      onCall: () => {
        throw new Error('broken');
      },
    });
    expect(await world.incode.finishStatus(await world.open())).toMatchObject({ action: 'approved' });
  });
});

describe('observe', () => {
  const observed = () => {
    const events: ActivityEvent[] = [];
    return { events, observe: (event: ActivityEvent) => events.push(event) };
  };

  it('receives a lost answer, and the status read that prevented a second finish', async () => {
    await using world = await worldOf();
    const { events, observe } = observed();
    const { finishStatus } = createIncodeActivities({ incode: world.incode, observe });
    const session = await world.open();
    world.simulator.fault({ operation: 'finishStatus', kind: 'reset', effect: true });
    const attempt = (number: number) => new MockActivityEnvironment({ attempt: number }).run(finishStatus, session);
    await expect(attempt(1)).rejects.toThrow('closed the connection');
    expect(await attempt(2)).toMatchObject({ finish: { confirmedBy: 'status' } });
    expect(events).toEqual([
      { type: 'verification', result: 'open' },
      { type: 'ambiguousFinish', kind: 'maybeRunning' },
      { type: 'verification', result: 'finished' },
    ]);
  });

  it('receives the status read of an open session, and nothing if no status was read', async () => {
    await using world = await worldOf();
    const { events, observe } = observed();
    const { finishStatus } = createIncodeActivities({ incode: world.incode, observe });
    const trust = { ...(await world.open()), verifyFirst: 'trust' as const };
    await new MockActivityEnvironment().run(finishStatus, trust);
    expect(events).toEqual([]);
    await new MockActivityEnvironment().run(finishStatus, await world.open());
    expect(events).toEqual([{ type: 'verification', result: 'open' }]);
  });

  it('receives the result of each session of a batch, and that batches are held', async () => {
    await using world = await worldOf();
    const { events, observe } = observed();
    const { completeMany } = createBulkActivities({ incode: world.incode, concurrency: 1, observe });
    const plan = { close: false, score: false, scoreDeadlineMs: 0 };
    const sessions = await Promise.all(
      Array.from({ length: 9 }, async (_, index) => ({ index, ...(await world.open()) })),
    );
    world.simulator.fault({
      operation: 'finishStatus',
      interviewId: String(sessions[1]?.interviewId),
      kind: 'status',
      status: 400,
    });
    await new MockActivityEnvironment().run(completeMany, { sessions: sessions.slice(0, 2), plan });
    expect(events.splice(0)).toEqual([
      { type: 'verification', result: 'open' },
      { type: 'batchSession', result: 'finished' },
      { type: 'verification', result: 'open' },
      { type: 'batchSession', result: 'failed' },
    ]);
    world.simulator.fault({ operation: 'finishStatus', kind: 'status', status: 503, times: null });
    await new MockActivityEnvironment().run(completeMany, { sessions, plan });
    expect(events.filter(({ type }) => type === 'batchSession')).toEqual([
      { type: 'batchSession', result: 'finished' },
      ...Array.from({ length: 8 }, () => ({ type: 'batchSession', result: 'postponed' })),
    ]);
    expect(events.at(-1)).toEqual({ type: 'batchHeld', held: true });
  });

  it('receives one event when batches are held and one when they continue', () => {
    const changes: boolean[] = [];
    const breaker = new CircuitBreaker((held) => changes.push(held));
    breaker.succeeded();
    for (let n = 0; n < 20; n += 1) breaker.failed('Incode answered 503', {}, 0);
    expect(changes).toEqual([true]);
    breaker.admit(10_000);
    breaker.failed('Incode answered 503', {}, 10_000);
    breaker.succeeded();
    breaker.succeeded();
    expect(changes).toEqual([true, false]);
  });

  it('gets an event for the token of another session, from a single session and from a batch', async () => {
    await using world = await worldOf();
    const { events, observe } = observed();
    const [one, other] = [await world.open(), await world.open()];
    const mixedUp = { interviewId: one.interviewId, sessionToken: other.sessionToken };
    const { finishStatus } = createIncodeActivities({ incode: world.incode, observe });
    await expect(new MockActivityEnvironment().run(finishStatus, mixedUp)).rejects.toThrow('belongs to session');
    expect(events.splice(0)).toEqual([{ type: 'tokenMismatch' }]);
    const { completeMany } = createBulkActivities({ incode: world.incode, observe });
    const plan = { close: false, score: false, scoreDeadlineMs: 0 };
    await new MockActivityEnvironment().run(completeMany, { sessions: [{ index: 0, ...mixedUp }], plan });
    expect(events).toEqual([{ type: 'tokenMismatch' }, { type: 'batchSession', result: 'failed' }]);
  });

  it('gets an event if Incode refuses an executive token', async () => {
    await using world = await worldOf();
    const { events, observe } = observed();
    const executive = givenExecutiveToken(() => 'of-yesterday');
    const { confirmFinish } = createIncodeActivities({ incode: world.incode, observe, executive });
    const finish = { action: 'approved', redirectionUrl: null, confirmedBy: 'response' } as const;
    const { interviewId } = await world.open();
    const confirming = new MockActivityEnvironment().run(confirmFinish, { interviewId, finish });
    await expect(confirming).rejects.toThrow('refuses the executive token');
    expect(events).toEqual([{ type: 'executiveRefused' }]);
  });

  it('does not make an activity fail if it throws', async () => {
    await using world = await worldOf();
    const observe = () => {
      throw new Error('broken');
    };
    const { finishStatus } = createIncodeActivities({ incode: world.incode, observe });
    const session = await world.open();
    expect(await new MockActivityEnvironment().run(finishStatus, session)).toMatchObject({
      finish: { action: 'approved' },
    });
  });
});
