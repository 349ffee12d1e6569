import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompleteManyInput } from '../../../src/activities/batch/types.js';
import { reissuingTokenSource } from '../../../src/activities/index.js';
import { BATCH_QUERIES, BATCH_SIGNALS, type BatchProgress, FAILURES } from '../../../src/contract/index.js';
import type { FaultEffect, SessionSpec } from '../../../src/testing/index.js';
import { startShard } from '../../support/batch.js';
import { inputsOf } from '../../support/history.js';
import { until } from '../../support/lifecycle.js';
import { thrown } from '../../support/thrown.js';
import { IMPATIENT, startTestWorld, type TestWorld } from '../../support/world.js';

let world: TestWorld;
/** For answers that never come. */
let impatient: TestWorld;
beforeAll(async () => {
  [world, impatient] = await Promise.all([startTestWorld(), startTestWorld({ incode: IMPATIENT })]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await impatient[Symbol.asyncDispose]();
});

const APPROVED = { outcome: 'approved', finish: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' } };

describe('a shard', () => {
  it('has a row for each session in the order of the input', async () => {
    const specs: SessionSpec[] = [{ action: 'approved' }, { action: 'rejected' }, { action: 'none' }];
    const sessions = (await Promise.all(specs.map((spec) => world.sessions(1, spec)))).flat();
    const { rows } = await (await startShard(world, sessions)).result();
    expect(rows.map(({ outcome }) => outcome)).toEqual(['approved', 'rejected', 'undecided']);
    expect(rows[0]).toEqual({ ...APPROVED, onboardingStatus: 'ONBOARDING_FINISHED' });
  });

  it('closes and then scores each session if the plan says so', async () => {
    const sessions = await world.sessions(5, { score: { status: 'WARN', value: '61.0' } });
    const { rows } = await (await startShard(world, sessions, { plan: { close: true } })).result();
    for (const row of rows) {
      expect(row).toMatchObject({ outcome: 'needsReview', score: { status: 'WARN', value: '61.0' } });
    }
    for (const { interviewId } of sessions) {
      const operations = world.simulator.callsOf(interviewId).map(({ operation }) => operation);
      expect(operations).toEqual(['onboardingStatus', 'finishStatus', 'closeSession', 'score']);
    }
  });

  it('a shard with 2,000 sessions costs at most 40 billable actions', async () => {
    const sessions = await world.sessions(2_000);
    const handle = await startShard(world, sessions);
    await handle.result();
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
    const { events = [] } = await handle.fetchHistory();
    const attempts = (events ?? []).reduce((sum, e) => sum + (e.activityTaskStartedEventAttributes?.attempt ?? 0), 0);
    const timers = (events ?? []).filter((event) => event.timerStartedEventAttributes).length;
    expect(1 + attempts + timers).toBeLessThanOrEqual(2_000 * 0.02);
  });

  it('polls for a score until its deadline', async () => {
    const [late = [], never = []] = await Promise.all([
      world.sessions(3, { scoreReadyAfterMs: 700 }),
      world.sessions(1, { scoreReadyAfterMs: null }),
    ]);
    const plan = { score: true, scoreDeadline: '3s' };
    const { rows } = await (await startShard(world, [...late, ...never], { plan })).result();
    expect(rows.map(({ outcome }) => outcome)).toEqual(['approved', 'approved', 'approved', 'undecided']);
  });

  it('reads the status of sessions that an earlier run did not complete', async () => {
    const sessions = await world.sessions(3);
    const first = await (await startShard(world, sessions.slice(0, 2))).result();
    const earlier = [first.rows[0] ?? null, null, null];
    const { rows } = await (await startShard(world, sessions, { earlier })).result();
    expect(rows.map(({ finish }) => finish?.confirmedBy)).toEqual(['response', 'status', 'response']);
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });

  it.each([
    ['an empty list', { sessions: [] }, 'sessions'],
    ['a repeated id', { sessions: [{ interviewId: 'a' }, { interviewId: 'a' }] }, 'sessions[1].interviewId'],
    [
      'a token with a line break',
      { sessions: [{ interviewId: 'a', sessionToken: 'a\nb' }] },
      'sessions[0].sessionToken',
    ],
    ['an unknown plan key', { plan: { review: 'wait' } as never }, 'plan.review'],
    ['fewer rows than sessions', { earlier: [] }, 'earlier'],
  ])('is refused for %s', async (_, wrong, field) => {
    const handle = await startShard(world, [{ interviewId: 'never-sent', sessionToken: 't' }], wrong);
    const failure = await thrown(handle.result());
    expect(failure.cause).toMatchObject({ type: FAILURES.invalidInput, message: expect.stringContaining(field) });
  });
});

/** Faults of the first finish-status of one session among others. */
const OVERCOME: [string, FaultEffect][] = [
  ['408', { kind: 'status', status: 408 }],
  ['429', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }],
  ['500 before the effect', { kind: 'status', status: 500 }],
  ['500 after the effect', { kind: 'status', status: 500, effect: true }],
  ['502 with HTML after the effect', { kind: 'status', status: 502, body: 'html', effect: true }],
  ['503', { kind: 'status', status: 503 }],
  ['reset before the effect', { kind: 'reset' }],
  ['reset after the effect', { kind: 'reset', effect: true }],
  ['an effect that comes late', { kind: 'reset', effect: true, effectAfterMs: 250 }],
  ['a hang after the effect', { kind: 'hang', effect: true }],
  ['truncated JSON', { kind: 'truncated' }],
];

it('a shard never finishes a session again after a 200 that the package does not understand', async () => {
  const sessions = await world.sessions(3);
  const { interviewId = '' } = sessions[1] ?? {};
  world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'body', body: '{}', effect: false });
  const { rows } = await (await startShard(world, sessions)).result();
  expect(rows.map(({ outcome }) => outcome)).toEqual(['approved', 'undecided', 'approved']);
  expect(world.simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(1);
});

