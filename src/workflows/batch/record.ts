import type { BulkEnd, BulkProgress } from '../../activities/batch/types.js';
import { isAcceptedOnly } from '../../contract/batch.js';
import { needsScore, type ResolvedPlan } from '../../contract/guards.js';
import type { BatchInput, BatchProgress, BatchRow, FinishAnswer } from '../../contract/index.js';
import { FAILURES } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { resolveVerifyFirst } from '../../contract/verify-first.js';
import { decide } from '../decide.js';

/** The state of a shard. Continue-as-new hands it to the next run, so it is plain JSON. */
export interface BatchRecord {
  /** By index of the session. `null` until the session has ended. */
  rows: (BatchRow | null)[];
  /** By index of the session. `null` for sessions that were not begun or have ended. */
  open: (OpenSession | null)[];
  /** Number of sessions for the next activity, as the worker reported it. */
  chunk: number;
  /** How many activities may run at the same time. @default {@link MIN_CONCURRENT_ACTIVITIES} */
  activities?: number;
  /** No session begins before this time, in ms since the epoch. */
  holdUntil: number;
  heldUpBy: string | null;
  paused: boolean;
  stopped: boolean;
}

interface OpenSession {
  done: BulkProgress;
  /** In ms since the epoch. */
  due: number;
  /** With `settle`, until an activity has begun the session. */
  isNew?: true;
}

/** Size of the first chunk, before the worker has reported its own. An activity returns the sessions that it does not begin. */
const FIRST_CHUNK = 500;

/** Two, because one activity has few calls in flight toward its end, and the other keeps the connections busy. */
export const MIN_CONCURRENT_ACTIVITIES = 2;

/** Enough for one shard alone to use nearly the whole rate limit of a task queue with four partitions. */
const MAX_CONCURRENT_ACTIVITIES = 16;

/** @returns how many activities may run at the same time after one has reported whether the rate limit allows more */
export function nextActivities({ activities = MIN_CONCURRENT_ACTIVITIES }: BatchRecord, more: boolean): number {
  return more
    ? Math.min(MAX_CONCURRENT_ACTIVITIES, activities * 2)
    : Math.max(MIN_CONCURRENT_ACTIVITIES, activities - 1);
}

export function newBatchRecord({ sessions, earlier, verifyFirst }: BatchInput): BatchRecord {
  const before = earlier ?? sessions.map(() => null);
  const rows = before.map((row) => (row && isAcceptedOnly(row) ? null : row));
  const settles = earlier === undefined && resolveVerifyFirst(verifyFirst) === 'settle';
  const mayBeSent = (row: BatchRow | null | undefined): OpenSession => ({
    done: { verify: true, lastSentAt: Date.now(), ...(row ? { accepted: true } : {}) },
    due: 0,
    ...(settles ? { isNew: true } : {}),
  });
  return {
    rows,
    // An earlier run may have sent the sessions without a row a moment ago.
    open: rows.map((row, index) => (row === null && (settles || earlier) ? mayBeSent(before[index]) : null)),
    chunk: FIRST_CHUNK,
    holdUntil: 0,
    heldUpBy: null,
    paused: false,
    stopped: false,
  };
}

/**
 * The progress of a session that is given to an activity. With `settle`, its settle time begins now: the shard may have waited for another
 * one, or for its turn. `Date.now()` is the current time, because activities scheduled in replay are not called again.
 */
export function progressAtBegin(open: OpenSession | null): BulkProgress | undefined {
  return open?.isNew ? { ...open.done, lastSentAt: Date.now() } : open?.done;
}

export function rowOf(end: BulkEnd, plan: Pick<ResolvedPlan, 'score'>): BatchRow {
  const { finish, onboardingStatus, notClosed, failure } = end;
  const answer = finish ?? undefined;
  if (failure) return { ...omitUndefined({ finish: answer, onboardingStatus }), failure };
  const score = finish && needsScore(plan, finish) ? (end.score ?? null) : undefined;
  const { outcome } = decide({ finish, score, onboardingStatus: onboardingStatus ?? null });
  return { outcome, ...omitUndefined({ finish: answer, score: score ?? undefined, onboardingStatus, notClosed }) };
}

const ACCEPTED: FinishAnswer = { action: null, redirectionUrl: null, confirmedBy: 'unconfirmed' };

export function stoppedRow(interviewId: string, open: OpenSession | null): BatchRow {
  const message = open
    ? `Session ${interviewId}: the batch was stopped before this session was complete; read its status first`
    : `Session ${interviewId}: the batch was stopped before this session was begun`;
  const { finish: answer, accepted, confirmBy } = open?.done ?? {};
  // An answer that waits for its confirmation may be for another session.
  const finish = accepted ? ACCEPTED : confirmBy === undefined ? answer : undefined;
  return { ...omitUndefined({ finish }), failure: { type: FAILURES.batchStopped, message } };
}

/** The parts of a shard's record that its progress depends on. `open` has something for each item that was begun and has not ended. */
interface ShardState extends Pick<BatchRecord, 'paused' | 'heldUpBy'> {
  rows: (Pick<BatchRow, 'outcome' | 'failure'> | null)[];
  open: readonly (object | null)[];
}

export function progressOf(
  { batchId, shard }: Pick<BatchInput, 'batchId' | 'shard'>,
  record: ShardState,
): BatchProgress {
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
