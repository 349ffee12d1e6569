import { afterAll, describe, expect, it, vi } from 'vitest';
import { completeBatch } from '../../src/client/index.js';
import { type BatchPlan, FAILURES, type OnboardingInput } from '../../src/contract/index.js';
import type { FaultEffect, SessionSpec, SimulatorBehavior } from '../../src/testing/index.js';
import { all } from '../support/batch.js';
import { handleOf, until } from '../support/lifecycle.js';
import { thrown } from '../support/thrown.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

vi.setConfig({ maxConcurrency: 8 });

interface Ended {
  outcome?: string | undefined;
  confirmedBy?: string | undefined;
  failure?: string | undefined;
}

type Session = Required<Pick<OnboardingInput, 'interviewId' | 'sessionToken'>>;

/** Both ways to finish a session must keep the same promises. */
const WAYS: [way: string, end: (world: TestWorld, session: Session, plan?: BatchPlan) => Promise<Ended>][] = [
  [
    'a single session',
    async ({ onboarding }, session, plan = {}) => {
      await onboarding.start({ ...session, plan }, { ifCompleted: 'restart' });
      try {
        const { outcome, finish } = await onboarding.result(session.interviewId);
        return { outcome, confirmedBy: finish?.confirmedBy };
      } catch (error) {
        return { failure: (error as { type?: string }).type };
      }
    },
  ],
  [
    'a batch',
    async (world, session, plan = {}) => {
      const [item] = await all(completeBatch(world.onboarding, [session], world.batch({ plan })));
      return { outcome: item?.outcome, confirmedBy: item?.finish?.confirmedBy, failure: item?.failure?.type };
    },
  ],
];

/** One world for each behavior: a worker of its own for each test would take half of the time of this file. */
const worlds = new Map<string, Promise<TestWorld>>();
afterAll(async () => {
  for (const world of worlds.values()) await (await world)[Symbol.asyncDispose]();
});

function worldWith(behavior: Partial<SimulatorBehavior>, settleTimeMs = 400): Promise<TestWorld> {
  const key = JSON.stringify([behavior, settleTimeMs]);
  const known = worlds.get(key);
  if (known) return known;
  // The time to confirm is far above the lag of the status.
  const activities = { settleTimeMs, confirmFinishWithinMs: 6_000 };
  const world = startTestWorld({ simulator: { behavior }, activities });
  worlds.set(key, world);
  return world;
}

async function open({ simulator }: TestWorld, spec: SessionSpec = {}): Promise<Session> {
  const { interviewId, token } = await simulator.openSession(spec);
  return { interviewId, sessionToken: token };
}

const calls = ({ simulator }: TestWorld, { interviewId }: Session) =>
  simulator.callsOf(interviewId, 'finishStatus').length;

const ofEither = ({ simulator }: TestWorld, a: Session, b: Session) =>
  [a, b].flatMap(({ interviewId }) => simulator.callsOf(interviewId));

const effects = ({ simulator }: TestWorld, { interviewId }: Session) => simulator.effects(interviewId);

describe.each(WAYS)('%s', (_, end) => {
  it.concurrent.each<[string, FaultEffect]>([
    ['500', { kind: 'status', status: 500, effect: true }],
    ['502', { kind: 'status', status: 502, body: 'html', effect: true }],
    ['a reset', { kind: 'reset', effect: true }],
  ])('is finished once if the status lags after %s', async (_, fault) => {
    const world = await worldWith({ statusLagMs: 1_500 }, 2_500);
    const session = await open(world);
    world.simulator.fault({ operation: 'finishStatus', interviewId: session.interviewId, ...fault });
    expect(await end(world, session)).toMatchObject({ outcome: 'approved', confirmedBy: 'status' });
    expect(calls(world, session)).toBe(1);
  });

  it.concurrent.each<[string, FaultEffect]>([
    ['has no action', { kind: 'body', body: '{}' }],
    ['is truncated', { kind: 'truncated' }],
    ['contains an error', { kind: 'body', body: '{"success": false, "failReason": "ALREADY_FINISHED"}' }],
    ['is empty', { kind: 'status', status: 204, body: 'empty', effect: true }],
  ])('is finished once if a 2xx answer %s and the status lags for longer than the settle time', async (_, fault) => {
    const world = await worldWith({ statusLagMs: 2_000 });
    const session = await open(world);
    world.simulator.fault({ operation: 'finishStatus', interviewId: session.interviewId, ...fault });
    expect(await end(world, session)).toMatchObject({ outcome: 'approved', confirmedBy: 'status' });
    expect(calls(world, session)).toBe(1);
  });

  it.concurrent.each(['lowerCase', 'trailingSpace', 'misspelled'] as const)(
    'is finished once if the status is spelled differently: %s',
    async (statusSpelling) => {
      const world = await worldWith({ statusSpelling });
      const session = await open(world);
      world.simulator.fault({
        operation: 'finishStatus',
        interviewId: session.interviewId,
        kind: 'reset',
        effect: true,
      });
      expect(await end(world, session)).toMatchObject({ outcome: 'approved', confirmedBy: 'status' });
      expect(calls(world, session)).toBe(1);
    },
  );

  it.concurrent.each([404, 400])(
    'is finished once if the status endpoint answers %i after a lost answer',
    async (status) => {
      const world = await worldWith({});
      const session = await open(world);
      const { interviewId } = session;
      world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
      world.simulator.fault({ operation: 'onboardingStatus', interviewId, kind: 'status', status, skip: 1, times: 2 });
      expect(await end(world, session)).toMatchObject({ outcome: 'approved', confirmedBy: 'status' });
      expect(calls(world, session)).toBe(1);
    },
  );

  it.concurrent('is finished once if Incode refuses a repeat while the status lags for longer than the settle time', async () => {
    const world = await worldWith({ statusLagMs: 2_000, secondFinish: 'refused' });
    const session = await open(world);
    world.simulator.fault({ operation: 'finishStatus', interviewId: session.interviewId, kind: 'reset', effect: true });
    expect(await end(world, session)).toMatchObject({ outcome: 'approved', confirmedBy: 'status' });
    expect(effects(world, session).finished).toBe(1);
  });

  it.concurrent('is not finished again if a session or batch finished it before', async () => {
    const world = await worldWith({});
    const session = await open(world);
    for (const [, first] of WAYS) await first(world, session);
    expect(await end(world, { ...session })).toMatchObject({ outcome: 'approved' });
    expect(effects(world, session).finished).toBe(1);
  });
});