describe('a session with a faulty finish', () => {
  it.concurrent.each(OVERCOME)('is finished once and delays no other session: %s', async (_, fault) => {
    const sessions = await impatient.sessions(20);
    impatient.simulator.fault({ operation: 'finishStatus', interviewId: sessions[7]?.interviewId ?? '', ...fault });
    const { rows } = await (await startShard(impatient, sessions)).result();
    expect(rows.map(({ outcome }) => outcome)).toEqual(sessions.map(() => 'approved'));
    expect(impatient.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });
});

describe('a failed session', () => {
  it.concurrent.each([
    [400, FAILURES.badRequest],
    [401, FAILURES.tokenRefused],
    [404, FAILURES.unknownSession],
    [405, FAILURES.methodNotAllowed],
    [406, FAILURES.notAcceptable],
  ])('has a row with its failure after a repeated %i, and the others complete', async (status, type) => {
    const sessions = await world.sessions(5);
    const interviewId = sessions[2]?.interviewId ?? '';
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status, times: null });
    const { rows } = await (await startShard(world, sessions)).result();
    expect(rows.map(({ outcome }) => outcome ?? 'failed')).toEqual([
      'approved',
      'approved',
      'failed',
      'approved',
      'approved',
    ]);
    expect(rows[2]?.failure).toEqual({ type, message: expect.stringContaining(interviewId) });
    expect(JSON.stringify(rows)).not.toContain(sessions[2]?.sessionToken);
  });

  it('has a row with IncodeTokenRefused without a token and a token source', async () => {
    const [session] = await world.sessions(1);
    const { rows } = await (await startShard(world, [{ interviewId: session?.interviewId ?? '' }])).result();
    expect(rows[0]?.failure?.type).toBe(FAILURES.tokenRefused);
  });
});

