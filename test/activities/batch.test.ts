import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../src/activities/batch/circuit-breaker.js';
import { ConcurrencyLimit } from '../../src/activities/batch/concurrency-limit.js';
import { activitiesPerSecond, type BulkOptions, createBulkActivities } from '../../src/activities/batch/index.js';
import { RequestPacer } from '../../src/activities/batch/request-pacer.js';
import { SharedThrottle } from '../../src/activities/batch/shared-throttle.js';
import { Stragglers } from '../../src/activities/batch/stragglers.js';
import type { BulkSession, CompleteManyResult } from '../../src/activities/batch/types.js';
import { type IncodeClient, IncodeError } from '../../src/incode/index.js';
import { namedSession, tokenNaming } from '../support/tokens.js';

describe('Slots', () => {
  it('are handed out in the order in which they were asked for', async () => {
    const slots = new ConcurrencyLimit(1);
    expect(slots.acquire()).toBeUndefined();
    const order: number[] = [];
    const waiting = [1, 2, 3].map((who) => slots.acquire()?.then(() => order.push(who)));
    slots.release();
    await waiting[0];
    slots.release();
    await waiting[1];
    expect(order).toEqual([1, 2]);
  });

  it('become half as many when it is too much, and grow back', () => {
    const slots = new ConcurrencyLimit(8);
    slots.shrink();
    const taken = () => Array.from({ length: 8 }, () => slots.acquire()).filter((wait) => wait === undefined).length;
    expect(taken()).toBe(4);
    for (let round = 0; round < 100; round += 1) slots.grow();
    // The other four were let in meanwhile.
    for (let n = 0; n < 8; n += 1) slots.release();
    expect(taken()).toBe(8);
  });

  it('never become none', () => {
    const slots = new ConcurrencyLimit(4);
    for (let n = 0; n < 10; n += 1) slots.shrink();
    expect(slots.acquire()).toBeUndefined();
    expect(slots.acquire()).toBeInstanceOf(Promise);
  });
});

