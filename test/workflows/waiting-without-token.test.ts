import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reissuingTokenSource } from '../../src/activities/index.js';
import {
  begin,
  expectSound,
  happens,
  operationsOf,
  pass,
  stateOf,
  untilLooks,
  untilStage,
} from '../support/lifecycle.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

// Longer than the default, so that a week has few polls.
const POLL_MS = 6 * 3_600_000;
const POLL = '6h';

/** Without a webhook target. `happens` sends the signals. */
let world: TestWorld;
let withSource: TestWorld;
beforeAll(async () => {
  [world, withSource] = await Promise.all([
    startTestWorld({ activities: { processedPollMs: POLL_MS } }),
    startTestWorld({ tokenSource: (incode) => reissuingTokenSource(incode, { configurationId: 'flow' }) }),
  ]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await withSource[Symbol.asyncDispose]();
});

const PROCESSED = { plan: { finishWhen: 'processed' } } as const;

describe('a session that waits without a valid token', () => {
  it('shows that it needs a token and continues when it gets one', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    expect(await stateOf(world, interviewId)).toMatchObject({
      waitingFor: expect.stringContaining('renewToken'),
      deadline: expect.any(String),
    });
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    await untilStage(world, interviewId, 'waiting');
    await untilLooks(world, interviewId, 1);
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it('checks an earlier webhook once it has a token, also after the capture deadline', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    world.simulator.revokeTokens(interviewId);
    await pass(world, interviewId, POLL);
    await untilStage(world, interviewId, 'needsToken');
    await happens(world, interviewId, 'POST_PROCESSING_FINISHED');
    await pass(world, interviewId, '8 days');
    await untilStage(world, interviewId, 'needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(world, interviewId);
  });

  it('expires at the capture deadline', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    await pass(world, interviewId, '7 days');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('expired');
    expect(operationsOf(world, interviewId)).toEqual([]);
    await expectSound(world, interviewId);
  });

  it('needs no token if a webhook reports the finish', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, plan: { finishWhen: 'processed', score: false } });
    await untilStage(world, interviewId, 'needsToken');
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    // Without the action, the score decides, and reading it needs a token.
    await expect.poll(async () => (await stateOf(world, interviewId)).finish?.confirmedBy).toBe('webhook');
    await untilStage(world, interviewId, 'needsToken');
    await world.onboarding.cancel(interviewId);
    await expectSound(world, interviewId);
  });

  it('gets a token from the token source', async () => {
    const { interviewId } = await withSource.simulator.openSession();
    await withSource.onboarding.start({ interviewId, ...PROCESSED });
    await untilLooks(withSource, interviewId, 1);
    await happens(withSource, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await withSource.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(withSource, interviewId);
  });

  it('accepts a token and a webhook while the token source fails', async () => {
    const vault = { token: () => Promise.reject(new Error('The vault is sealed')) };
    await using sealed = await startTestWorld({ tokenSource: () => vault });
    const { interviewId } = await sealed.simulator.openSession();
    await sealed.onboarding.start({ interviewId, ...PROCESSED });
    await expect
      .poll(async () => (await sealed.onboarding.state(interviewId)).call)
      .toMatchObject({
        activity: 'reissueToken',
        lastFailure: { message: expect.stringContaining('The vault is sealed') },
      });
    await happens(sealed, interviewId, 'POST_PROCESSING_FINISHED');
    await sealed.onboarding.renewToken(interviewId, await sealed.simulator.issueToken(interviewId));
    expect((await sealed.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(sealed, interviewId);
  });
});
