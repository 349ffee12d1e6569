import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompleteManyResult } from '../../../src/activities/batch/types.js';
import type { BatchInput, BatchRow } from '../../../src/contract/index.js';
import { PossiblySent } from '../../../src/workflows/batch/possibly-sent.js';
import { type BatchRecord, newBatchRecord } from '../../../src/workflows/batch/record.js';

const NOW = 1_700_000_000_000;
/** Until the heartbeat timeout, a worker may continue with an activity of the replaced run. */
const UNTIL = NOW + 10_000;
const FIRST_RUN = { runId: 'r1', originalExecutionRunId: 'r1', firstExecutionRunId: 'r1', attempt: 1 };

/** The run that executes the workflow. */
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

const marked = { verify: true, lastSentAt: UNTIL };

describe('PossiblySent', () => {
  const marksSessions = (isContinued: boolean) =>
    new PossiblySent(recordOf(), isContinued).progressOf(1, undefined) !== undefined;

  it('marks no session in a first run and in a run that continues with a record', () => {
    expect(marksSessions(false)).toBe(false);
    info.firstExecutionRunId = 'r0';
    expect(marksSessions(true)).toBe(false);
  });

  it('marks sessions after a reset', () => {
    info.originalExecutionRunId = 'r0';
    expect(marksSessions(false)).toBe(true);
    expect(marksSessions(true)).toBe(true);
  });

  it('marks sessions in a workflow retry', () => {
    info.attempt = 2;
    expect(marksSessions(false)).toBe(true);
    expect(marksSessions(true)).toBe(true);
  });

  it('marks sessions in a run that continues without a record', () => {
    info.firstExecutionRunId = 'r0';
    expect(marksSessions(false)).toBe(true);
  });
});

it('PossiblySent marks sessions that another shard held', () => {
  const possiblySent = new PossiblySent(recordOf(), false);
  possiblySent.add([2, 3]);
  expect([1, 2, 3].map((index) => possiblySent.progressOf(index, undefined))).toEqual([undefined, marked, marked]);
});

describe('PossiblySent after a reset', () => {
  let record: BatchRecord;
  let possiblySent: PossiblySent;
  beforeEach(() => {
    info.originalExecutionRunId = 'r0';
    record = recordOf();
    possiblySent = new PossiblySent(record, false);
  });

  it('marks sessions without a row as sent until the heartbeat timeout', () => {
    expect(possiblySent.progressOf(0, undefined)).toBeUndefined();
    expect(possiblySent.progressOf(1, undefined)).toEqual(marked);
    expect(possiblySent.progressOf(2, { justSent: true, lastSentAt: 5 })).toEqual({ ...marked, justSent: true });
  });

  it('does not mark a session that has an answer', () => {
    const progress = { finish, onboardingStatus: 'ONBOARDING_FINISHED' };
    expect(possiblySent.progressOf(1, progress)).toBe(progress);
  });

  it('removes the sessions that an activity of this run reports on', () => {
    possiblySent.remove(resultOf({ ended: [[1, { outcome: 'approved', finish }]], open: [[2, {}]] } as object));
    const progress = { verify: true } as const;
    expect(possiblySent.progressOf(1, progress)).toBe(progress);
    expect(possiblySent.progressOf(2, undefined)).toBeUndefined();
    expect(possiblySent.progressOf(3, undefined)).toEqual(marked);
  });

  it('keeps the sessions that an activity of the replaced run reports on', () => {
    possiblySent.remove(resultOf({ runId: 'r0', ended: [[1, { outcome: 'approved', finish }]] } as object));
    expect(possiblySent.progressOf(1, undefined)).toEqual(marked);
  });

  it('moves its marks to the record for the next run', () => {
    record.rows[1] = ROW;
    record.open[2] = { done: { finish: undefined, score: 1 } as object, due: 99 };
    possiblySent.writeTo(record);
    expect(record.open).toEqual([
      null,
      null,
      { done: { finish: undefined, score: 1, ...marked }, due: 99 },
      { done: marked, due: 0 },
    ]);
    expect(possiblySent.progressOf(3, undefined)).toBeUndefined();
  });
});

it('PossiblySent of a first run writes no marks to the record', () => {
  const record = recordOf();
  new PossiblySent(record, false).writeTo(record);
  expect(record.open).toEqual([null, null, null, null]);
});