describe('Pace', () => {
  it('spaces requests evenly', () => {
    vi.useFakeTimers();
    try {
      const pace = new RequestPacer(100);
      expect(pace.turn(1_000)).toBeUndefined();
      expect(pace.turn(1_000)).toBeInstanceOf(Promise);
      expect(pace.turn(1_000)).toBeInstanceOf(Promise);
      // Three of them take 30 ms.
      expect(pace.backlog(1_000)).toBeCloseTo(3);
      expect(pace.backlog(1_030)).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('makes up for no pause: that would be a burst', () => {
    const pace = new RequestPacer(100);
    pace.turn(0);
    expect(pace.turn(60_000)).toBeUndefined();
    expect(pace.backlog(60_000)).toBeCloseTo(1);
  });

  it('is halved when it is too much, and recovers within some 50 calls', () => {
    const pace = new RequestPacer(100);
    pace.shrink();
    pace.turn(0);
    // One request is now 20 ms, of which a backlog of one is made.
    expect(pace.backlog(10)).toBeCloseTo(0.5);
    for (let call = 0; call < 50; call += 1) pace.grow();
    pace.turn(1_000);
    expect(pace.backlog(1_005)).toBeCloseTo(0.5);
  });

  it('without a rate lets everything pass', () => {
    const pace = new RequestPacer();
    pace.shrink();
    expect(Array.from({ length: 1_000 }, () => pace.turn()).every((wait) => wait === undefined)).toBe(true);
    expect(pace.backlog()).toBe(0);
  });
});

describe('Breaker', () => {
  const trip = (breaker: CircuitBreaker, now: number, retryAfterMs = 0) => {
    for (let n = 0; n < 8; n += 1) breaker.failed('Incode answered 503', { retryAfterMs }, now);
  };

  it('lets single failures pass', () => {
    const breaker = new CircuitBreaker();
    for (let n = 0; n < 100; n += 1) {
      breaker.failed('Incode answered 503', {}, n);
      if (n % 7 === 0) breaker.succeeded();
    }
    expect(breaker.hold(100)).toBeUndefined();
    expect(breaker.admit(100)).toBe('freely');
  });

  it('holds after eight in a row, and lets one look whether it is over', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    expect(breaker.hold(0)).toEqual({ forMs: 1_000, why: 'Incode answered 503' });
    expect(breaker.admit(999)).toBe('no');
    expect(breaker.admit(1_000)).toBe('asProbe');
    expect(breaker.admit(1_000)).toBe('no');
  });

  it('holds twice as long after each look that fails, up to two minutes', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    const holds: number[] = [];
    for (let now = 0, n = 0; n < 9; n += 1) {
      now += breaker.hold(now)?.forMs ?? 0;
      expect(breaker.admit(now)).toBe('asProbe');
      breaker.failed('Incode answered 503', {}, now);
      holds.push(breaker.hold(now)?.forMs ?? 0);
    }
    expect(holds).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000]);
  });

  it('holds for no longer than what an operator mends may take to be noticed', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    for (let now = 0, n = 0; n < 12; n += 1) {
      now += breaker.hold(now)?.forMs ?? 0;
      breaker.admit(now);
      breaker.failed('Incode answered 403', { retryAfterMs: 3_600_000, atMostMs: 60_000 }, now);
      expect(breaker.hold(now)?.forMs).toBeLessThanOrEqual(60_000);
    }
  });

  it('is not moved by those that were under way when it tripped', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    trip(breaker, 500);
    expect(breaker.hold(500)?.forMs).toBe(1_000);
    expect(breaker.admit(1_000)).toBe('asProbe');
  });

  it('waits for as long as Incode asks', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0, 30_000);
    expect(breaker.hold(0)?.forMs).toBe(30_000);
  });

  it('is over with the first success', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    breaker.admit(1_000);
    breaker.succeeded();
    expect(breaker.hold(1_000)).toBeUndefined();
    trip(breaker, 2_000);
    expect(breaker.hold(2_000)?.forMs).toBe(1_000);
  });

  it('reports the beginning and the end of an outage once each', () => {
    const told: boolean[] = [];
    const breaker = new CircuitBreaker((isTripped) => told.push(isTripped));
    breaker.succeeded();
    expect(told).toEqual([]);
    trip(breaker, 0);
    breaker.admit(1_000);
    breaker.failed('Incode answered 503', {}, 1_000);
    expect(told).toEqual([true]);
    breaker.admit(3_000);
    breaker.succeeded();
    breaker.succeeded();
    expect(told).toEqual([true, false]);
    trip(breaker, 5_000);
    expect(breaker.admit(6_000)).toBe('asProbe');
    expect(told).toEqual([true, false, true]);
  });

  it('sends another to look if the first says nothing about Incode', () => {
    const breaker = new CircuitBreaker();
    trip(breaker, 0);
    breaker.admit(1_000);
    breaker.abandoned();
    expect(breaker.admit(1_000)).toBe('asProbe');
  });
});

describe('Stragglers', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Sessions that have begun at 0; each ends when it is told to. */
  function begin(stragglers: Stragglers, count: number): (() => Promise<void>)[] {
    return Array.from({ length: count }, () => {
      let end = () => {};
      const ended = stragglers.time(() => new Promise<void>((resolve) => (end = resolve)));
      return () => {
        end();
        return ended;
      };
    });
  }

  it('are sessions that take more than ten seconds while all others took far less', async () => {
    const stragglers = new Stragglers();
    const [quick] = begin(stragglers, 2);
    now = 1_000;
    await quick?.();
    now = 10_000;
    expect(stragglers.areLeft).toBe(false);
    now = 10_001;
    expect(stragglers.areLeft).toBe(true);
  });

  it('are none while nothing has ended: Incode may be slow for all', () => {
    const stragglers = new Stragglers();
    expect(stragglers.areLeft).toBe(false);
    begin(stragglers, 3);
    now = 60_000;
    expect(stragglers.areLeft).toBe(false);
  });

  it('are none where others took a quarter as long', async () => {
    const stragglers = new Stragglers();
    const [slow] = begin(stragglers, 2);
    now = 8_000;
    await slow?.();
    now = 32_000;
    expect(stragglers.areLeft).toBe(false);
    now = 32_001;
    expect(stragglers.areLeft).toBe(true);
  });

  it('are not all that is left while another session is young', async () => {
    const stragglers = new Stragglers();
    const [quick, hanging] = begin(stragglers, 2);
    await quick?.();
    now = 20_000;
    const [young] = begin(stragglers, 1);
    expect(stragglers.areLeft).toBe(false);
    await young?.();
    expect(stragglers.areLeft).toBe(true);
    await hanging?.();
    expect(stragglers.areLeft).toBe(false);
  });
});