describe('a shard with a token source', () => {
  it('completes sessions without a token or with a refused one', async () => {
    await using own = await startTestWorld({
      tokenSource: (incode) => reissuingTokenSource(incode, { configurationId: 'flow' }),
    });
    const [kept, none, revoked] = await own.sessions(3);
    if (!kept || !none || !revoked) throw new Error('Three sessions expected');
    own.simulator.revokeTokens(revoked.interviewId);
    const sessions = [kept, { interviewId: none.interviewId }, revoked];
    const { rows } = await (await startShard(own, sessions, { plan: {} })).result();
    expect(rows.map(({ outcome }) => outcome)).toEqual(['approved', 'approved', 'approved']);
    expect(own.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });
});

describe('an outage of Incode', () => {
  it.concurrent.each([
    ['answers 503', { kind: 'status', status: 503 } as const],
    ['refuses the API key', { kind: 'status', status: 403 } as const],
    ['answers 429 to everything', { kind: 'status', status: 429 } as const],
  ])('costs few calls and delays a shard that completes later: Incode %s', async (_, fault) => {
    await using own = await startTestWorld({ bulk: { concurrency: 8 } });
    const sessions = await own.sessions(400);
    own.simulator.fault({ operation: 'finishStatus', skip: 100, times: null, ...fault });
    const handle = await startShard(own, sessions);
    const progress = () => handle.query<BatchProgress>(BATCH_QUERIES.progress);
    await until(async () => (await progress()).heldUpBy?.includes(String(fault.status)), true);
    const beforeProbes = own.simulator.callsOf(undefined, 'finishStatus').length;
    await until(() => own.simulator.callsOf(undefined, 'finishStatus').length >= beforeProbes + 2, true);
    own.simulator.clearFaults();
    const { rows } = await handle.result();
    expect(rows.filter(({ outcome }) => outcome === 'approved')).toHaveLength(400);
    expect(own.timesFinished(sessions)).toEqual(sessions.map(() => 1));
    const inputs = inputsOf<CompleteManyInput>(await handle.fetchHistory(), 'completeMany').map(
      (input) => input.sessions.length,
    );
    expect(inputs[0]).toBe(400);
    expect(inputs, 'one activity tests with 20 sessions whether the outage is over').toContain(20);
    // One call for each session, the calls in flight when it began, the eight that opened the circuit breaker, and one probe per hold.
    const calls = own.simulator.callsOf(undefined, 'finishStatus').length;
    expect(calls).toBeLessThanOrEqual(400 + 8 + 8 + inputs.length);
  });
});

describe('a running shard', () => {
  it('can be paused and resumed, and reports it in its progress', async () => {
    const sessions = await world.sessions(30, { scoreReadyAfterMs: null });
    const handle = await startShard(world, sessions, { plan: { score: true } });
    await handle.signal(BATCH_SIGNALS.pause);
    await expect
      .poll(() => handle.query<BatchProgress>(BATCH_QUERIES.progress))
      .toMatchObject({ total: 30, paused: true, failed: 0 });
    for (const { interviewId } of sessions) world.simulator.setScoreReady(interviewId);
    // Time in which a shard that is not paused would have read the scores.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const { done, waiting } = await handle.query<BatchProgress>(BATCH_QUERIES.progress);
    expect({ done, begun: waiting <= 30 }).toEqual({ done: 0, begun: true });
    await handle.signal(BATCH_SIGNALS.resume);
    expect((await handle.result()).rows.filter(({ outcome }) => outcome === 'approved')).toHaveLength(30);
    expect(world.timesFinished(sessions)).toEqual(sessions.map(() => 1));
  });

  it('can be stopped, keeps completed rows and marks the others as stopped', async () => {
    const [quick = [], slow = []] = await Promise.all([
      world.sessions(3),
      world.sessions(2, { scoreReadyAfterMs: null }),
    ]);
    const handle = await startShard(world, [...quick, ...slow], { plan: { score: true } });
    await expect.poll(async () => (await handle.query<BatchProgress>(BATCH_QUERIES.progress)).done).toBe(3);
    await handle.signal(BATCH_SIGNALS.stop);
    const { rows } = await handle.result();
    expect(rows.map(({ outcome, failure }) => outcome ?? failure?.type)).toEqual([
      'approved',
      'approved',
      'approved',
      FAILURES.batchStopped,
      FAILURES.batchStopped,
    ]);
    // The session was finished before the stop.
    expect(rows[4]?.finish?.action).toBe('approved');
  });

  it('has no open activity after it was cancelled', async () => {
    const sessions = await impatient.sessions(40);
    const { interviewId = '' } = sessions[3] ?? {};
    impatient.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', times: null });
    const handle = await startShard(impatient, sessions);
    await until(() => impatient.simulator.callsOf(interviewId, 'finishStatus').length > 0, true);
    await handle.cancel();
    expect((await thrown(handle.result())).cause?.message).toMatch(/cancel/i);
    const { events } = await handle.fetchHistory();
    const count = (key: string) => (events ?? []).filter((event) => event[key as keyof typeof event]).length;
    const ends = ['activityTaskCompletedEventAttributes', 'activityTaskCanceledEventAttributes'].map(count);
    expect(ends.reduce((sum, n) => sum + n, 0)).toBe(count('activityTaskScheduledEventAttributes'));
  });
});
