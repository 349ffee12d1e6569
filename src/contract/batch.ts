import {
  checkSession,
  checkVerifyFirst,
  InvalidInputError,
  onlyKeys,
  record,
  resolvePlan,
  withoutAbsent,
} from './guards.js';
import type { FinishAnswer, FlowId, InterviewId, Outcome, Plan, ScoreAnswer, SessionToken } from './types.js';
import type { VerifyFirst } from './verify-first.js';

/** Task queue of {@link BATCH_WORKFLOW} and of its activities, apart from the other, so that a night's batch delays nobody. */
export const BULK_TASK_QUEUE = 'incode-onboarding-bulk';

/** Workflow type that completes one shard of a batch. */
export const BATCH_WORKFLOW = 'onboardingBatch';

export const BATCH_SIGNALS = { pause: 'pause', resume: 'resume', stop: 'stop' } as const;
export const BATCH_QUERIES = { progress: 'progress' } as const;

/** One shard, one workflow id: running a batch again attaches to its shards. */
export function batchWorkflowId(batchId: string, shard: number): string {
  return `incode-batch/${batchId}/${shard}`;
}

/** Sessions of a shard: its history holds each a few times, and Temporal's limit is 50 MB. */
export const MAX_SHARD_SESSIONS = 2_000;

/** Bytes of a shard's sessions as JSON: Temporal refuses payloads above 2 MB, and encryption adds to them. */
export const MAX_SHARD_BYTES = 1_000_000;

/**
 * The name of a batch. It stands in workflow ids and in `list` queries.
 *
 * @pattern ^[A-Za-z0-9_.:@-]{1,200}$
 */
export type BatchId = string;

/**
 * A whole number from 0.
 *
 * @asType integer
 * @minimum 0
 * @maximum 9007199254740991
 */
export type Count = number;

/** One session of a batch. */
export interface BatchSession {
  interviewId: InterviewId;
  /** Without it the worker asks its token source; without both the session fails with `IncodeTokenRefused`. */
  sessionToken?: SessionToken;
  flowId?: FlowId;
}

/** What to do with each session of a batch; the same for all. */
export type BatchPlan = Pick<Plan, 'close' | 'score' | 'scoreDeadline'>;

/** What `onboardingBatch` is started with. */
export interface BatchInput {
  batchId: BatchId;
  /** Its number within the batch, from 0. */
  shard: Count;
  /**
   * At most 2,000, and 1 MB as JSON; no id twice.
   *
   * @minItems 1
   * @maxItems 2000
   */
  sessions: BatchSession[];
  plan?: BatchPlan;
  /**
   * What happens before the first request to finish each session.
   *
   * @default "look"
   */
  verifyFirst?: VerifyFirst | boolean;
  /**
   * What an earlier run made of the sessions, in their order; those that are `null` are done again, their status read first.
   */
  earlier?: (BatchRow | null)[];
}

/** What became of one session. Parts that say nothing are left out: a shard has 2,000 of these. */
export interface BatchRow {
  /** Missing if the session failed. */
  outcome?: Outcome;
  finish?: FinishAnswer;
  score?: ScoreAnswer;
  onboardingStatus?: string;
  /** It was to be closed, and Incode refused. */
  notClosed?: true;
  /** Why it failed; `type` is one of `FAILURES`. */
  failure?: { type: string; message: string };
}

/** What `onboardingBatch` returns: a row for each session, in their order. */
export interface BatchResult {
  batchId: BatchId;
  shard: Count;
  rows: BatchRow[];
}

export type BatchWorkflow = (input: BatchInput) => Promise<BatchResult>;

/** Answer of the `progress` query. */
export interface BatchProgress {
  batchId: BatchId;
  shard: Count;
  /** Sessions of the shard. */
  total: Count;
  /** With an outcome. */
  done: Count;
  failed: Count;
  /** Not done yet because a call has to be repeated, or a score is not ready. */
  waiting: Count;
  outcomes: Partial<Record<Outcome, Count>>;
  paused: boolean;
  /** What holds the whole shard up, for people; `null` if nothing does. */
  heldUpBy: string | null;
}

/** @throws InvalidInputError naming the field, such as `sessions[3].interviewId` */
export function checkBatchInput(value: unknown): BatchInput {
  const input = withoutAbsent(record('input', value));
  onlyKeys('input', input, ['batchId', 'shard', 'sessions', 'plan', 'verifyFirst', 'earlier']);
  checkBatchId(input.batchId);
  if (!Number.isSafeInteger(input.shard) || Number(input.shard) < 0) {
    throw new InvalidInputError('shard', 'must be a whole number from 0');
  }
  const { sessions, earlier } = input;
  if (!Array.isArray(sessions) || sessions.length === 0 || sessions.length > MAX_SHARD_SESSIONS) {
    throw new InvalidInputError('sessions', `must be a list of 1 to ${MAX_SHARD_SESSIONS} sessions`);
  }
  const checked = checkSessions(sessions);
  if (earlier !== undefined && !(Array.isArray(earlier) && earlier.length === sessions.length)) {
    throw new InvalidInputError('earlier', 'must have a row for each session');
  }
  checkBatchPlan(input.plan);
  if (input.verifyFirst !== undefined) checkVerifyFirst(input.verifyFirst);
  return { ...(input as unknown as BatchInput), sessions: checked };
}

/** @throws InvalidInputError */
export function checkBatchPlan(value: unknown): BatchPlan {
  const plan = value === undefined || value === null ? {} : record('plan', value);
  onlyKeys('plan', plan, ['close', 'score', 'scoreDeadline']);
  resolvePlan(plan);
  return plan as BatchPlan;
}

/** @throws InvalidInputError */
export function checkBatchId(value: unknown): string {
  // It stands in workflow ids and in `list` queries.
  if (typeof value !== 'string' || !/^[\w.:@-]{1,200}$/.test(value)) {
    throw new InvalidInputError('batchId', 'must have 1 to 200 letters, digits or any of _ . : @ -');
  }
  return value;
}

/** @throws InvalidInputError also for two sessions with one id, which would be finished twice */
function checkSessions(sessions: unknown[]): BatchSession[] {
  const seen = new Map<string, number>();
  return sessions.map((given, index) => {
    const session = checkBatchSession(given, `sessions[${index}]`);
    const { interviewId } = session;
    const first = seen.get(interviewId);
    if (first !== undefined) {
      throw new InvalidInputError(`sessions[${index}].interviewId`, `is the same as that of sessions[${first}]`);
    }
    seen.set(interviewId, index);
    return session;
  });
}

/** @throws InvalidInputError */
export function checkBatchSession(value: unknown, field = 'session'): BatchSession {
  const session = withoutAbsent(record(field, value));
  onlyKeys(field, session, ['interviewId', 'sessionToken', 'flowId']);
  // Of a session by itself the fields are named as everywhere.
  checkSession(session, field === 'session' ? '' : `${field}.`);
  return session as unknown as BatchSession;
}
