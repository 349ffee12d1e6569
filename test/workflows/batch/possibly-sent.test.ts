import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompleteManyResult } from '../../../src/activities/batch/types.js';
import type { BatchInput, BatchRow } from '../../../src/contract/index.js';
import { PossiblySent } from '../../../src/workflows/batch/possibly-sent.js';
import { type BatchRecord, newBatchRecord } from '../../../src/workflows/batch/record.js';

const NOW = 1_700_000_000_000;
/** A heartbeat's time-out later, until which a worker may go on with an activity of the run before. */
const UNTIL = NOW + 10_000;
const FIRST_RUN = { runId: 'r1', originalExecutionRunId: 'r1', firstExecutionRunId: 'r1', attempt: 1 };

/** Where the workflow runs. */
const info = { ...FIRST_RUN };
vi.mock('@temporalio/workflow', () => ({ workflowInfo: () => info }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  Object.assign(info, FIRST_RUN);
  return () => {
    vi.useRealTimers();
  };
});

const finish = { action: 'approved', redirectionUrl: null, confirmedBy: 'response' } as const;
const ROW: BatchRow = { outcome: 'approved', finish };

/** Four sessions, of which the first has ended. */
function recordOf(): BatchRecord {
  const sessions = ['a', 'b', 'c', 'd'].map((interviewId) => ({ interviewId }));
  const input: BatchInput = { batchId: 'b', shard: 0, sessions };
  const record = newBatchRecord(input);
  record.rows[0] = ROW;
  return record;
}

function resultOf(more: Partial<CompleteManyResult>): CompleteManyResult {
  return { runId: 'r1', ended: [], open: [], ...more } as CompleteManyResult;
}

const suspected = { verify: true, lastSentAt: UNTIL };

describe('sessions are suspected', () => {
  const isSuspected = (isContinued: boolean) =>
    new PossiblySent(recordOf(), isContinued).doneOf(1, undefined) !== undefined;

  it('of nothing in a first run, nor in one that goes on with a record', () => {
    expect(isSuspected(false)).toBe(false);
    info.firstExecutionRunId = 'r0';
    expect(isSuspected(true)).toBe(false);
  });

  it('after a reset', () => {
    info.originalExecutionRunId = 'r0';
    expect(isSuspected(false)).toBe(true);
    expect(isSuspected(true)).toBe(true);
  });

  it('in a workflow retry', () => {
    info.attempt = 2;
    expect(isSuspected(false)).toBe(true);
    expect(isSuspected(true)).toBe(true);
  });

  it('in a run that goes on without a record', () => {
    info.firstExecutionRunId = 'r0';
    expect(isSuspected(false)).toBe(true);
  });
});

describe('after a reset', () => {
  let record: BatchRecord;
  let possiblySent: PossiblySent;
  beforeEach(() => {
    info.originalExecutionRunId = 'r0';
    record = recordOf();
    possiblySent = new PossiblySent(record, false);
  });

  it('what had no result yet may have been sent until a worker heard of it', () => {
    expect(possiblySent.doneOf(0, undefined)).toBeUndefined();
    expect(possiblySent.doneOf(1, undefined)).toEqual(suspected);
    expect(possiblySent.doneOf(2, { justSent: true, lastSentAt: 5 })).toEqual({ ...suspected, justSent: true });
  });

  it('what was finished is not finished again anyway', () => {
    const done = { finish, onboardingStatus: 'ONBOARDING_FINISHED' };
    expect(possiblySent.doneOf(1, done)).toBe(done);
  });

  it("what an activity of this run's own tells ends the suspicion of those that it tells of", () => {
    possiblySent.learn(resultOf({ ended: [[1, { outcome: 'approved', finish }]], open: [[2, {}]] } as object));
    const done = { verify: true } as const;
    expect(possiblySent.doneOf(1, done)).toBe(done);
    expect(possiblySent.doneOf(2, undefined)).toBeUndefined();
    expect(possiblySent.doneOf(3, undefined)).toEqual(suspected);
  });

  it('what stands in the history that it has taken over ends none', () => {
    possiblySent.learn(resultOf({ runId: 'r0', ended: [[1, { outcome: 'approved', finish }]] } as object));
    expect(possiblySent.doneOf(1, undefined)).toEqual(suspected);
  });

  it('the next run is told in the record, and possiblySent nothing by itself', () => {
    record.rows[1] = ROW;
    record.open[2] = { done: { finish: undefined, score: 1 } as object, due: 99 };
    possiblySent.handOver(record);
    expect(record.open).toEqual([
      null,
      null,
      { done: { finish: undefined, score: 1, ...suspected }, due: 99 },
      { done: suspected, due: 0 },
    ]);
    expect(possiblySent.doneOf(3, undefined)).toBeUndefined();
  });
});

it('a run that possiblySent nobody hands nothing over', () => {
  const record = recordOf();
  new PossiblySent(record, false).handOver(record);
  expect(record.open).toEqual([null, null, null, null]);
});