describe('Gate', () => {
  const answered = (httpStatus: number) =>
    new IncodeError({ kind: 'notTaken', operation: 'finishStatus', what: `answered ${httpStatus}`, httpStatus });

  it('slows down once for calls that were refused together', () => {
    const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000, perSecond: undefined });
    for (let n = 0; n < 5; n += 1) throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
    const free = Array.from({ length: 16 }, () => throttle.slots.acquire()).filter((wait) => wait === undefined);
    expect(free).toHaveLength(8);
  });

  const freeSlots = ({ slots }: SharedThrottle) =>
    Array.from({ length: 16 }, () => slots.acquire()).filter((wait) => wait === undefined).length;

  it('slows down again for a refusal that comes a second later', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
      throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
      vi.advanceTimersByTime(1_000);
      throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
      expect(freeSlots(throttle)).toBe(4);
    } finally {
      vi.useRealTimers();
    }
  });

  it('speeds up with successes, which end a row of failures', () => {
    const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
    for (let n = 0; n < 7; n += 1) throttle.report({ open: {}, dueInMs: 0, error: answered(429) });
    for (let n = 0; n < 200; n += 1) throttle.report({ end: { finish: null } });
    throttle.report({ open: {}, dueInMs: 0, error: answered(503) });
    expect(throttle.breaker.hold()).toBeUndefined();
    expect(freeSlots(throttle)).toBe(16);
  });

  it('begins nothing for as long as Incode asks in Retry-After', () => {
    const throttle = new SharedThrottle({ concurrency: 16, operatorRetryMs: 60_000 });
    const error = new IncodeError({
      kind: 'notTaken',
      operation: 'finishStatus',
      what: 'answered 503',
      httpStatus: 503,
      retryAfterMs: 90_000,
    });
    for (let n = 0; n < 8; n += 1) throttle.report({ open: {}, dueInMs: 0, error });
    expect(throttle.breaker.hold()?.forMs).toBeGreaterThan(80_000);
  });

  it('goes on as fast as before after what is no refusal of its speed', () => {
    const throttle = new SharedThrottle({ concurrency: 2, operatorRetryMs: 60_000 });
    throttle.report({ open: {}, dueInMs: 0, error: answered(503) });
    expect([throttle.slots.acquire(), throttle.slots.acquire()]).toEqual([undefined, undefined]);
  });

  it('does not take the failure of a token source for one of Incode', () => {
    const throttle = new SharedThrottle({ concurrency: 1, operatorRetryMs: 60_000 });
    for (let n = 0; n < 20; n += 1) throttle.report({ open: {}, dueInMs: 0, error: new Error('The vault is closed') });
    expect(throttle.breaker.hold()).toBeUndefined();
  });
});

