import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reissuingTokenSource } from '../../src/activities/index.js';
import { completeBatch } from '../../src/client/index.js';
import { type BatchPlan, FAILURES, type FinishAnswer, type Plan } from '../../src/contract/index.js';
import { executiveLogIn } from '../../src/incode/index.js';
import type { SessionSpec, SimulatorBehavior } from '../../src/testing/index.js';
import { all } from '../support/batch.js';
import { finishElsewhere, stateOf, until, untilStage } from '../support/lifecycle.js';
import { startTestWorld, type TestWorld, type TestWorldOptions } from '../support/world.js';

// Tokens of a list are shifted by one row, or tokens of two sessions are swapped. Their claims do not name the session.

const SPECS = {
  approved: { action: 'approved', score: { status: 'OK', value: '94.6' }, redirectionUrl: 'https://bank.example/a' },
  rejected: { action: 'rejected', score: { status: 'FAIL', value: '12.1' }, redirectionUrl: 'https://bank.example/b' },
  needsReview: { action: 'none', score: { status: 'WARN', value: '61.0' }, redirectionUrl: 'https://bank.example/c' },
} as const satisfies Record<string, SessionSpec>;

type Truth = keyof typeof SPECS;
interface Session {
  interviewId: string;
  sessionToken: string;
  truth: Truth;
}

interface Ended {
  outcome?: string | undefined;
  finish?: FinishAnswer | null | undefined;
  failure?: string | undefined;
}

const MISTAKES: string[] = [FAILURES.notConfirmed, FAILURES.tokenMismatch];

async function startWorld(
  behavior: Partial<SimulatorBehavior>,
  { activities, ...options }: TestWorldOptions = {},
): Promise<TestWorld> {
  return startTestWorld({
    simulator: { behavior: { tokenForm: 'anonymous', ...behavior } },
    activities: { statusLagMs: 1_000, confirmFinishPollMs: 50, reviewPollMs: 300, ...activities },
    executive: (incode) => executiveLogIn(incode, () => ({ email: 'kyc@example.com', password: 'simulated' })),
    ...options,
  });
}

async function open({ simulator }: TestWorld, ...truths: Truth[]): Promise<Session[]> {
  return Promise.all(
    truths.map(async (truth) => {
      const { interviewId, token } = await simulator.openSession(SPECS[truth]);
      return { interviewId, sessionToken: token, truth };
    }),
  );
}

/** Each session with the token of the next one. */
function shifted(sessions: Session[]): Session[] {
  return sessions.map((session, index) => ({
    ...session,
    sessionToken: sessions[(index + 1) % sessions.length]?.sessionToken ?? '',
  }));
}

async function single(
  { onboarding }: TestWorld,
  { interviewId, sessionToken }: Session,
  plan: Plan = {},
): Promise<Ended> {
  await onboarding.start({ interviewId, sessionToken, plan });
  try {
    return await onboarding.result(interviewId);
  } catch (error) {
    return { failure: (error as { type?: string }).type };
  }
}

async function batch(world: TestWorld, sessions: Session[], plan: BatchPlan = {}): Promise<Ended[]> {
  const list = sessions.map(({ interviewId, sessionToken }) => ({ interviewId, sessionToken }));
  const rows = await all(completeBatch(world.onboarding, list, world.batch({ plan })));
  return rows.map(({ outcome, finish, failure }) => ({ outcome, finish, failure: failure?.type }));
}

/** Each session has its own result or has failed as a mix-up, and none was closed before it was finished. */
function expectTruth({ simulator }: TestWorld, sessions: Session[], ended: Ended[]): void {
  for (const [index, { interviewId, truth }] of sessions.entries()) {
    const { outcome, finish, failure } = ended[index] ?? {};
    if (failure === undefined) expect(outcome).toBe(truth);
    else expect(MISTAKES).toContain(failure);
    expect([null, undefined, SPECS[truth].action]).toContain(finish?.action);
    expect([null, undefined, SPECS[truth].redirectionUrl]).toContain(finish?.redirectionUrl);
    const { finished, closed } = simulator.effects(interviewId);
    expect(finished).toBeLessThanOrEqual(1);
    expect(closed).toBeLessThanOrEqual(finished);
  }
}

