import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type BulkOptions, createBulkActivities } from '../../../src/activities/batch/index.js';
import type { BulkSession, CompleteManyResult } from '../../../src/activities/batch/types.js';
import { type IncodeClient, IncodeError } from '../../../src/incode/index.js';
import { namedSession, tokenNaming } from '../../support/tokens.js';

describe('a session of a batch that Incode did not accept', () => {
  /** Completes one session with this answer of Incode. @returns in how many ms it is due again */
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

  it('is due after Retry-After, but not before the backoff is over', async () => {
    expect(await dueAfter(7_000)).toBe(7_000);
    expect(await dueAfter(500)).toBe(1_000);
    expect(await dueAfter(7_000, 4)).toBe(16_000);
    expect(await dueAfter(undefined, 3)).toBe(8_000);
    expect(await dueAfter(undefined, 30)).toBe(120_000);
  });
});

describe('after a corrected API key or base URL', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };

  it.each(['apiKeyRefused', 'misconfigured'] as const)(
    'a session of a batch that failed with %s is due within a minute',
    async (kind) => {
      const refused = new IncodeError({ kind, operation: 'finishStatus', what: 'refused', retryAfterMs: 3_600_000 });
      const incode = {
        finishStatus: () => Promise.reject(refused),
        onboardingStatus: async () => ({ onboardingStatus: 'POST_PROCESSING_FINISHED' }),
      } as unknown as IncodeClient;
      const { completeMany } = createBulkActivities({ incode });
      // As many tries as during a night with a wrong key.
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

it('completeMany waits for a score by the clock of the server', async () => {
  const incode = {
    onboardingStatus: async () => ({ onboardingStatus: 'ONBOARDING_FINISHED' }),
    score: async () => ({ status: 'UNKNOWN', value: null }),
  } as unknown as IncodeClient;
  const { completeMany } = createBulkActivities({ incode });
  const sessions = [{ index: 0, ...namedSession() }];
  const plan = { close: false, score: true, scoreDeadlineMs: 60_000 };
  // The clock of this machine is years ahead.
  const scheduledAt = 1_600_000_000_000;
  const info = { scheduledTimestampMs: scheduledAt, currentAttemptScheduledTimestampMs: scheduledAt };
  const { open }: CompleteManyResult = await new MockActivityEnvironment(info).run(completeMany, { sessions, plan });
  const scoreBy = open[0]?.[1].scoreBy ?? 0;
  expect(scoreBy).toBeGreaterThanOrEqual(scheduledAt + 60_000);
  expect(scoreBy).toBeLessThan(scheduledAt + 3_600_000);
});

it('completeMany spaces the sessions by the part of the rate limit that belongs to one partition', async () => {
  const at: number[] = [];
  const incode = {
    finishStatus: async () => ({ action: 'approved', redirectionUrl: null }),
    onboardingStatus: async () => {
      at.push(performance.now());
      return { onboardingStatus: 'POST_PROCESSING_FINISHED' };
    },
  } as unknown as IncodeClient;
  const { completeMany } = createBulkActivities({ incode, requestsPerSecond: 40, partitions: 4 });
  const sessions = Array.from({ length: 6 }, (_, index) => ({ index, ...namedSession() }));
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };
  const { ended, more }: CompleteManyResult = await new MockActivityEnvironment().run(completeMany, { sessions, plan });
  expect(ended).toHaveLength(6);
  // Ten requests per second. Each session makes two, and the first one begins at once.
  expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeGreaterThan(5 * 2 * 100 - 20);
  expect(more).toBeUndefined();
});

describe('completeMany after the time for new requests', () => {
  const finished = { action: 'approved', redirectionUrl: null };
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };

  /** Completes one session whose status read takes this long. */
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

  it('does not finish a session that it has started, because another attempt may have taken over', async () => {
    expect(await completeOne(11_000)).toMatchObject({
      result: { ended: [], open: [[0, { verify: true, tries: 2 }, 0]] },
      sent: 0,
    });
  });

  it('finishes the session if the time is not over', async () => {
    expect(await completeOne(9_000)).toMatchObject({ result: { ended: [[0, {}]], open: [] }, sent: 1 });
  });
});

it('completeMany with trust reads the status only of sessions that may have been sent', async () => {
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
  const trusted = [sessions[0], { ...sessions[1], done: { verify: true as const } }] as typeof sessions;
  const { completeMany } = createBulkActivities({ incode, concurrency: 1 });
  await new MockActivityEnvironment().run(completeMany, { sessions: trusted, plan, trust: true });
  expect(asked).toEqual(['finish a', 'status b', 'finish b']);
});

describe('completeMany after an attempt whose worker died', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };
  let sessions: BulkSession[];
  beforeEach(() => {
    sessions = [0, 1, 2].map((index) => ({ ...namedSession(), index }));
  });
  const SCHEDULED = 1_000_000;

  /** Runs an attempt with time for one session. The workflow gets the rest back. */
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

  it('returns the sessions that it did not start, to read their status first', async () => {
    const verify = { verify: true, lastSentAt: SCHEDULED, closeTried: true };
    expect(await completeOne({ attempt: 2, heartbeatDetails: [[1, { finish: null }]] })).toEqual({
      ended: [1, 0],
      open: [[2, verify, 0]],
      asked: ['status'],
    });
  });

  it('waits the default settle time for an unfinished session, counted from the start of this attempt', async () => {
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

  it('counts a session that cannot be closed as closed', async () => {
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

  it('returns no unstarted sessions from the first attempt', async () => {
    expect(await completeOne({ attempt: 1 })).toEqual({ ended: [0], open: [], asked: ['status'] });
  });
});

describe('requests of a session that count for the rate limit', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };

  /** Runs an activity with twelve requests in its two seconds. @returns the names of the calls to Incode */
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

  it('a session whose token names it counts as its status read and its finish', async () => {
    expect(await asked({}, tokenNaming)).toEqual(repeated(['status', 'finish'], 6));
  });

  it('a session with another token also counts as the read that confirms the answer', async () => {
    expect(await asked({}, () => 'opaque')).toEqual(repeated(['status', 'finish', 'status'], 4));
    expect(await asked({ refusesForeignIds: true }, () => 'opaque')).toEqual(repeated(['status', 'finish'], 6));
  });

  it('counts tokens that Incode issues', async () => {
    const issuing = { tokenSource: { token, issuedByIncode: true } };
    expect(await asked(issuing, () => undefined)).toEqual(repeated(['token', 'status', 'finish'], 4));
  });

  it('counts reads with the executive token', async () => {
    const executive = { token: async () => 'executive' };
    expect(await asked({ executive }, tokenNaming)).toEqual(
      repeated(['executive', 'status', 'finish', 'executive'], 3),
    );
  });
});

describe('a finish of a batch that Incode has accepted', () => {
  const plan = { close: false, score: false, scoreDeadlineMs: 0 };
  const malformed = new IncodeError({ kind: 'resultUnknown', operation: 'finishStatus', what: 'x', httpStatus: 200 });

  it('is recorded in the next heartbeat, even with an unusable answer', async () => {
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

  it('is never sent again by the attempt after a worker died', async () => {
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
