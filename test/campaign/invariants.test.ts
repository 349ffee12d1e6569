import { describe, expect, it } from 'vitest';
import type { BatchRow, Plan } from '../../src/contract/index.js';
import type { Call } from '../../src/testing/index.js';
import { wrongEndings } from './endings.js';
import { endedByItself, secretsShown, stuck, unexpected } from './invariants.js';
import { finishedAgain, finishedTwice, isInconclusive } from './once.js';
import { newRecord, type RunSummary, type SessionEvidence, type SessionRecord } from './record.js';
import { scheduleOf } from './schedule.js';
import { SETTLE_MS } from './types.js';

// Each invariant can fail: campaigns that go well would not show it.

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
    ['once', [finish(0)], 0],
    ['again without a look', [finish(0, null, { fault: 'hang' }), finish(9_000)], 1],
    [
      'again after "unfinished", the settle time over',
      [finish(0, null), look(SETTLE_MS + 1, { effectAt: BEGIN - 1 }), finish(9_000)],
      0,
    ],
    [
      'again after "unfinished" that was said too early',
      [finish(0, null), look(SETTLE_MS - 1, { effectAt: BEGIN - 1 }), finish(9_000)],
      1,
    ],
    ['again after "finished"', [finish(0, null), look(5_000), finish(9_000)], 1],
    ['again after a refusal, and a look at once', [finish(0, 503), look(10, { effectAt: BEGIN - 1 }), finish(20)], 0],
    ['again after a 500, and a look at once', [finish(0, 500), look(10, { effectAt: BEGIN - 1 }), finish(20)], 1],
    [
      'again after an "unfinished" that nobody can have heard',
      [finish(0, 503), look(10, { effectAt: BEGIN - 1, fault: 'huge' }), finish(20)],
      1,
    ],
    [
      'again after an "unfinished" for which nobody waited',
      [finish(0, 503), { ...look(10, { effectAt: BEGIN - 1, fault: 'latency' }), httpStatus: null }, finish(20)],
      1,
    ],
    ['a second one without an effect', [finish(0), finish(9_000, 503, { effectAt: null })], 0],
  ])('%s', (_, calls, expected) => {
    expect(found(calls)).toBe(expected);
  });

  it('passes over what happened while everything stood still, and says how often', () => {
    const calls = [finish(0, null), finish(9_000)];
    const stalls = [{ from: BEGIN, to: BEGIN + SETTLE_MS }];
    expect(found(calls, stalls)).toBe(0);
    expect(finishedAgain({ sessions: [session({ calls })], stalls })).toEqual({ allowed: 0, passedOver: 1 });
    expect(finishedAgain({ sessions: [session({ calls })], stalls: [] })).toEqual({ allowed: 0, passedOver: 0 });
  });

  it('counts as "finished again after unfinished" only what was', () => {
    const allowed = session({ calls: [finish(0, 503), look(10, { effectAt: BEGIN - 1 }), finish(20)] });
    const violation = session({ calls: [finish(0), finish(9_000)] });
    expect(finishedAgain({ sessions: [allowed, violation], stalls: [] })).toEqual({ allowed: 1, passedOver: 0 });
  });

  it('shows nothing if more than a few, and more than one of ten, were passed over', () => {
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
  const wrong = (given: Parameters<typeof session>[0]) => wrongEndings({ sessions: [session(given)] });

  it('lets pass what fits', () => {
    expect(wrong({})).toEqual([]);
    const plan = { close: true };
    const closed = { finished: 1, closed: 1, approved: 0 };
    expect(wrong({ plan, effects: closed, runs: [outcomeOf({ closed: true })] })).toEqual([]);
    expect(wrong({ plan, effects: closed, row: ROW })).toEqual([]);
    const refused = [finish(0), call('closeSession', 10, 400)];
    expect(wrong({ plan, calls: refused, runs: [outcomeOf({ closed: false })] })).toEqual([]);
    expect(wrong({ plan, calls: refused, row: { ...ROW, notClosed: true } })).toEqual([]);
  });

  it.each<[string, Parameters<typeof session>[0], RegExp]>([
    ['one that was lost', { runs: [] }, /is lost/],
    ['one that Incode never finished', { effects: { finished: 0, closed: 0, approved: 0 } }, /never finished/],
    ['one that was closed unasked', { effects: { finished: 1, closed: 1, approved: 0 } }, /closed, which nobody asked/],
    ['a cancellation that nobody asked for', { runs: [run({ status: 'cancelled' })] }, /cancelled, which nobody/],
    ['another outcome', { runs: [outcomeOf({ outcome: 'rejected' })] }, /should be/],
    [
      'another answer told to a caller',
      { record: { answers: [{ action: 'rejected' } as never] } },
      /was told the action/,
    ],
    ['one that was to be closed and does not say', { plan: { close: true } }, /does not say whether/],
    [
      'one that says that it is closed',
      { plan: { close: true }, runs: [outcomeOf({ closed: true })] },
      /Incode never closed it/,
    ],
    [
      'one that says that it was refused to be closed',
      { plan: { close: true }, runs: [outcomeOf({ closed: false })] },
      /never refused/,
    ],
    ['a row of one that was to be closed, and is not', { plan: { close: true }, row: ROW }, /Incode never closed it/],
    [
      'a row that says that it was refused to be closed',
      { plan: { close: true }, row: { ...ROW, notClosed: true } },
      /never refused/,
    ],
    [
      'a failure that Incode never answered',
      { runs: [run({ status: 'failed', result: null, failure: { type: 'IncodeUnknownSession', message: '' } })] },
      /never answered/,
    ],
  ])('finds %s', (_, given, what) => {
    expect(wrong(given).map((violation) => violation.what)).toEqual(
      expect.arrayContaining([expect.stringMatching(what)]),
    );
  });
});

describe('the others', () => {
  it('find a secret, and say which and where, not what', () => {
    const found = secretsShown({
      texts: { 'worker.log': 'a line with s3cret', other: '' },
      secrets: { token: 's3cret' },
      payloads: {},
    });
    expect(found).toEqual([{ invariant: 'secret', who: 'worker.log', what: 'shows a secret: token' }]);
  });

  it('find in payloads, decrypted, what belongs to workers alone', () => {
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
  ])('find what is stuck: %j', (change, what) => {
    const found = stuck({ sessions: [session({ runs: [run(change)] })], shards: [] });
    expect(found.map((violation) => violation.what)).toEqual([expect.stringMatching(what)]);
  });

  it('find what nobody should have been told', () => {
    const sessions = [session({ record: { problems: ['finish: TypeError: x'] } })];
    expect(unexpected({ sessions, problems: ['the receiver ended'] })).toHaveLength(2);
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
  ])('find a process that ended by itself: %s with %s, ready before: %s', (who, code, wasReady, isFound) => {
    expect(endedByItself(who, code, wasReady)).toHaveLength(isFound ? 1 : 0);
  });
});

describe('scheduleOf', () => {
  it('gives the same for a seed, and another for another', () => {
    expect(scheduleOf({ seed: 1, seconds: 5 })).toEqual(scheduleOf({ seed: 1, seconds: 5 }));
    expect(scheduleOf({ seed: 1, seconds: 5 })).not.toEqual(scheduleOf({ seed: 2, seconds: 5 }));
  });

  it('judges sessions of a batch by the plan that the batch is run with', () => {
    for (const { plan, sessions } of scheduleOf({ seed: 1, seconds: 5 }).batches)
      for (const session of sessions) expect(session.plan).toEqual(plan);
  });
});