describe.each(WAYS.flatMap(([first, one]) => WAYS.map(([second, two]) => [first, second, one, two] as const)))(
  'after %s, %s with the same session on the same worker',
  (_first, _second, one, two) => {
    it.concurrent('sends no second finish while the status lags', async () => {
      const world = await worldWith({ statusLagMs: 1_500 });
      const session = await open(world);
      expect(await one(world, session, { score: false })).toMatchObject({ outcome: 'approved' });
      expect(await two(world, session, { score: false })).toMatchObject({ confirmedBy: 'status' });
      expect(calls(world, session)).toBe(1);
    });

    it.concurrent('waits the settle time after a finish that got lost', async () => {
      const world = await worldWith({ statusLagMs: 1_500 }, 3_000);
      const session = await open(world);
      const { interviewId } = session;
      world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
      const both = [one(world, session, { score: false })];
      await until(() => calls(world, session), 1);
      both.push(two(world, session, { score: false }));
      await Promise.all(both);
      expect(calls(world, session)).toBe(1);
      expect(effects(world, session).finished).toBe(1);
    });
  },
);

describe.each(WAYS)('%s without a confirmation', (_, end) => {
  it.concurrent('ends as undecided, and is neither closed nor scored', async () => {
    const world = await worldWith({ statusSpelling: 'newValue' });
    const session = await open(world);
    world.simulator.fault({ operation: 'finishStatus', interviewId: session.interviewId, kind: 'reset', effect: true });
    expect(await end(world, session, { close: true })).toMatchObject({
      outcome: 'undecided',
      confirmedBy: 'unconfirmed',
    });
    expect(calls(world, session)).toBe(1);
    expect(effects(world, session).closed).toBe(0);
    expect(world.simulator.callsOf(session.interviewId, 'score')).toEqual([]);
  });

  it.concurrent('fails with the refusal of the status endpoint if it lasts until the end', async () => {
    const world = await worldWith({});
    const session = await open(world);
    const { interviewId } = session;
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
    world.simulator.fault({
      operation: 'onboardingStatus',
      interviewId,
      kind: 'status',
      status: 404,
      skip: 1,
      times: null,
    });
    expect(await end(world, session)).toMatchObject({ failure: FAILURES.unknownSession });
    expect(calls(world, session)).toBe(1);
  });
});

describe.each(WAYS)('%s with the token of another session', (_, end) => {
  it.concurrent('is refused by the claim of the token without a request, also if Incode ignores ids', async () => {
    const world = await worldWith({ foreignId: 'ignored' });
    const [a, b] = [await open(world), await open(world)];
    const swapped = { interviewId: a.interviewId, sessionToken: b.sessionToken };
    expect(await endOrRefusal(end(world, swapped))).toMatch(/InvalidInput/);
    expect(ofEither(world, a, b)).toEqual([]);
  });

  it.concurrent.each<Partial<SimulatorBehavior>>([{}, { tokenRefusal: 403 }])(
    'fails with IncodeTokenMismatch if Incode refuses the id: %j',
    async (behavior) => {
      const world = await worldWith({ tokenForm: 'anonymous', ...behavior });
      const [a, b] = [await open(world), await open(world)];
      const swapped = { interviewId: a.interviewId, sessionToken: b.sessionToken };
      expect(await end(world, swapped)).toMatchObject({ failure: FAILURES.tokenMismatch });
      expect([effects(world, a).finished, effects(world, b).finished]).toEqual([0, 0]);
    },
  );
});