describe('a session of a batch that Incode did not take', () => {
  /** One session, and Incode's answer to its request. @returns in how many ms it is due again */
  async function dueAfter(retryAfterMs: number | undefined, tries = 0) {
    const error = new IncodeError({
      kind: 'notTaken',
      operation: 'finishStatus',
      what: 'answered 503',
      httpStatus: 503,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    const incode = {
      finishStatus: () => Promise.reject(error),
      onboardingStatus: async () => ({ onboardingStatus: 'POST_PROCESSING_FINISHED' }),
    } as unknown as IncodeClient;
    const { completeMany } = createBulkActivities({ incode });
    const sessions = [{ index: 0, ...namedSession(), done: { tries } }];
    const plan = { close: false, score: false, scoreDeadlineMs: 0 };
    const { open }: CompleteManyResult = await new MockActivityEnvironment().run(completeMany, { sessions, plan });
    return open[0]?.[2];
  }

  it('is due after Retry-After, and not before the backoff is over', async () => {
    expect(await dueAfter(7_000)).toBe(7_000);
    expect(await dueAfter(500)).toBe(1_000);
    expect(await dueAfter(7_000, 4)).toBe(16_000);
    expect(await dueAfter(undefined, 3)).toBe(8_000);
    expect(await dueAfter(undefined, 30)).toBe(120_000);
  });
});

describe('after a mended API key or base URL', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };

  it.each(['apiKeyRefused', 'misconfigured'] as const)(
    'a session of a batch that met %s is due within a minute',
    async (kind) => {
      const refused = new IncodeError({ kind, operation: 'finishStatus', what: 'refused', retryAfterMs: 3_600_000 });
      const incode = {
        finishStatus: () => Promise.reject(refused),
        onboardingStatus: async () => ({ onboardingStatus: 'POST_PROCESSING_FINISHED' }),
      } as unknown as IncodeClient;
      const { completeMany } = createBulkActivities({ incode });
      // As often as during a night without a key.
      const done = { verify: true as const, tries: 500 };
      const sessions = Array.from({ length: 20 }, (_, index) => ({
        index,
        ...namedSession(),
        done,
      }));
      const result: CompleteManyResult = await new MockActivityEnvironment().run(completeMany, { sessions, plan });
      expect(result.hold?.forMs).toBeLessThanOrEqual(60_000);
      expect(result.open.length).toBeGreaterThan(0);
      expect(Math.max(...result.open.map(([, , dueInMs]) => dueInMs))).toBeLessThanOrEqual(60_000);
    },
  );
});

it('the server hands out as many activities as make the requests of a second', () => {
  expect(activitiesPerSecond(100)).toBe(0.5);
  expect(activitiesPerSecond(0.1)).toBeCloseTo(0.1);
  expect(activitiesPerSecond(3)).toBe(0.5);
});

describe('an activity whose time is over', () => {
  const finished = { action: 'approved', redirectionUrl: null };
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };

  /** Incode takes so long to say how the session stands. */
  async function completeOne(statusTakesMs: number) {
    let passed = 0;
    const real = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => real() + passed);
    const finishStatus = vi.fn(async () => finished);
    const onboardingStatus = async () => {
      passed += statusTakesMs;
      return { onboardingStatus: 'POST_PROCESSING_FINISHED' };
    };
    const incode = { finishStatus, onboardingStatus } as unknown as IncodeClient;
    const session = { index: 0, ...namedSession(), done: { verify: true as const, tries: 2 } };
    try {
      const { completeMany } = createBulkActivities({ incode });
      const result = await new MockActivityEnvironment().run(completeMany, { sessions: [session], plan });
      return { result, sent: finishStatus.mock.calls.length };
    } finally {
      clock.mockRestore();
    }
  }

  it('finishes no session that it has begun: another one may have taken over', async () => {
    expect(await completeOne(11_000)).toMatchObject({
      result: { ended: [], open: [[0, { verify: true, tries: 2 }, 0]] },
      sent: 0,
    });
  });

  it('and does until then', async () => {
    expect(await completeOne(9_000)).toMatchObject({ result: { ended: [[0, {}]], open: [] }, sent: 1 });
  });
});

it('of a batch that trusts its list sends without a look, but for sessions that may have been sent', async () => {
  const asked: string[] = [];
  const incode = {
    finishStatus: async ({ interviewId }: { interviewId: string }) => {
      asked.push(`finish ${interviewId}`);
      return { action: 'approved', redirectionUrl: null };
    },
    onboardingStatus: async ({ interviewId }: { interviewId: string }) => {
      asked.push(`status ${interviewId}`);
      return { onboardingStatus: 'UNKNOWN' };
    },
  } as unknown as IncodeClient;
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };
  const sessions = ['a', 'b'].map((id, index) => ({ ...namedSession(id), index }));
  const given = [sessions[0], { ...sessions[1], done: { verify: true as const } }] as typeof sessions;
  const { completeMany } = createBulkActivities({ incode, concurrency: 1 });
  await new MockActivityEnvironment().run(completeMany, { sessions: given, plan, trust: true });
  expect(asked).toEqual(['finish a', 'status b', 'finish b']);
});

