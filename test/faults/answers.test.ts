import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILURES, type Plan } from '../../src/contract/index.js';
import type { FaultEffect, SessionSpec } from '../../src/testing/index.js';
import { fetchHistory, textWithoutInputs } from '../support/history.js';
import { serve, type TestServer } from '../support/http.js';
import { thrown } from '../support/thrown.js';
import { API_KEY, IMPATIENT, startTestWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let elsewhere: TestServer;

beforeAll(async () => {
  elsewhere = await serve((_, response) => response.end('{"action": "approved"}'));
  world = await startTestWorld({ incode: IMPATIENT });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

interface Expected {
  outcome: 'approved' | 'undecided';
  confirmedBy: 'response' | 'status' | 'unconfirmed';
  /** Calls of finish-status, including the one that fails. */
  calls: number;
  /** How often Incode finished the session. */
  finished: number;
}

const RETRIED: Expected = { outcome: 'approved', confirmedBy: 'response', calls: 2, finished: 1 };
const TAKEN: Expected = { outcome: 'approved', confirmedBy: 'status', calls: 1, finished: 1 };
/** Incode accepted the request, so it is not sent again, but no status confirms it. */
const UNCONFIRMED: Expected = { outcome: 'undecided', confirmedBy: 'unconfirmed', calls: 1, finished: 0 };

/** The fault of the first finish-status call, and how the session ends. */
const OVERCOME: [string, () => FaultEffect, Expected][] = [
  ['403', () => ({ kind: 'status', status: 403 }), RETRIED],
  ['407', () => ({ kind: 'status', status: 407 }), RETRIED],
  ['408', () => ({ kind: 'status', status: 408 }), RETRIED],
  ['425', () => ({ kind: 'status', status: 425 }), RETRIED],
  ['429', () => ({ kind: 'status', status: 429 }), RETRIED],
  [
    '429 with Retry-After in seconds',
    () => ({ kind: 'status', status: 429, headers: { 'retry-after': '1' } }),
    RETRIED,
  ],
  [
    '429 with Retry-After as a date',
    () => ({ kind: 'status', status: 429, headers: { 'retry-after': new Date(Date.now() + 1_000).toUTCString() } }),
    RETRIED,
  ],
  ['503', () => ({ kind: 'status', status: 503 }), RETRIED],
  ['500 before the effect', () => ({ kind: 'status', status: 500 }), RETRIED],
  ['500 after the effect', () => ({ kind: 'status', status: 500, effect: true }), TAKEN],
  ['502 with HTML before the effect', () => ({ kind: 'status', status: 502, body: 'html' }), RETRIED],
  ['502 with HTML after the effect', () => ({ kind: 'status', status: 502, body: 'html', effect: true }), TAKEN],
  ['504 before the effect', () => ({ kind: 'status', status: 504 }), RETRIED],
  ['504 after the effect', () => ({ kind: 'status', status: 504, body: 'empty', effect: true }), TAKEN],
  ['an unknown status after the effect', () => ({ kind: 'status', status: 599, effect: true }), TAKEN],
  ['204 after the effect', () => ({ kind: 'status', status: 204, body: 'empty', effect: true }), TAKEN],
  ['reset before the effect', () => ({ kind: 'reset' }), RETRIED],
  ['reset after the effect', () => ({ kind: 'reset', effect: true }), TAKEN],
  ['truncated JSON before the effect', () => ({ kind: 'truncated', effect: false }), UNCONFIRMED],
  ['truncated JSON after the effect', () => ({ kind: 'truncated' }), TAKEN],
  ['the body []', () => ({ kind: 'body', body: '[]' }), TAKEN],
  ['the body null', () => ({ kind: 'body', body: 'null' }), TAKEN],
  ['the body "x"', () => ({ kind: 'body', body: '"x"' }), TAKEN],
  ['an empty body', () => ({ kind: 'body', body: '' }), TAKEN],
  ['an HTML body before the effect', () => ({ kind: 'body', body: '<html>', effect: false }), UNCONFIRMED],
  ['the body {} before the effect', () => ({ kind: 'body', body: '{}', effect: false }), UNCONFIRMED],
  [
    'a logical failure with 200',
    () => ({ kind: 'body', body: '{"success": false, "failReason": "SESSION_NOT_READY"}', effect: false }),
    UNCONFIRMED,
  ],
  [
    'an error body with 200',
    () => ({ kind: 'body', body: '{"timestamp": 1, "status": 4019, "error": "No"}', effect: false }),
    UNCONFIRMED,
  ],
  ['a body of 5 MiB', () => ({ kind: 'huge' }), TAKEN],
  [
    'a redirect to another host',
    () => ({ kind: 'redirect', location: `${elsewhere.url}/omni/finish-status` }),
    RETRIED,
  ],
];

describe('faults of the first finish', () => {
  it.concurrent.each(OVERCOME)('completes a session after %s, with at most one effect', async (_, fault, expected) => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, ...fault() });
    await world.onboarding.start({ interviewId, sessionToken: token });
    const { outcome, finish } = await world.onboarding.result(interviewId);
    expect({ outcome, confirmedBy: finish?.confirmedBy }).toEqual({
      outcome: expected.outcome,
      confirmedBy: expected.confirmedBy,
    });
    expect(world.simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(expected.calls);
    expect(world.simulator.effects(interviewId).finished).toBe(expected.finished);
    await expectNoSecrets(interviewId, token);
  });

  it('never follows a redirect to the other host', () => {
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('permanent refusals of a finish', () => {
  it.concurrent.each([
    [400, FAILURES.badRequest],
    [404, FAILURES.unknownSession],
    [405, FAILURES.methodNotAllowed],
    [406, FAILURES.notAcceptable],
    [418, FAILURES.badRequest],
  ])('a finish that is refused with %i fails the session with %s and has no effect', async (status, type) => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status, times: null });
    await world.onboarding.start({ interviewId, sessionToken: token });
    const failure = await thrown(world.onboarding.result(interviewId));
    expect(failure.type).toBe(type);
    expect(failure.message).toContain(interviewId);
    expect(world.simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(1);
    expect(world.simulator.effects(interviewId).finished).toBe(0);
    await expectNoSecrets(interviewId, token);
  });
});

describe('refusals after a finish', () => {
  it.concurrent.each([400, 404, 405])(
    'completes a session whose score is refused with %i for a while',
    async (status) => {
      const { interviewId, token } = await world.simulator.openSession();
      world.simulator.fault({ operation: 'score', interviewId, kind: 'status', status, times: 2 });
      await world.onboarding.start({ interviewId, sessionToken: token });
      expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    },
  );

  it('keeps the outcome if the score is refused permanently', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'score', interviewId, kind: 'status', status: 404, times: null });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { scoreDeadline: '1s' } });
    const { outcome, finish } = await world.onboarding.result(interviewId);
    expect({ outcome, action: finish?.action }).toEqual({ outcome: 'undecided', action: 'approved' });
  });

  it('keeps the outcome if closing is refused, and reports that', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'closeSession', interviewId, kind: 'status', status: 400, times: null });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { close: true } });
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', closed: false });
  });

  it('counts a session as closed if the answer was lost and the repeat is refused', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'closeSession', interviewId, kind: 'reset', effect: true });
    world.simulator.fault({ operation: 'closeSession', interviewId, kind: 'status', status: 409 });
    await world.onboarding.start({ interviewId, sessionToken: token, plan: { close: true } });
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved', closed: true });
  });
});