/** Delays finishes, so that all are in flight before the first one takes effect. */
const SLOW = { operation: 'finishStatus', kind: 'latency', ms: 400, effectAfterMs: 400, times: null } as const;

const FOREIGN_IDS = ['ignored', 'answered', 'refused'] as const;

describe.each(FOREIGN_IDS)('mixed-up tokens with an executive token, if ids of other sessions are %s', (foreignId) => {
  let world: TestWorld;
  beforeAll(async () => {
    // With this time scale Incode's time limit is longer than the usual 300 ms.
    world = await startWorld(
      { foreignId },
      { simulator: { behavior: { foreignId, tokenForm: 'anonymous' }, timeScale: 0.05 } },
    );
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each<BatchPlan>([{}, { score: false }, { close: true }])(
    'a batch with tokens shifted by one row reports no verdict of another session: %j',
    async (plan) => {
      const sessions = await open(world, 'approved', 'rejected', 'needsReview');
      world.simulator.fault(SLOW);
      const ended = await batch(world, shifted(sessions), plan);
      world.simulator.clearFaults();
      expectTruth(world, sessions, ended);
      for (const { finish } of ended) expect(finish?.action ?? null).toBeNull();
    },
  );

  it('a batch sends nothing with the token of a session that was finished before', async () => {
    const sessions = await open(world, 'approved', 'rejected');
    const [first, second] = sessions as [Session, Session];
    await finishElsewhere(world, first.interviewId);
    const [ended] = await batch(world, [{ ...first, sessionToken: second.sessionToken }], { close: true });
    expectTruth(world, [first], [ended ?? {}]);
    expect(ended).toMatchObject({ outcome: 'approved', finish: { action: null, confirmedBy: 'status' } });
    expect(world.simulator.effects(second.interviewId)).toEqual({ finished: 0, closed: 0, approved: 0 });
  });

  it('a single session that was finished before sends nothing with its token', async () => {
    const [first, second] = (await open(world, 'rejected', 'approved')) as [Session, Session];
    await finishElsewhere(world, first.interviewId);
    const ended = await single(world, { ...first, sessionToken: second.sessionToken }, { close: true });
    expect(ended).toMatchObject({
      outcome: 'rejected',
      finish: { action: null, confirmedBy: 'status' },
      closed: false,
    });
    expect(world.simulator.effects(second.interviewId)).toEqual({ finished: 0, closed: 0, approved: 0 });
  });

  it('two sessions with swapped tokens, one after the other, never get the verdict of the other', async () => {
    const sessions = await open(world, 'approved', 'rejected');
    const [first, second] = shifted(sessions) as [Session, Session];
    const ended = [await single(world, first, { close: true }), await single(world, second, { close: true })];
    expectTruth(world, sessions, ended);
    expect(MISTAKES).toContain(ended[0]?.failure);
  });

  it.each<Plan>([{}, { score: false }, { close: true }])(
    'two concurrent sessions with swapped tokens never get the verdict of the other: %j',
    async (plan) => {
      const sessions = await open(world, 'approved', 'rejected');
      world.simulator.fault(SLOW);
      const ended = await Promise.all(shifted(sessions).map((session) => single(world, session, plan)));
      world.simulator.clearFaults();
      expectTruth(world, sessions, ended);
      for (const { finish } of ended) expect(finish?.action ?? null).toBeNull();
    },
  );

  it('a session in review does not get the verdict of the session of its token', async () => {
    const [first, second] = (await open(world, 'needsReview', 'needsReview')) as [Session, Session];
    await finishElsewhere(world, first.interviewId);
    await finishElsewhere(world, second.interviewId);
    world.simulator.setOnboardingStatus(second.interviewId, 'MANUAL_REVIEW_APPROVED');
    const { interviewId } = first;
    await world.onboarding.start({ interviewId, sessionToken: second.sessionToken, plan: { review: 'wait' } });
    await untilStage(world, interviewId, 'inReview');
    // At least two polls.
    const reads = () => world.simulator.callsOf(undefined, 'onboardingStatus').length;
    const before = reads();
    await until(() => reads() > before + 2, true);
    expect((await stateOf(world, interviewId)).stage).toBe('inReview');
    world.simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_REJECTED');
    expect((await world.onboarding.result(interviewId)).outcome).toBe('rejected');
  });
});

describe('the right token with an executive token', () => {
  /** The results of one session, single and in a batch. */
  async function answers(world: TestWorld, withToken = true): Promise<(FinishAnswer | null | undefined)[]> {
    const [first, second] = (await open(world, 'approved', 'approved')) as [Session, Session];
    const { interviewId } = first;
    const token = withToken ? { sessionToken: first.sessionToken } : {};
    const answer = await world.onboarding.finish({ interviewId, ...token });
    const list = [{ interviewId: second.interviewId, ...(withToken ? { sessionToken: second.sessionToken } : {}) }];
    const [row] = await all(completeBatch(world.onboarding, list, world.batch({ plan: { close: true } })));
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(row?.outcome).toBe('approved');
    return [answer, row?.finish];
  }

  const { action, redirectionUrl } = SPECS.approved;
  const OWN = { action, redirectionUrl, confirmedBy: 'response' };
  const BY_STATUS = { action: null, redirectionUrl: null, confirmedBy: 'status' };

  it('leaves out the action if the token is not proven to belong to the session', async () => {
    await using world = await startWorld({ foreignId: 'refused' });
    expect(await answers(world)).toEqual([BY_STATUS, BY_STATUS]);
  });

  it('reports the action if the claim of the token names the session', async () => {
    await using world = await startWorld({ foreignId: 'ignored', tokenForm: 'namesInterview' });
    expect(await answers(world)).toEqual([OWN, OWN]);
  });

  it('reports the action if Incode issued the token for this session', async () => {
    const tokenSource: TestWorldOptions['tokenSource'] = (incode) =>
      reissuingTokenSource(incode, { configurationId: 'flow' });
    await using world = await startWorld({ foreignId: 'ignored' }, { tokenSource });
    expect(await answers(world, false)).toEqual([OWN, OWN]);
  });

  it('leaves out the action if the token comes from a token source of the host', async () => {
    const tokenSource: TestWorldOptions['tokenSource'] = (incode) => {
      const { token } = reissuingTokenSource(incode, { configurationId: 'flow' });
      return { token };
    };
    await using world = await startWorld({ foreignId: 'ignored' }, { tokenSource });
    expect(await answers(world, false)).toEqual([BY_STATUS, BY_STATUS]);
  });

  it('reports the action if Incode is known to refuse ids of other sessions', async () => {
    await using world = await startWorld({ foreignId: 'refused' }, { activities: { refusesForeignIds: true } });
    expect(await answers(world)).toEqual([OWN, OWN]);
    const sessions = await open(world, 'approved', 'rejected', 'needsReview');
    expectTruth(world, sessions, await batch(world, shifted(sessions), { close: true }));
  });
});

describe('tokens without an executive token, if Incode answers ids of other sessions', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await startTestWorld({
      simulator: { behavior: { tokenForm: 'anonymous', foreignId: 'answered' } },
      activities: { statusLagMs: 1_000, confirmFinishPollMs: 50 },
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each<BatchPlan>([{}, { score: false }])('a session with the token of another session fails: %j', async (plan) => {
    const [first, second, third, fourth] = (await open(world, 'approved', 'rejected', 'approved', 'rejected')) as [
      Session,
      Session,
      Session,
      Session,
    ];
    const ended = await single(world, { ...first, sessionToken: second.sessionToken }, plan);
    expect(ended).toEqual({ failure: FAILURES.notConfirmed });
    const [row] = await batch(world, [{ ...third, sessionToken: fourth.sessionToken }], plan);
    expect(row).toEqual({ failure: FAILURES.notConfirmed });
  });

  it('a session with its own token reports its action', async () => {
    const [first, second] = (await open(world, 'approved', 'approved')) as [Session, Session];
    expect(await single(world, first)).toMatchObject({ outcome: 'approved', finish: { action: 'approved' } });
    expect(await batch(world, [second])).toMatchObject([{ outcome: 'approved', finish: { action: 'approved' } }]);
  });
});