describe('an activity that comes after a worker that died', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };
  let sessions: BulkSession[];
  beforeEach(() => {
    sessions = [0, 1, 2].map((index) => ({ ...namedSession(), index }));
  });
  const SCHEDULED = 1_000_000;

  /** There is time for one session, and the rest is left to the workflow. */
  async function completeOne(info: { attempt: number; heartbeatDetails?: unknown }) {
    const asked: string[] = [];
    const incode = {
      finishStatus: async () => {
        asked.push('finish');
        return { action: 'approved', redirectionUrl: null };
      },
      onboardingStatus: async () => {
        asked.push('status');
        return { onboardingStatus: 'ONBOARDING_FINISHED' };
      },
      score: async () => ({ status: 'OK', value: null }),
    } as unknown as IncodeClient;
    const { completeMany } = createBulkActivities({ incode, requestsPerSecond: 0.5, concurrency: 1 });
    const times = { scheduledTimestampMs: SCHEDULED, currentAttemptScheduledTimestampMs: SCHEDULED };
    const environment = new MockActivityEnvironment({ ...info, ...times });
    const { ended, open }: CompleteManyResult = await environment.run(completeMany, { sessions, plan });
    return { ended: ended.map(([index]) => index), open, asked };
  }

  it('tells of what it did not come to that its status is read first', async () => {
    const verify = { verify: true, lastSentAt: SCHEDULED, closeTried: true };
    expect(await completeOne({ attempt: 2, heartbeatDetails: [[1, { finish: null }]] })).toEqual({
      ended: [1, 0],
      open: [[2, verify, 0]],
      asked: ['status'],
    });
  });

  it('leaves an unfinished session alone for the default settle time, counted from when the server took over', async () => {
    const finishStatus = vi.fn();
    const onboardingStatus = async () => ({ onboardingStatus: 'POST_PROCESSING_FINISHED' });
    const { completeMany } = createBulkActivities({
      incode: { finishStatus, onboardingStatus } as unknown as IncodeClient,
    });
    const times = { scheduledTimestampMs: SCHEDULED - 60_000, currentAttemptScheduledTimestampMs: SCHEDULED };
    const environment = new MockActivityEnvironment({ attempt: 2, ...times });
    const { open }: CompleteManyResult = await environment.run(completeMany, { sessions: sessions.slice(0, 1), plan });
    const [[, done, dueInMs] = []] = open;
    expect(done).toMatchObject({ verify: true, lastSentAt: SCHEDULED });
    expect(dueInMs).toBeLessThanOrEqual(30_000);
    expect(dueInMs).toBeGreaterThan(20_000);
    expect(finishStatus).not.toHaveBeenCalled();
  });

  it('takes a session that cannot be closed for one that was closed', async () => {
    const refused = new IncodeError({ kind: 'badRequest', operation: 'closeSession', what: 'answered 400' });
    const incode = { closeSession: () => Promise.reject(refused) } as unknown as IncodeClient;
    const { completeMany } = createBulkActivities({ incode });
    const done = { finish: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' as const } };
    const input = {
      sessions: sessions.slice(0, 1).map((session) => ({ ...session, done })),
      plan: { ...plan, close: true },
    };
    const notClosed = async (attempt: number) => {
      const { ended }: CompleteManyResult = await new MockActivityEnvironment({ attempt }).run(completeMany, input);
      return ended[0]?.[1].notClosed ?? false;
    };
    expect([await notClosed(1), await notClosed(2)]).toEqual([true, false]);
  });

  it('tells nothing of them if it is the first one: nobody has begun them', async () => {
    expect(await completeOne({ attempt: 1 })).toEqual({ ended: [0], open: [], asked: ['status'] });
  });
});