describe('refusals that an operator must fix', () => {
  it.concurrent.each([
    [403, FAILURES.apiKeyRefused],
    [503, FAILURES.notTaken],
    [302, FAILURES.misconfigured],
  ])('a session waits visibly after %i with the failure %s', async (status, type) => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status, times: null });
    await world.onboarding.start({ interviewId, sessionToken: token });
    await expect.poll(async () => (await world.onboarding.state(interviewId)).call?.attempt).toBeGreaterThan(1);
    const { status: workflow, state, call } = await world.onboarding.state(interviewId);
    expect({ workflow, stage: state?.stage, activity: call?.activity, type: call?.lastFailure?.type }).toEqual({
      workflow: 'running',
      stage: 'finishing',
      activity: 'finishStatus',
      type,
    });
    expect(world.simulator.effects(interviewId).finished).toBe(0);
    await expectNoSecrets(interviewId, token);
    await world.onboarding.cancel(interviewId);
  });

  it('completes a session after the operator corrects the API key', async () => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.setApiKeys(['another-key']);
    try {
      await world.onboarding.start({ interviewId, sessionToken: token });
      await expect
        .poll(async () => (await world.onboarding.state(interviewId)).call?.lastFailure?.type)
        .toBe(FAILURES.apiKeyRefused);
      expect(world.logs()).toContain('Incode refuses the API key');
    } finally {
      world.simulator.setApiKeys([API_KEY]);
    }
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    expect(world.simulator.effects(interviewId).finished).toBe(1);
  });

  it.each<[string, SessionSpec, Plan, number]>([
    ['waiting', { processedAfterMs: 0 }, { finishWhen: 'processed' }, 0],
    [
      'inReview',
      { score: { status: 'WARN', value: '61.0' }, manualReview: { verdict: 'APPROVED', afterMs: 0 } },
      { review: 'wait' },
      1,
    ],
  ])(
    'continues soon after a corrected API key while a session is %s, without waiting for the poll interval',
    async (stage, spec, plan, skip) => {
      // Polls come every 15 minutes, and every 6 hours.
      await using own = await startTestWorld({ incode: IMPATIENT });
      const { interviewId, token } = await own.simulator.openSession(spec);
      own.simulator.fault({ operation: 'onboardingStatus', kind: 'status', status: 403, times: null, skip });
      await own.onboarding.start({ interviewId, sessionToken: token, plan });
      await expect
        .poll(async () => (await own.onboarding.state(interviewId)).call)
        .toMatchObject({ activity: 'awaitMilestone', lastFailure: { type: FAILURES.apiKeyRefused } });
      expect((await own.onboarding.state(interviewId)).state?.stage).toBe(stage);
      own.simulator.clearFaults();
      expect((await own.onboarding.result(interviewId)).outcome).toBe('approved');
    },
  );
});

