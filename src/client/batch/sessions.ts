import { isAcceptedOnly, resolveBatchPlan } from '../../contract/batch.js';
import {
  BATCH_WORKFLOW,
  type BatchInput,
  type BatchPlan,
  type BatchRow,
  type BatchSession,
  batchWorkflowId,
  checkBatchSession,
  InvalidInputError,
  type VerifyFirst,
} from '../../contract/index.js';
import { checkTokenFits } from '../../contract/token-claims.js';
import type { BatchKind, StartedAfter } from './kind.js';
import { SeenIds } from './seen-ids.js';
import type { ItemShape } from './shards.js';
import type { BatchItem } from './types.js';

/** A batch of sessions. */
export function sessionsKind(plan: BatchPlan, verifyFirst: VerifyFirst): BatchKind<BatchSession, BatchRow, BatchItem> {
  return {
    noun: 'sessions',
    subject: 'Session',
    workflowType: BATCH_WORKFLOW,
    workflowId: batchWorkflowId,
    planText: JSON.stringify(resolveBatchPlan(plan)),
    shape: sessionShape,
    inputOf: (sessions, after) => inputOf(sessions, after, plan, verifyFirst),
    resultOf: (index, interviewId, row) => ({ index, interviewId, ...row }),
  };
}

function inputOf(
  sessions: BatchSession[],
  { earlier, mayHaveBegun }: StartedAfter<BatchRow>,
  plan: BatchPlan,
  byDefault: VerifyFirst,
): Pick<BatchInput, 'sessions' | 'plan' | 'earlier' | 'verifyFirst'> {
  // Sessions that keep their row need no token. Leaving the tokens out makes room for the rows.
  if (earlier) {
    const isKept = (row: BatchRow | null | undefined) => row && !isAcceptedOnly(row);
    const needed = sessions.map((session, at) =>
      isKept(earlier[at]) ? { interviewId: session.interviewId } : session,
    );
    return { sessions: needed, plan, earlier };
  }
  // The earlier run may have finished sessions a moment ago.
  const verifyFirst = mayHaveBegun ? 'settle' : byDefault;
  return { sessions, plan, ...(verifyFirst === 'look' ? {} : { verifyFirst }) };
}

export function sessionShape(): ItemShape<BatchSession> {
  const seen = { ids: new SeenIds(), tokens: new SeenIds() };
  return {
    check: (input, index) => checked(input, index, seen),
    idOf: ({ interviewId }) => interviewId,
    sizeOf,
    // Without tokens, because they may be new when the batch runs again.
    contentOf: ({ interviewId }) => interviewId,
  };
}

function checked(input: unknown, index: number, seen: { ids: SeenIds; tokens: SeenIds }): BatchSession {
  const session = checkBatchSession(input, `sessions[${index}]`);
  const { interviewId, sessionToken } = session;
  const checkNew = (field: keyof BatchSession, first: number) => {
    if (first === index) return;
    throw new InvalidInputError(`sessions[${index}].${field}`, `is the same as that of sessions[${first}]`);
  };
  checkNew('interviewId', seen.ids.see(interviewId, index));
  if (sessionToken === undefined) return session;
  checkTokenFits(interviewId, sessionToken, `sessions[${index}].sessionToken`);
  // A token belongs to one session, so the other session would get the verdict of another person.
  checkNew('sessionToken', seen.tokens.see(sessionToken, index));
  return session;
}

/** `{"interviewId":"","sessionToken":"","flowId":""},` */
const PUNCTUATION = 52;

/** Shorter or missing values count as this many bytes, so that adding them does not move a cut. Incode's values are not longer. */
const MIN_TOKEN = 256;
const MIN_FLOW_ID = 64;

/** A token's length counts as the next power of two, because a renewed token may be slightly longer and must not move the cuts. */
function sizeOf({ interviewId, sessionToken = '', flowId = '' }: BatchSession): number {
  const token = 2 ** Math.ceil(Math.log2(Math.max(MIN_TOKEN, jsonLength(sessionToken))));
  return PUNCTUATION + jsonLength(interviewId) + token + Math.max(MIN_FLOW_ID, jsonLength(flowId));
}

/** JSON writes quotes and backslashes as two characters. The contract allows no other characters that grow. */
function jsonLength(text: string): number {
  return /["\\]/.test(text) ? JSON.stringify(text).length - 2 : text.length;
}