describe('what is counted for the rate limit', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };

  /** What is asked of Incode, with twelve requests in the two seconds of an activity. @returns the names of the calls of whole sessions */
  async function asked(options: Partial<BulkOptions>, tokenOf: (id: string) => string | undefined): Promise<string[]> {
    const calls: string[] = [];
    const finished = new Set<string>();
    const told = (interviewId: string) => (finished.has(interviewId) ? 'ONBOARDING_FINISHED' : 'UNKNOWN');
    const incode = {
      finishStatus: async ({ interviewId }: { interviewId: string }) => {
        calls.push('finish');
        finished.add(interviewId);
        return { action: 'approved', redirectionUrl: null };
      },
      onboardingStatus: async ({ interviewId, sessionToken }: { interviewId: string; sessionToken: string }) => {
        calls.push(sessionToken === 'executive' ? 'executive' : 'status');
        return { onboardingStatus: told(interviewId) };
      },
    } as unknown as IncodeClient;
    const tokenSource = options.tokenSource && {
      ...options.tokenSource,
      token: async () => {
        calls.push('token');
        return 'opaque';
      },
    };
    const { completeMany } = createBulkActivities({
      incode,
      requestsPerSecond: 6,
      concurrency: 1,
      ...options,
      ...(tokenSource ? { tokenSource } : {}),
    });
    const sessions = Array.from({ length: 9 }, (_, index) => {
      const { interviewId } = namedSession();
      const sessionToken = tokenOf(interviewId);
      return { index, interviewId, ...(sessionToken ? { sessionToken } : {}) };
    });
    await new MockActivityEnvironment().run(completeMany, { sessions, plan });
    return calls;
  }

  const repeated = (calls: string[], times: number) => Array.from({ length: times }, () => calls).flat();
  const token = async () => 'opaque';

  it('is the look and the finish of a token that names its session', async () => {
    expect(await asked({}, tokenNaming)).toEqual(repeated(['status', 'finish'], 6));
  });

  it('is the read that confirms the answer to another token too', async () => {
    expect(await asked({}, () => 'opaque')).toEqual(repeated(['status', 'finish', 'status'], 4));
    expect(await asked({ refusesForeignIds: true }, () => 'opaque')).toEqual(repeated(['status', 'finish'], 6));
  });

  it('are tokens that Incode issues too', async () => {
    const issuing = { tokenSource: { token, issuedByIncode: true } };
    expect(await asked(issuing, () => undefined)).toEqual(repeated(['token', 'status', 'finish'], 4));
  });

  it('are the reads with the executive token too', async () => {
    const executive = { token: async () => 'executive' };
    expect(await asked({ executive }, tokenNaming)).toEqual(
      repeated(['executive', 'status', 'finish', 'executive'], 3),
    );
  });
});

describe('a request of a batch that Incode has accepted', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };
  const malformed = new IncodeError({ kind: 'resultUnknown', operation: 'finishStatus', what: 'x', httpStatus: 200 });

  it('is in the next heartbeat, although its answer is of no use', async () => {
    const sessions = [0, 1].map((index) => ({ ...namedSession(), index }));
    const beats: unknown[] = [];
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 60 });
    let isBeaten = () => {};
    const beaten = new Promise<void>((resolve) => (isBeaten = resolve));
    environment.on('heartbeat', (details: unknown) => {
      beats.push(details);
      if (JSON.stringify(details).includes('accepted')) isBeaten();
    });
    const incode = {
      finishStatus: async ({ interviewId }: { interviewId: string }) => {
        if (interviewId === sessions[0]?.interviewId) throw malformed;
        await beaten;
        return { action: 'approved', redirectionUrl: null };
      },
      onboardingStatus: async () => ({ onboardingStatus: 'UNKNOWN' }),
    } as unknown as IncodeClient;
    const { completeMany } = createBulkActivities({ incode });
    const { ended }: CompleteManyResult = await environment.run(completeMany, { sessions, plan });
    expect(beats.at(-1)).toEqual([[-1, { finish: null, accepted: [0] }]]);
    expect(ended.map(([index]) => index)).toEqual([1]);
  });

  it('is never sent again by the attempt after that of a worker that died', async () => {
    const sessions = [0, 1].map((index) => ({ ...namedSession(), index }));
    const finishStatus = vi.fn();
    const onboardingStatus = async () => ({ onboardingStatus: 'UNKNOWN' });
    const incode = { finishStatus, onboardingStatus } as unknown as IncodeClient;
    const { completeMany } = createBulkActivities({ incode });
    const heartbeatDetails = [
      [1, { finish: null }],
      [-1, { finish: null, accepted: [0] }],
    ];
    const environment = new MockActivityEnvironment({ attempt: 2, heartbeatDetails });
    const { ended, open }: CompleteManyResult = await environment.run(completeMany, { sessions, plan });
    expect(ended).toEqual([[1, { finish: null }]]);
    expect(open).toMatchObject([[0, { accepted: true }, 10_000]]);
    expect(finishStatus).not.toHaveBeenCalled();
  });
});
