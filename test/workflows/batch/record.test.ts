import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BulkEnd } from '../../../src/activities/batch/types.js';
import type { BatchInput, BatchRow } from '../../../src/contract/index.js';
import { newBatchRecord, progressOf, rowOf, stoppedRow } from '../../../src/workflows/batch/record.js';

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

describe('a new record', () => {
  it('of a shard that was never run has everything before it', () => {
    expect(newBatchRecord(input)).toMatchObject({
      rows: [null, null, null],
      open: [null, null, null],
      holdUntil: 0,
      heldUpBy: null,
      paused: false,
      stopped: false,
    });
  });

  it('of one that was keeps what has ended, and reads the status of the others first', () => {
    const earlier = [approved, null, { failure }];
    const record = newBatchRecord({ ...input, earlier });
    expect(record.rows).toEqual(earlier);
    expect(record.rows).not.toBe(earlier);
    expect(record.open).toEqual([null, { done: { verify: true, lastSentAt: 7_000 }, due: 0 }, null]);
  });
});

it.each([
  ['settle', { verify: true, lastSentAt: 7_000 }],
  ['look', undefined],
  ['trust', undefined],
] as const)('with verifyFirst %s, requests to finish count as sent just now only if so asked', (verifyFirst, done) => {
  const { open } = newBatchRecord({ ...input, verifyFirst });
  expect(open.map((session) => session?.done)).toEqual([done, done, done]);
});

describe('the row of a session', () => {
  it.each<[string, BulkEnd, boolean, BatchRow]>([
    ['with a score', { finish, score }, true, { outcome: 'approved', finish, score }],
    ['whose score was not ready', { finish, score: null }, true, { outcome: 'undecided', finish }],
    ['whose score is missing', { finish }, true, { outcome: 'undecided', finish }],
    ['without a score', { finish, score }, false, { outcome: 'approved', finish }],
    [
      'whose action was lost needs the score all the same',
      { finish: { ...finish, action: null }, score },
      false,
      { outcome: 'approved', finish: { ...finish, action: null }, score },
    ],
    [
      'with a status',
      { finish, onboardingStatus: 'MANUAL_REVIEW_REJECTED' },
      false,
      { outcome: 'rejected', finish, onboardingStatus: 'MANUAL_REVIEW_REJECTED' },
    ],
    ['that could not be closed', { finish, notClosed: true }, false, { outcome: 'approved', finish, notClosed: true }],
    [
      'that has expired',
      { finish: null, onboardingStatus: 'EXPIRED' },
      true,
      { outcome: 'expired', onboardingStatus: 'EXPIRED' },
    ],
    ['that failed', { finish: null, failure }, true, { failure }],
    [
      'that failed after it was finished',
      { finish, onboardingStatus: 'ONBOARDING_FINISHED', failure },
      true,
      { finish, onboardingStatus: 'ONBOARDING_FINISHED', failure },
    ],
  ])('%s', (_, end, wanted, row) => {
    expect(rowOf(end, { score: wanted })).toEqual(row);
  });

  it.each([
    ['before it was begun', null, {}],
    ['before it was through', { done: {}, due: 0 }, {}],
    ['before it was through', { done: { finish }, due: 0 }, { finish }],
    ['before it was through', { done: { finish, confirmBy: 1 }, due: 0 }, {}],
  ])('that was stopped says so: %s', (when, open, known) => {
    expect(stoppedRow('i', open)).toEqual({
      ...known,
      failure: { type: 'BatchStopped', message: expect.stringMatching(`^Session i: the batch was stopped ${when}`) },
    });
  });
});

it('progress counts each session once', () => {
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