describe('a request that may still be running', () => {
  it('is not repeated before the settle time, and not at all if its effect comes late', async () => {
    // The client times out after 1 s. Incode finishes the session after 1.5 s.
    await using slow = await startTestWorld({
      incode: { finishTimeoutMs: 1_000 },
      simulator: { timeScale: 0.1 },
      activities: { settleTimeMs: 3_000 },
    });
    const { interviewId, token } = await slow.simulator.openSession();
    slow.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'latency', ms: 1_500 });
    await slow.onboarding.start({ interviewId, sessionToken: token });
    expect(await slow.onboarding.result(interviewId)).toMatchObject({
      finish: { confirmedBy: 'status' },
      outcome: 'approved',
    });
    expect(slow.simulator.callsOf(interviewId, 'finishStatus')).toHaveLength(1);
    expect(slow.simulator.effects(interviewId).finished).toBe(1);
  });

  it('is repeated after the settle time if it had no effect', async () => {
    await using slow = await startTestWorld({
      incode: { finishTimeoutMs: 1_000 },
      simulator: { timeScale: 0.1 },
      activities: { settleTimeMs: 3_000 },
    });
    const { interviewId, token } = await slow.simulator.openSession();
    slow.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang' });
    await slow.onboarding.start({ interviewId, sessionToken: token });
    expect(await slow.onboarding.result(interviewId)).toMatchObject({ finish: { confirmedBy: 'response' } });
    const [first, second] = slow.simulator.callsOf(interviewId, 'finishStatus');
    expect(Number(second?.at) - Number(first?.at)).toBeGreaterThanOrEqual(3_000);
    await expectNoSecrets(interviewId, token, slow);
  });

  it('is not repeated earlier if the status cannot be read', async () => {
    await using slow = await startTestWorld({
      incode: { finishTimeoutMs: 1_000 },
      simulator: { timeScale: 0.1 },
      activities: { settleTimeMs: 3_000 },
    });
    const { interviewId, token } = await slow.simulator.openSession();
    slow.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset' });
    // The status read before the first request succeeds.
    slow.simulator.fault({
      operation: 'onboardingStatus',
      interviewId,
      kind: 'status',
      status: 503,
      times: 2,
      skip: 1,
    });
    await slow.onboarding.start({ interviewId, sessionToken: token });
    await slow.onboarding.result(interviewId);
    const [first, second] = slow.simulator.callsOf(interviewId, 'finishStatus');
    expect(Number(second?.at) - Number(first?.at)).toBeGreaterThanOrEqual(3_000);
    expect(slow.simulator.effects(interviewId).finished).toBe(1);
  });
});

describe('Incode unreachable', () => {
  it('a session completes after Incode refused connections', async () => {
    const { startIncodeSimulator } = await import('../../src/testing/index.js');
    const gone = await startIncodeSimulator({ apiKeys: [API_KEY] });
    await gone.close();
    await using away = await startTestWorld({ incode: { baseUrl: gone.url } });
    await away.onboarding.start({ interviewId: 'refused', sessionToken: 'token-of-nobody' });
    await expect
      .poll(async () => (await away.onboarding.state('refused')).call?.lastFailure)
      .toMatchObject({
        type: FAILURES.notTaken,
        message: expect.stringContaining('ECONNREFUSED'),
      });
    const back = await startIncodeSimulator({ apiKeys: [API_KEY], port: gone.port });
    const { token } = await back.openSession({ interviewId: 'refused' });
    await away.onboarding.result('refused', { timeoutMs: 5 }).catch(() => undefined);
    // The new simulator does not know the token.
    await expect.poll(async () => (await away.onboarding.state('refused')).state?.stage).toBe('needsToken');
    await away.onboarding.renewToken('refused', token);
    expect((await away.onboarding.result('refused')).outcome).toBe('approved');
    expect(back.effects('refused').finished).toBe(1);
    await back.close();
  });

  it('a session waits while the host name of Incode is unknown', async () => {
    await using away = await startTestWorld({ incode: { baseUrl: 'https://incode.invalid' } });
    await away.onboarding.start({ interviewId: 'no-dns', sessionToken: 'token-of-nobody' });
    await expect
      .poll(async () => (await away.onboarding.state('no-dns')).call?.lastFailure?.type)
      .toBe(FAILURES.notTaken);
    await away.onboarding.cancel('no-dns');
  });
});

/** Only inputs may contain the token. */
async function expectNoSecrets(interviewId: string, token: string, of = world): Promise<void> {
  const history = textWithoutInputs(await fetchHistory(of.temporal, interviewId));
  const description = JSON.stringify((await of.onboarding.state(interviewId)) ?? '');
  for (const text of [history, description, of.logs()]) {
    expect(text.includes(token), 'token').toBe(false);
    expect(text.includes(API_KEY), 'API key').toBe(false);
  }
  expect(history).toContain('onboardingSession');
}
