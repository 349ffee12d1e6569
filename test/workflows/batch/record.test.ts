import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BulkEnd } from '../../../src/activities/batch/types.js';
import type { BatchInput, BatchRow } from '../../../src/contract/index.js';
import {
  newBatchRecord,
  nextActivities,
  progressAtBegin,
  progressOf,
  rowOf,
  stoppedRow,
} from '../../../src/workflows/batch/record.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 7_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const input: BatchInput = { batchId: 'b', shard: 2, sessions: ['a', 'b', 'c'].map((interviewId) => ({ interviewId })) };
const finish = { action: 'approved', redirectionUrl: null, confirmedBy: 'response' } as const;
const score = { status: 'OK', value: '90' };
const failure = { type: 'IncodeUnknownSession', message: 'unknown' };
const approved: BatchRow = { outcome: 'approved', finish };

it.each([
  [undefined, true, 4],
  [4, true, 8],
  [12, true, 16],
  [16, false, 15],
  [2, false, 2],
  [undefined, false, 2],
])('nextActivities after %s activities at the same time, with more allowed %s, is %i', (activities, more, next) => {
  const record = { ...newBatchRecord(input), ...(activities === undefined ? {} : { activities }) };
  expect(nextActivities(record, more)).toBe(next);
});

describe('newBatchRecord', () => {
  it('begins with no rows for a new shard', () => {
    expect(newBatchRecord(input)).toMatchObject({
      rows: [null, null, null],
      open: [null, null, null],
      holdUntil: 0,
      heldUpBy: null,
      paused: false,
      stopped: false,
    });
  });

  it('keeps the rows of an earlier run and marks the other sessions for a status read', () => {
    const earlier = [approved, null, { failure }];
    const record = newBatchRecord({ ...input, earlier });
    expect(record.rows).toEqual(earlier);
    expect(record.rows).not.toBe(earlier);
    expect(record.open).toEqual([null, { done: { verify: true, lastSentAt: 7_000 }, due: 0 }, null]);
  });
});

it.each([
  ['settle', { done: { verify: true, lastSentAt: 7_000 }, due: 0, isNew: true }],
  ['look', null],
  ['trust', null],
] as const)('newBatchRecord marks sessions as possibly sent only with settle: %s', (verifyFirst, open) => {
  expect(newBatchRecord({ ...input, verifyFirst }).open).toEqual([open, open, open]);
});

describe('progressAtBegin', () => {
  it('counts the settle time of a session that settles from now on', () => {
    const [open = null] = newBatchRecord({ ...input, verifyFirst: 'settle' }).open;
    vi.setSystemTime(90_000);
    expect(progressAtBegin(open)).toEqual({ verify: true, lastSentAt: 90_000 });
  });

  it('keeps the progress of a session that was begun before, or that an earlier run may have sent', () => {
    const [open = null] = newBatchRecord({ ...input, earlier: [null, null, null], verifyFirst: 'settle' }).open;
    vi.setSystemTime(90_000);
    expect(progressAtBegin(open)).toEqual({ verify: true, lastSentAt: 7_000 });
    expect(progressAtBegin({ done: { finish }, due: 1 })).toEqual({ finish });
    expect(progressAtBegin(null)).toBeUndefined();
  });
});

describe('rowOf', () => {
  it.each<[string, BulkEnd, boolean, BatchRow]>([
    ['a session with a score', { finish, score }, true, { outcome: 'approved', finish, score }],
    ['a session whose score was not ready', { finish, score: null }, true, { outcome: 'undecided', finish }],
    ['a session whose score is missing', { finish }, true, { outcome: 'undecided', finish }],
    ['a session whose plan has no score', { finish, score }, false, { outcome: 'approved', finish }],
    [
      'a session whose action was lost, with its score',
      { finish: { ...finish, action: null }, score },
      false,
      { outcome: 'approved', finish: { ...finish, action: null }, score },
    ],
    [
      'a session with a verdict in its status',
      { finish, onboardingStatus: 'MANUAL_REVIEW_REJECTED' },
      false,
      { outcome: 'rejected', finish, onboardingStatus: 'MANUAL_REVIEW_REJECTED' },
    ],
    [
      'a session that Incode did not close',
      { finish, notClosed: true },
      false,
      { outcome: 'approved', finish, notClosed: true },
    ],
    [
      'an expired session',
      { finish: null, onboardingStatus: 'EXPIRED' },
      true,
      { outcome: 'expired', onboardingStatus: 'EXPIRED' },
    ],
    ['a failed session', { finish: null, failure }, true, { failure }],
    [
      'a session that failed after it was finished',
      { finish, onboardingStatus: 'ONBOARDING_FINISHED', failure },
      true,
      { finish, onboardingStatus: 'ONBOARDING_FINISHED', failure },
    ],
  ])('describes %s', (_, end, wantsScore, row) => {
    expect(rowOf(end, { score: wantsScore })).toEqual(row);
  });
});

describe('stoppedRow', () => {
  const unconfirmed = { action: null, redirectionUrl: null, confirmedBy: 'unconfirmed' } as const;

  it('says that an accepted finish is unconfirmed, and the next run does not send it again', () => {
    const row = stoppedRow('a', { done: { verify: true, lastSentAt: 1, accepted: true }, due: 0 });
    expect(row).toMatchObject({ finish: unconfirmed, failure: { type: 'BatchStopped' } });
    const record = newBatchRecord({ ...input, earlier: [row, null, approved] });
    expect(record.rows).toEqual([null, null, approved]);
    expect(record.open).toEqual([
      { done: { verify: true, lastSentAt: 7_000, accepted: true }, due: 0 },
      { done: { verify: true, lastSentAt: 7_000 }, due: 0 },
      null,
    ]);
  });

  it.each([
    ['before this session was begun', 'a new session', null, {}],
    ['before this session was complete', 'a session that waits', { done: {}, due: 0 }, {}],
    ['before this session was complete', 'a finished session', { done: { finish }, due: 0 }, { finish }],
    ['before this session was complete', 'an unconfirmed session', { done: { finish, confirmBy: 1 }, due: 0 }, {}],
  ])('says that the batch was stopped %s, for %s', (when, _, open, known) => {
    expect(stoppedRow('i', open)).toEqual({
      ...known,
      failure: { type: 'BatchStopped', message: expect.stringMatching(`^Session i: the batch was stopped ${when}`) },
    });
  });
});

it('progressOf counts each session once', () => {
  const record = newBatchRecord({
    ...input,
    sessions: [...input.sessions, { interviewId: 'd' }, { interviewId: 'e' }],
  });
  Object.assign(record, {
    rows: [approved, { outcome: 'rejected' }, approved, { failure }, null],
    open: [null, null, null, null, { done: {}, due: 0 }],
    paused: true,
    heldUpBy: 'Incode answered 503',
  });
  expect(progressOf(input, record)).toEqual({
    batchId: 'b',
    shard: 2,
    total: 5,
    done: 3,
    failed: 1,
    waiting: 1,
    outcomes: { approved: 2, rejected: 1 },
    paused: true,
    heldUpBy: 'Incode answered 503',
  });
});
