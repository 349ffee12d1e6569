import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openActivities } from '../support/history.js';
import { expectSound, handleOf, stateOf, until } from '../support/lifecycle.js';
import { bringTo, PLACES } from '../support/places.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

vi.setConfig({ maxConcurrency: 16 });

let world: TestWorld;
/** With short timeouts for calls. */
let hasty: TestWorld;
beforeAll(async () => {
  hasty = await startTestWorld({ simulator: { timeScale: 1 }, incode: { timeoutMs: 700, finishTimeoutMs: 700 } });
  // Incode's own limit is longer, so a hanging call stays in flight until it is aborted.
  world = await startTestWorld({ simulator: { timeScale: 1 }, incode: { timeoutMs: 60_000, finishTimeoutMs: 60_000 } });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await hasty[Symbol.asyncDispose]();
});

/** The number of calls of each session when its workflow ended. */
const ended: { of: TestWorld; interviewId: string; calls: number }[] = [];

async function expectCancelled(interviewId: string, of = world): Promise<void> {
  expect(await thrown(of.onboarding.result(interviewId))).toMatchObject({ type: 'Cancelled' });
  const { status } = await handleOf(of, interviewId).describe();
  expect(status.name).toBe('CANCELLED');
  expect(openActivities(await expectSound(of, interviewId))).toEqual([]);
  ended.push({ of, interviewId, calls: of.simulator.callsOf(interviewId).length });
}

const OPEN = PLACES.filter((place) => place !== 'done');

describe('cancellation', () => {
  it.concurrent.each(OPEN)('ends a workflow in %s and its activities', async (place) => {
    const { interviewId } = await bringTo(world, place);
    await world.onboarding.cancel(interviewId);
    await expectCancelled(interviewId);
    const { timeline } = await stateOf(world, interviewId);
    expect(timeline.filter(({ event }) => event === 'Cancelled')).toEqual([timeline.at(-1)]);
  });

  it.concurrent.each(['in flight', 'in retry', 'noToken/finishing'] as const)(
    'fails waiting finish updates in %s with CancelledFailure',
    async (place) => {
      const { interviewId } = await bringTo(world, place);
      const asked = ['first', 'second'].map((updateId) =>
        thrown(handleOf(world, interviewId).executeUpdate('finish', { updateId })),
      );
      await until(async () => pendingUpdates(interviewId), 2);
      await world.onboarding.cancel(interviewId);
      for (const answer of await Promise.all(asked)) expect(answer.cause).toBeInstanceOf(CancelledFailure);
      await expectCancelled(interviewId);
      expect(world.simulator.effects(interviewId).finished).toBe(0);
    },
  );

  it.concurrent('ends a workflow as cancelled, not as expired, during the last read before its deadline', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'hang', skip: 1 });
    const plan = { finishWhen: 'processed', captureDeadline: '1s' } as const;
    await world.onboarding.start({ interviewId, sessionToken: token, plan });
    await until(() => world.simulator.callsOf(interviewId).length, 2);
    await world.onboarding.cancel(interviewId);
    await expectCancelled(interviewId);
  });

  it.concurrent('aborts a hanging poll', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'hang' });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { finishWhen: 'processed' } });
    await until(() => world.simulator.callsOf(interviewId).length, 1);
    await world.onboarding.cancel(interviewId);
    await expectCancelled(interviewId);
  });

  it.concurrent('ends a workflow that waits for the token source', async () => {
    const never = { token: (_: string, signal: AbortSignal) => aborted(signal) };
    await using asking = await startTestWorld({ tokenSource: () => never });
    const { interviewId } = await asking.simulator.openSession();
    await asking.onboarding.start({ interviewId });
    await until(async () => (await asking.onboarding.state(interviewId)).call?.activity, 'reissueToken');
    await asking.onboarding.cancel(interviewId);
    expect(await thrown(asking.onboarding.result(interviewId))).toMatchObject({ type: 'Cancelled' });
    expect(openActivities(await expectSound(asking, interviewId))).toEqual([]);
  });

  // The attempt fails before its next heartbeat reports the cancellation.
  it.concurrent.each([
    ['finishStatus', {}, 0],
    ['closeSession', { close: true }, 0],
    ['score', {}, 0],
    ['onboardingStatus', { finishWhen: 'processed' }, 0],
    ['onboardingStatus', { finishWhen: 'processed', captureDeadline: '1s' }, 1],
  ] as const)(
    'is no failure if the attempt of %s fails at that moment, with plan %j',
    async (operation, plan, skip) => {
      const { interviewId, token } = await hasty.simulator.openSession();
      const calls = () => hasty.simulator.callsOf(interviewId, operation).length;
      hasty.simulator.fault({ operation, interviewId, kind: 'hang', skip });
      await hasty.onboarding.start({ interviewId, sessionToken: token, plan });
      await until(calls, skip + 1);
      await hasty.onboarding.cancel(interviewId);
      await expectCancelled(interviewId, hasty);
    },
  );

  it.concurrent.each(['scoring', 'waiting', 'noToken/scoring'] as const)(
    'ends a workflow in %s that receives other messages at the same time',
    async (place) => {
      const { interviewId } = await bringTo(world, place);
      const handle = handleOf(world, interviewId);
      await Promise.allSettled([
        handle.executeUpdate('extendDeadline', { args: [{ by: '1 day' }] }),
        handle.cancel(),
        handle.executeUpdate('extendDeadline', { args: [{ by: '1 day' }] }),
        handle.signal('statusChanged', { interviewId, onboardingStatus: 'ID_VALIDATION_FINISHED' }),
      ]);
      await expectCancelled(interviewId);
    },
  );

  it('leaves no call that reaches Incode later', () => {
    expect(ended.length).toBeGreaterThan(OPEN.length);
    for (const { of, interviewId, calls } of ended) {
      expect(of.simulator.callsOf(interviewId)).toHaveLength(calls);
      expect(of.simulator.effects(interviewId).finished).toBeLessThanOrEqual(1);
    }
  });
});

/** @returns the number of accepted updates without an answer */
async function pendingUpdates(interviewId: string): Promise<number> {
  const { events } = await handleOf(world, interviewId).fetchHistory();
  const count = (kind: 'Accepted' | 'Completed') =>
    (events ?? []).filter((event) => event[`workflowExecutionUpdate${kind}EventAttributes`]).length;
  return count('Accepted') - count('Completed');
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
