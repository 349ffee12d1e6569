import { describe, expect, it } from 'vitest';
import type { BatchRow, Plan } from '../../src/contract/index.js';
import type { Call } from '../../src/testing/index.js';
import { wrongEndings } from './endings.js';
import { endedByItself, secretsShown, stuck, unexpected } from './invariants.js';
import { finishedAgain, finishedTwice, isInconclusive } from './once.js';
import { newRecord, type RunSummary, type SessionEvidence, type SessionRecord } from './record.js';
import { scheduleOf } from './schedule.js';
import { SETTLE_MS } from './types.js';

// Shows that each invariant can fail, which a successful campaign does not show.

const BEGIN = 1_000_000;

function call(operation: string, atMs: number, httpStatus: number | null, more: Partial<Call> = {}): Call {
  const at = BEGIN + atMs;
  return { at, operation, httpStatus, interviewId: 'i', effectAt: at, fault: null, ...more } as Call;
}

const finish = (atMs: number, httpStatus: number | null = 200, more: Partial<Call> = {}) =>
  call('finishStatus', atMs, httpStatus, more);
const look = (atMs: number, more: Partial<Call> = {}) => call('onboardingStatus', atMs, 200, more);

function run(more: Partial<RunSummary> = {}): RunSummary {
  const result = {
    outcome: 'approved',
    finish: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' },
    score: null,
    onboardingStatus: 'ONBOARDING_FINISHED',
  };
  return {
    workflowId: 'incode-onboarding/i',
    runId: 'r',
    status: 'completed',
    startedAt: BEGIN,
    closedAt: BEGIN + 1_000,
    result,
    failure: null,
    failedTasks: [],
    openActivities: [],
    outline: [],
    ...more,
  };
}

const outcomeOf = (result: object): RunSummary => run({ result: { ...(run().result as object), ...result } });

function session({
  record = {},
  plan = {},
  runs = [run()],
  row = null,
  calls = [finish(0)],
  effects = { finished: 1, closed: 0, approved: 0 },
}: {
  record?: Partial<SessionRecord>;
  plan?: Plan;
  runs?: RunSummary[];
  row?: BatchRow | null;
  calls?: Call[];
  effects?: { finished: number; closed: number; approved: number };
} = {}): SessionEvidence {
  const planned = {
    interviewId: 'i',
    spec: { action: 'approved', redirectionUrl: '', interviewId: 'i' },
    plan: { score: false, ...plan },
    token: 'valid',
    faults: [],
  } as unknown as SessionRecord['session'];
  return {
    record: { ...newRecord(planned, 'single'), acknowledged: true, ...record },
    runs,
    row,
    rowFrom: 0,
    rowTo: 0,
    incode: { view: { effects, onboardingStatus: 'ONBOARDING_FINISHED' } as SessionEvidence['incode']['view'], calls },
  };
}

const ROW: BatchRow = {
  outcome: 'approved',
  finish: { action: 'approved', redirectionUrl: null, confirmedBy: 'response' },
};

