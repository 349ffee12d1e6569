import {
  asObject,
  checkSession,
  checkVerifyFirst,
  InvalidInputError,
  omitAbsent,
  onlyKeys,
  type ResolvedPlan,
  resolvePlan,
} from './guards.js';
import type { FinishAnswer, FlowId, InterviewId, Outcome, Plan, ScoreAnswer, SessionToken } from './types.js';
import type { VerifyFirst } from './verify-first.js';

/** Task queue of {@link BATCH_WORKFLOW} and of its activities. Separate from {@link TASK_QUEUE}, so batches do not delay single sessions. */
export const BULK_TASK_QUEUE = 'incode-onboarding-bulk';

/** Workflow type that completes one shard of a batch. */
export const BATCH_WORKFLOW = 'onboardingBatch';

export const BATCH_SIGNALS = { pause: 'pause', resume: 'resume', stop: 'stop' } as const;
export const BATCH_QUERIES = { progress: 'progress' } as const;

/** Each shard has one workflow id, so running a batch again attaches to its shards. */
export function batchWorkflowId(batchId: string, shard: number): string {
  return `incode-batch/${batchId}/${shard}`;
}

/** Maximum number of sessions in a shard. Its history holds each session a few times, and Temporal's limit for a history is 50 MB. */
export const MAX_SHARD_SESSIONS = 2_000;

/** Maximum size of a shard's sessions as JSON. Temporal refuses payloads above 2 MB, and encryption adds to them. */
export const MAX_SHARD_BYTES = 1_000_000;

/**
 * The name of a batch. It is part of workflow ids and of `list` queries.
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
  /** Incode's id of the session. */
  interviewId: InterviewId;
  /** If absent, the worker asks its token source. Without a token source, the session fails with `IncodeTokenRefused`. */
  sessionToken?: SessionToken;
  /** Incode's id of the session's flow, sent along with finish-status. */
  flowId?: FlowId;
}

/** What to do with each session of a batch. All sessions share it. */
export type BatchPlan = Pick<Plan, 'close' | 'score' | 'scoreDeadline'>;

/** The parts of a batch's plan. A new part does not compile until every function here handles it. */
const BATCH_PLAN_PARTS: Record<keyof BatchPlan, true> = { close: true, score: true, scoreDeadline: true };

type ResolvedPart<Part extends string> = Part extends keyof ResolvedPlan ? Part : `${Part}Ms`;

/** A batch's plan with every default filled in and durations in milliseconds: what the bulk activity gets. */
export type ResolvedBatchPlan = Pick<ResolvedPlan, ResolvedPart<keyof BatchPlan>>;

/** Input of `onboardingBatch`. */
export interface BatchInput {
  batchId: BatchId;
  /** Number of the shard within the batch, from 0. */
  shard: Count;
  /**
   * At most 2,000 sessions and 1 MB as JSON. No id may occur twice.
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
   * Rows of an earlier run, in the order of the sessions. A session whose row is `null` is completed again, after a status read. So is one
   * that failed with `confirmedBy: "unconfirmed"`, but Incode has accepted its finish, so it is not finished again.
   */
  earlier?: (BatchRow | null)[];
}

/** The result of one session. Empty parts are left out, because a shard has up to 2,000 rows. */
export interface BatchRow {
  /** How the session's onboarding ended. Missing if the session failed. */
  outcome?: Outcome;
  /**
   * Incode's answer. Also there if the session failed after it was finished, or after Incode accepted the finish (`confirmedBy` is then
   * `"unconfirmed"`).
   */
  finish?: FinishAnswer;
  /** Missing if the plan has no score, or the score was not ready in time. */
  score?: ScoreAnswer;
  /** The last known onboarding status. */
  onboardingStatus?: string;
  /** The plan asked to close the session, and Incode refused. */
  notClosed?: true;
  /** Why the session failed. `type` is one of `FAILURES`. */
  failure?: { type: string; message: string };
}

/**
 * Whether Incode has accepted the finish of a session that failed or was stopped before its status confirmed that. A later run reads its
 * status, and does not finish it again.
 */
export function isAcceptedOnly({ failure, finish }: Pick<BatchRow, 'failure' | 'finish'>): boolean {
  return failure !== undefined && finish?.confirmedBy === 'unconfirmed';
}

/** Result of `onboardingBatch`: a row for each session, in the order of the input. */
export interface BatchResult {
  batchId: BatchId;
  shard: Count;
  rows: BatchRow[];
}

/** The workflow `onboardingBatch`, for typed handles. */
export type BatchWorkflow = (input: BatchInput) => Promise<BatchResult>;

/** Answer of the `progress` query, about the sessions of `onboardingBatch` or the people of `captureBatch`. */
export interface BatchProgress {
  batchId: BatchId;
  shard: Count;
  /** Number of sessions or people in the shard. */
  total: Count;
  /** Those with an outcome. */
  done: Count;
  failed: Count;
  /** Sessions that wait for a retry or for a score, or people who have begun. */
  waiting: Count;
  outcomes: Partial<Record<Outcome, Count>>;
  paused: boolean;
  /** What the shard or some of its sessions wait for, in words for people. `null` if nothing delays them. */
  heldUpBy: string | null;
}

/** Checks the input of a shard. @throws InvalidInputError naming the field, such as `sessions[3].interviewId` */
export function checkBatchInput(value: unknown): BatchInput {
  const input = omitAbsent(asObject('input', value));
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

/** Checks the plan of a batch. @throws InvalidInputError */
export function checkBatchPlan(value: unknown): BatchPlan {
  const plan = value === undefined || value === null ? {} : asObject('plan', value);
  onlyKeys('plan', plan, Object.keys(BATCH_PLAN_PARTS));
  resolvePlan(plan);
  return plan as BatchPlan;
}

/** @throws InvalidInputError */
export function resolveBatchPlan(plan: BatchPlan | null | undefined): ResolvedBatchPlan {
  const { close, score, scoreDeadlineMs } = resolvePlan(plan ?? undefined);
  return { close, score, scoreDeadlineMs };
}

/** Checks the id of a batch. @throws InvalidInputError */
export function checkBatchId(value: unknown): string {
  if (typeof value !== 'string' || !/^[\w.:@-]{1,200}$/.test(value)) {
    throw new InvalidInputError('batchId', 'must have 1 to 200 letters, digits or any of _ . : @ -');
  }
  return value;
}

/**
 * @throws InvalidInputError for an invalid session, for two sessions with the same id, which would be finished twice, and for two with the
 * same token, of which one would get the verdict of the other
 */
function checkSessions(sessions: unknown[]): BatchSession[] {
  const seen = { interviewId: new Map<string, number>(), sessionToken: new Map<string, number>() };
  return sessions.map((value, index) => {
    const session = checkBatchSession(value, `sessions[${index}]`);
    for (const field of ['interviewId', 'sessionToken'] as const) {
      const text = session[field];
      if (text === undefined) continue;
      const first = seen[field].get(text);
      if (first !== undefined) {
        throw new InvalidInputError(`sessions[${index}].${field}`, `is the same as that of sessions[${first}]`);
      }
      seen[field].set(text, index);
    }
    return session;
  });
}

/** Checks a session of a batch. @throws InvalidInputError */
export function checkBatchSession(value: unknown, field = 'session'): BatchSession {
  const session = omitAbsent(asObject(field, value));
  onlyKeys(field, session, ['interviewId', 'sessionToken', 'flowId']);
  // Errors about a single session name its fields without a prefix.
  checkSession(session, field === 'session' ? '' : `${field}.`);
  return session as unknown as BatchSession;
}
