import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openActivities } from '../support/history.js';
import { begin, expectSound, pass, stateOf, until, untilStage } from '../support/lifecycle.js';
import { IMPATIENT, startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld({ simulator: { timeScale: 1 }, activities: { scorePollMs: 600_000 } });
});
afterAll(() => world[Symbol.asyncDispose]());

function scoreCalls(interviewId: string, of = world): number {
  return of.simulator.callsOf(interviewId, 'score').length;
}

describe('the score deadline', () => {
  it('ends the session as undecided after 15 minutes', async () => {
    const { interviewId } = await begin(world, {}, { scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await pass(world, interviewId, '15 minutes');
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'undecided', score: null });
    await expectSound(world, interviewId);
  });

  it('an update extends the score deadline between two attempts', async () => {
    const { interviewId } = await begin(world, {}, { scoreReadyAfterMs: null });
    await untilStage(world, interviewId, 'scoring');
    await until(() => scoreCalls(interviewId), 1);
    const { deadline } = await world.onboarding.extendDeadline(interviewId, '3 hours');
    expect((await stateOf(world, interviewId)).deadline).toBe(deadline);
    await pass(world, interviewId, '2 hours');
    expect((await stateOf(world, interviewId)).stage).toBe('scoring');
    await pass(world, interviewId, '2 hours');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('undecided');
    await expectSound(world, interviewId);
  });

  it.each([
    ['finds no score', { kind: 'latency', ms: 500 }],
    ['fails', { kind: 'hang' }],
  ] as const)('can be extended during an attempt that %s', async (_, fault) => {
    await using world = await startTestWorld({ simulator: { timeScale: 1 }, incode: IMPATIENT });
    const { interviewId, token } = await world.simulator.openSession({ scoreReadyAfterMs: null });
    world.simulator.fault({ operation: 'score', interviewId, ...fault });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await until(() => scoreCalls(interviewId, world), 1);
    await world.onboarding.extendDeadline(interviewId, '3 hours');
    // Extended again before the attempt ends.
    await world.onboarding.extendDeadline(interviewId, '3 hours');
    world.simulator.setScoreReady(interviewId);
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(openActivities(await expectSound(world, interviewId))).toEqual([]);
  });

  it('an update extends the score deadline while the session waits for a token', async () => {
    const { interviewId, token } = await world.simulator.openSession({ scoreReadyAfterMs: null });
    world.simulator.fault({ operation: 'score', interviewId, kind: 'status', status: 401 });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await untilStage(world, interviewId, 'needsToken');
    const { deadline } = await world.onboarding.extendDeadline(interviewId, '3 hours');
    await untilStage(world, interviewId, 'needsToken');
    // The wait for a token has no deadline. After it, the score is read once more.
    await pass(world, interviewId, '4 hours');
    expect(await stateOf(world, interviewId)).toMatchObject({ stage: 'needsToken', deadline });
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect((await world.onboarding.result(interviewId)).outcome).toBe('undecided');
    expect(scoreCalls(interviewId)).toBe(2);
    await expectSound(world, interviewId);
  });
});