describe('finishedTwice', () => {
  const found = (calls: Call[], stalls: { from: number; to: number }[] = []) =>
    finishedTwice({ sessions: [session({ calls })], stalls }).length;

  it.each<[string, Call[], number]>([
    ['one finish', [finish(0)], 0],
    ['a second finish without a status read', [finish(0, null, { fault: 'hang' }), finish(9_000)], 1],
    [
      'a second finish after "unfinished" and the settle time',
      [finish(0, null), look(SETTLE_MS + 1, { effectAt: BEGIN - 1 }), finish(9_000)],
      0,
    ],
    [
      'a second finish after an "unfinished" before the settle time',
      [finish(0, null), look(SETTLE_MS - 1, { effectAt: BEGIN - 1 }), finish(9_000)],
      1,
    ],
    ['a second finish after "finished"', [finish(0, null), look(5_000), finish(9_000)], 1],
    [
      'a second finish after a refusal and a status read',
      [finish(0, 503), look(10, { effectAt: BEGIN - 1 }), finish(20)],
      0,
    ],
    [
      'a second finish after a 500 and an early status read',
      [finish(0, 500), look(10, { effectAt: BEGIN - 1 }), finish(20)],
      1,
    ],
    [
      'a second finish after an "unfinished" that nobody could read',
      [finish(0, 503), look(10, { effectAt: BEGIN - 1, fault: 'huge' }), finish(20)],
      1,
    ],
    [
      'a second finish after an "unfinished" that came after a timeout',
      [finish(0, 503), { ...look(10, { effectAt: BEGIN - 1, fault: 'latency' }), httpStatus: null }, finish(20)],
      1,
    ],
    ['a second finish without an effect', [finish(0), finish(9_000, 503, { effectAt: null })], 0],
  ])('judges %s', (_, calls, expected) => {
    expect(found(calls)).toBe(expected);
  });

  it('ignores and counts sessions that were finished twice while the machine stood still', () => {
    const calls = [finish(0, null), finish(9_000)];
    const stalls = [{ from: BEGIN, to: BEGIN + SETTLE_MS }];
    expect(found(calls, stalls)).toBe(0);
    expect(finishedAgain({ sessions: [session({ calls })], stalls })).toEqual({ allowed: 0, passedOver: 1 });
    expect(finishedAgain({ sessions: [session({ calls })], stalls: [] })).toEqual({ allowed: 0, passedOver: 0 });
  });

  it('finishedAgain counts only finishes after an "unfinished"', () => {
    const allowed = session({ calls: [finish(0, 503), look(10, { effectAt: BEGIN - 1 }), finish(20)] });
    const violation = session({ calls: [finish(0), finish(9_000)] });
    expect(finishedAgain({ sessions: [allowed, violation], stalls: [] })).toEqual({ allowed: 1, passedOver: 0 });
  });

  it('isInconclusive is true if more than five and more than one in ten sessions were ignored', () => {
    const stalls = [{ from: BEGIN, to: BEGIN + SETTLE_MS }];
    const over = (count: number) => Array.from({ length: count }, () => session({ calls: [finish(0), finish(9_000)] }));
    const calls = [finish(50_000, 500), look(50_010, { effectAt: BEGIN - 1 }), finish(50_020)];
    const judged = (count: number) => Array.from({ length: count }, () => session({ calls }));
    expect(isInconclusive({ sessions: over(5), stalls })).toBe(false);
    expect(isInconclusive({ sessions: over(6), stalls })).toBe(true);
    expect(isInconclusive({ sessions: [...over(6), ...judged(59)], stalls })).toBe(true);
    expect(isInconclusive({ sessions: [...over(6), ...judged(60)], stalls })).toBe(false);
  });
});

describe('wrongEndings', () => {
  const wrong = (evidence: Parameters<typeof session>[0]) => wrongEndings({ sessions: [session(evidence)] });

  it('accepts endings that fit', () => {
    expect(wrong({})).toEqual([]);
    const plan = { close: true };
    const closed = { finished: 1, closed: 1, approved: 0 };
    expect(wrong({ plan, effects: closed, runs: [outcomeOf({ closed: true })] })).toEqual([]);
    expect(wrong({ plan, effects: closed, row: ROW })).toEqual([]);
    const refused = [finish(0), call('closeSession', 10, 400)];
    expect(wrong({ plan, calls: refused, runs: [outcomeOf({ closed: false })] })).toEqual([]);
    expect(wrong({ plan, calls: refused, row: { ...ROW, notClosed: true } })).toEqual([]);
  });

  const OF_ANOTHER = { type: 'IncodeTokenMismatch', message: '' };
  const UNFINISHED = { finished: 0, closed: 0, approved: 0 };
  const LOOKS = [look(0, { httpStatus: 401 }), look(1, { fault: 'body' }), look(2, { httpStatus: 401 })];

  it('accepts the end "token of another session" if a simulated body answered a refused token', () => {
    const runs = [run({ status: 'failed', result: null, failure: OF_ANOTHER })];
    expect(wrong({ runs, calls: LOOKS, effects: UNFINISHED })).toEqual([]);
  });

  it.each<[string, Parameters<typeof session>[0], RegExp]>([
    [
      'the end "token of another session" without such an answer',
      {
        runs: [run({ status: 'failed', result: null, failure: OF_ANOTHER })],
        calls: LOOKS.filter(({ fault }) => fault !== 'body'),
        effects: UNFINISHED,
      },
      /token of another session/,
    ],
    ['a session that was lost', { runs: [] }, /is lost/],
    ['a session that Incode never finished', { effects: { finished: 0, closed: 0, approved: 0 } }, /never finished/],
    [
      'a session that was closed without request',
      { effects: { finished: 1, closed: 1, approved: 0 } },
      /closed without a request/,
    ],
    ['a cancellation without request', { runs: [run({ status: 'cancelled' })] }, /cancelled without a request/],
    ['a wrong outcome', { runs: [outcomeOf({ outcome: 'rejected' })] }, /should be/],
    ['a wrong answer to a caller', { record: { answers: [{ action: 'rejected' } as never] } }, /was told the action/],
    ['a result that does not say whether the session is closed', { plan: { close: true } }, /does not say whether/],
    [
      'a result that wrongly says closed',
      { plan: { close: true }, runs: [outcomeOf({ closed: true })] },
      /Incode never closed it/,
    ],
    [
      'a result that wrongly says that closing was refused',
      { plan: { close: true }, runs: [outcomeOf({ closed: false })] },
      /never refused/,
    ],
    ['a row that wrongly says closed', { plan: { close: true }, row: ROW }, /Incode never closed it/],
    [
      'a row that wrongly says that closing was refused',
      { plan: { close: true }, row: { ...ROW, notClosed: true } },
      /never refused/,
    ],
    [
      'a failure that Incode never answered',
      { runs: [run({ status: 'failed', result: null, failure: { type: 'IncodeUnknownSession', message: '' } })] },
      /never answered/,
    ],
  ])('finds %s', (_, evidence, what) => {
    expect(wrong(evidence).map((violation) => violation.what)).toEqual(
      expect.arrayContaining([expect.stringMatching(what)]),
    );
  });
});