/** The type of a failure, or the name of an error that the client throws before it sends anything. */
async function endOrRefusal(ended: Promise<Ended>): Promise<string> {
  return ended.then(
    ({ failure }) => failure ?? 'no failure',
    (error) => error.name,
  );
}

describe('a single session', () => {
  it.concurrent('shows that it waits for a status that it understands', async () => {
    const world = await worldWith({ statusSpelling: 'newValue' });
    const session = await open(world);
    const { interviewId } = session;
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });
    await world.onboarding.start(session);
    const failure = async () => (await world.onboarding.state(interviewId)).call?.lastFailure;
    await until(async () => (await failure())?.type, FAILURES.unconfirmed);
    expect((await failure())?.message).toContain(
      `Session ${interviewId}: Incode may have finished the session, but the status is ONBOARDING_CONCLUDED`,
    );
  });

  it.concurrent('is not sent again after a 2xx answer when its token has been renewed', async () => {
    const world = await worldWith({ statusLagMs: 3_000 });
    const session = await open(world);
    const { interviewId } = session;
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'body', body: '{}' });
    world.simulator.fault({
      operation: 'onboardingStatus',
      interviewId,
      kind: 'status',
      status: 401,
      skip: 1,
      times: 2,
    });
    await world.onboarding.start(session);
    await until(async () => (await world.onboarding.state(interviewId)).state?.stage, 'needsToken');
    await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
    expect(await world.onboarding.result(interviewId)).toMatchObject({ finish: { confirmedBy: 'status' } });
    expect(calls(world, session)).toBe(1);
  });

  it.concurrent.each<Partial<SimulatorBehavior>>([{}, { tokenRefusal: 403 }])(
    'fails with IncodeTokenMismatch while it waits to be processed, if Incode refuses the id: %j',
    async (behavior) => {
      const world = await worldWith({ tokenForm: 'anonymous', ...behavior });
      const [a, b] = [await open(world), await open(world)];
      const swapped = { interviewId: a.interviewId, sessionToken: b.sessionToken };
      await world.onboarding.start({ ...swapped, plan: { finishWhen: 'processed' } });
      expect(await thrown(world.onboarding.result(a.interviewId))).toMatchObject({ type: FAILURES.tokenMismatch });
      expect([effects(world, a).finished, effects(world, b).finished]).toEqual([0, 0]);
    },
  );

  it.concurrent('is checked by the worker too if a foreign client started it', async () => {
    const world = await worldWith({ foreignId: 'ignored' });
    const [a, b] = [await open(world), await open(world)];
    const { workflowId } = handleOf(world, a.interviewId);
    const input = { interviewId: a.interviewId, sessionToken: b.sessionToken };
    await world.temporal.workflow.start('onboardingSession', { workflowId, taskQueue: world.taskQueue, args: [input] });
    const failure = await thrown(world.onboarding.result(a.interviewId));
    expect(failure.type).toBe(FAILURES.tokenMismatch);
    expect(failure.message).toContain(
      `Session ${a.interviewId}: the session token belongs to session ${b.interviewId}`,
    );
    expect(ofEither(world, a, b)).toEqual([]);
  });

  it.concurrent('waits for another token if the renewed token belongs to another session', async () => {
    const world = await worldWith({ tokenForm: 'anonymous' });
    const [a, b] = [await open(world), await open(world)];
    await world.onboarding.start({ interviewId: a.interviewId, plan: { score: false } });
    const state = async () => (await world.onboarding.state(a.interviewId)).state;
    await until(async () => (await state())?.stage, 'needsToken');
    await world.onboarding.renewToken(a.interviewId, b.sessionToken);
    await until(async () => (await state())?.waitingFor?.includes('belongs to another session'), true);
    await world.onboarding.renewToken(a.interviewId, a.sessionToken);
    expect((await world.onboarding.result(a.interviewId)).outcome).toBe('approved');
    expect([effects(world, a).finished, effects(world, b).finished]).toEqual([1, 0]);
  });

  it.concurrent('returns no redirection URL with another scheme', async () => {
    const world = await worldWith({});
    const session = await open(world, { redirectionUrl: 'javascript:alert(1)' });
    expect(await world.onboarding.finish(session)).toMatchObject({
      action: 'approved',
      redirectionUrl: null,
      redirectionUnsafe: 'scheme',
    });
  });
});
