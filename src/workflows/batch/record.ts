import type { BulkEnd, BulkProgress } from '../../activities/batch/types.js';
import type { BatchInput, BatchProgress, BatchRow } from '../../contract/index.js';
import { FAILURES, needsScore, type ResolvedPlan, resolveVerifyFirst } from '../../contract/index.js';
import { decide } from '../decide.js';

/** What is known of a shard, and handed to the next run when a history has grown long. Plain JSON. */
export interface BatchRecord {
  /** By the sessions' places; `null` until a session has ended. */
  rows: (BatchRow | null)[];
  /** By the sessions' places; `null` for those that were not begun, or have ended. */
  open: (OpenSession | null)[];
  /** How many sessions the next activity should have; the worker says so. */
  chunk: number;
  /** Nothing is to be begun before, in ms since the epoch. */
  holdUntil: number;
  heldUpBy: string | null;
  paused: boolean;
  stopped: boolean;
}

interface OpenSession {
  done: BulkProgress;
  /** In ms since the epoch. */
  due: number;
}

/** Until the worker has said what suits it: it begins no more than that, and leaves the rest. */
const FIRST_CHUNK = 500;

export function newBatchRecord({ sessions, earlier, verifyFirst }: BatchInput): BatchRecord {
  const rows = earlier ?? sessions.map(() => null);
  const mayBeUnderWay = earlier !== undefined || resolveVerifyFirst(verifyFirst) === 'settle';
  return {
    rows: [...rows],
    // Whoever ran the batch before may have asked Incode, until just now, to finish what has no row.
    open: rows.map((row) =>
      row === null && mayBeUnderWay ? { done: { verify: true, lastSentAt: Date.now() }, due: 0 } : null,
    ),
    chunk: FIRST_CHUNK,
    holdUntil: 0,
    heldUpBy: null,
    paused: false,
    stopped: false,
  };
}

export function rowOf(end: BulkEnd, plan: Pick<ResolvedPlan, 'score'>): BatchRow {
  const { finish, onboardingStatus = null, failure } = end;
  const status = onboardingStatus === null ? {} : { onboardingStatus };
  const answered = finish ? { finish } : {};
  if (failure) return { ...answered, ...status, failure };
  const score = finish && needsScore(plan, finish) ? (end.score ?? null) : undefined;
  const { outcome } = decide({ finish, score, onboardingStatus });
  const notClosed = end.notClosed ? { notClosed: true as const } : {};
  return { outcome, ...answered, ...(score ? { score } : {}), ...status, ...notClosed };
}

export function stoppedRow(interviewId: string, open: OpenSession | null): BatchRow {
  const message = open
    ? `Session ${interviewId}: the batch was stopped before it was through; its status was to be read first`
    : `Session ${interviewId}: the batch was stopped before it was begun`;
  // One that is still to be confirmed may be the answer for another session.
  const finish = open?.done.confirmBy === undefined ? open?.done.finish : undefined;
  return { ...(finish ? { finish } : {}), failure: { type: FAILURES.batchStopped, message } };
}

export function progressOf({ batchId, shard }: BatchInput, record: BatchRecord): BatchProgress {
  const ended = record.rows.filter((row) => row !== null);
  const outcomes: BatchProgress['outcomes'] = {};
  for (const { outcome } of ended) if (outcome) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    batchId,
    shard,
    total: record.rows.length,
    done: ended.filter(({ outcome }) => outcome !== undefined).length,
    failed: ended.filter(({ failure }) => failure !== undefined).length,
    waiting: record.open.filter((open) => open !== null).length,
    outcomes,
    paused: record.paused,
    heldUpBy: record.heldUpBy,
  };
}