describe('secretsShown, stuck, unexpected and endedByItself', () => {
  it('secretsShown names a secret and its place, but not its value', () => {
    const found = secretsShown({
      texts: { 'worker.log': 'a line with s3cret', other: '' },
      secrets: { token: 's3cret' },
      payloads: {},
    });
    expect(found).toEqual([{ invariant: 'secret', who: 'worker.log', what: 'shows a secret: token' }]);
  });

  it('secretsShown finds secrets of workers in decrypted payloads', () => {
    const found = secretsShown({
      texts: {},
      secrets: { token: 't0ken', redirection: 'jane', apiKey: 'k3y' },
      payloads: { i: 'a t0ken, jane and the k3y' },
    });
    expect(found).toEqual([{ invariant: 'secret', who: 'i', what: 'has in a payload: apiKey' }]);
  });

  it.each([
    [{ status: 'running' as const }, /has not ended/],
    [{ failedTasks: ['nondeterminism'] }, /a workflow task failed/],
    [{ openActivities: ['finishStatus'] }, /left the activity finishStatus/],
  ])('stuck finds a session with %j', (change, what) => {
    const found = stuck({
      sessions: [session({ runs: [run(change)] })],
      shards: [],
      claims: [],
      people: [],
      peopleShards: [],
    });
    expect(found.map((violation) => violation.what)).toEqual([expect.stringMatching(what)]);
  });

  it('unexpected finds undocumented errors and ended processes', () => {
    const sessions = [session({ record: { problems: ['finish: TypeError: x'] } })];
    expect(unexpected({ sessions, people: [], problems: ['the receiver ended'] })).toHaveLength(2);
  });

  it.each<[string, number | string, boolean, boolean]>([
    ['worker-0', 'SIGSEGV', true, true],
    ['worker-0', 'SIGABRT', false, true],
    ['worker-1', 134, true, true],
    ['worker-1', 1, true, false],
    ['worker-1', 2, false, false],
    ['receiver', 1, true, true],
    ['receiver', 0, false, true],
    ['receiver', 'SIGSEGV', false, true],
    ['receiver', 2, false, false],
  ])('endedByItself judges %s with %s, ready before: %s, as found: %s', (who, code, wasReady, isFound) => {
    expect(endedByItself(who, code, wasReady)).toHaveLength(isFound ? 1 : 0);
  });
});

describe('scheduleOf', () => {
  it('returns the same schedule for the same seed, and another one for another seed', () => {
    expect(scheduleOf({ seed: 1, seconds: 5 })).toEqual(scheduleOf({ seed: 1, seconds: 5 }));
    expect(scheduleOf({ seed: 1, seconds: 5 })).not.toEqual(scheduleOf({ seed: 2, seconds: 5 }));
  });

  it('gives the sessions of a batch the plan of the batch', () => {
    for (const { plan, sessions } of scheduleOf({ seed: 1, seconds: 5 }).batches)
      for (const session of sessions) expect(session.plan).toEqual(plan);
  });
});
