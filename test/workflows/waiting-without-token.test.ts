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

// Longer than the default, so that a week has few of them.
const POLL_MS = 6 * 3_600_000;
const POLL = '6h';

/** Webhooks are lost here: what a session hears, it is told by `say`. */
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

describe('without a token that Incode accepts', () => {
  it('the wait shows that a token is needed, and goes on when one is handed in', async () => {
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

  it('a webhook is held against Incode once there is a token, also after the capture deadline', async () => {
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

  it('the capture deadline still ends the wait', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, ...PROCESSED });
    await untilStage(world, interviewId, 'needsToken');
    await pass(world, interviewId, '7 days');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('expired');
    expect(operationsOf(world, interviewId)).toEqual([]);
    await expectSound(world, interviewId);
  });

  it('a webhook that tells of the finish by somebody else needs none at all', async () => {
    const { interviewId } = await world.simulator.openSession();
    await world.onboarding.start({ interviewId, plan: { finishWhen: 'processed', score: false } });
    await untilStage(world, interviewId, 'needsToken');
    await happens(world, interviewId, 'MANUAL_REVIEW_APPROVED');
    // The action is not known, so the score is read, which needs a token.
    await expect.poll(async () => (await stateOf(world, interviewId)).finish?.confirmedBy).toBe('webhook');
    await untilStage(world, interviewId, 'needsToken');
    await world.onboarding.cancel(interviewId);
    await expectSound(world, interviewId);
  });

  it('a token source gives one, without a person', async () => {
    const { interviewId } = await withSource.simulator.openSession();
    await withSource.onboarding.start({ interviewId, ...PROCESSED });
    await untilLooks(withSource, interviewId, 1);
    await happens(withSource, interviewId, 'POST_PROCESSING_FINISHED');
    expect((await withSource.onboarding.result(interviewId)).outcome).toBe('approved');
    await expectSound(withSource, interviewId);
  });

  it('a token source that is out of order holds up no token that is handed in, and no webhook then', async () => {
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
