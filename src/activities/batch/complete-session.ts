import { ApplicationFailure } from '@temporalio/common';
import { backoffMs } from '../../contract/backoff.js';
import { needsScore } from '../../contract/guards.js';
import { FAILURES, type FinishAnswer } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { IncodeError } from '../../incode/index.js';
import { mayClose } from '../close-session.js';
import { isConfirmable, isConfirmed, notConfirmed, reportNotConfirmed } from '../confirm-finish.js';
import { failureTypeOf, isFinal, needsOperator } from '../failure.js';
import { finishOnce } from '../finish-once.js';
import { NotSentError } from '../lease.js';
import type { ResolvedActivityOptions } from '../options.js';
import { readScore } from '../read-by-id.js';
import { isRefusedForGood } from '../score.js';
import type { EarlierRequests } from '../sent-requests.js';
import { reportTokenMismatch, TokenMismatchError } from '../token-fit.js';
import type { SessionInput } from '../types.js';
import type { BulkEnd, BulkProgress, BulkSession, CompleteManyInput } from './types.js';

export interface BulkSessionOptions extends ResolvedActivityOptions {
  /** The server's clock, in ms since the epoch. */
  now: () => number;
  /** See {@link CompleteManyInput}. */
  trust: boolean;
  /** Called as soon as Incode answers 2xx to the request to finish the session at this index. */
  onAccepted?: (index: number) => void;
}

/** The end of one attempt of a session. */
export type Step = { end: BulkEnd } | { open: BulkProgress; dueInMs: number; error?: unknown };

/** Finishes a session, closes it and reads its score, as far as possible now. Does not retry: the workflow does, after a delay. */
export async function completeSession(
  options: BulkSessionOptions,
  session: BulkSession,
  plan: CompleteManyInput['plan'],
  signal: AbortSignal,
): Promise<Step> {
  const progress: BulkProgress = { ...session.done };
  try {
    const token = await tokenOf(options, session, progress, signal);
    if (token === undefined) {
      return failed(session, progress, FAILURES.tokenRefused, 'it has no token, and the worker has no token source');
    }
    const { interviewId, flowId, index } = session;
    const access: Access = { index, interviewId, ...token, ...(flowId ? { flowId } : {}) };
    const ended = progress.finish === undefined ? await finish(options, access, progress, signal) : undefined;
    if (ended) return ended;
    const unconfirmed = await confirmation(options, access, progress, progress.finish ?? null, signal);
    if (unconfirmed) return unconfirmed;
    // Only failures in a row count.
    delete progress.tries;
    const isFinished = progress.finish?.confirmedBy !== 'unconfirmed';
    if (plan.close && isFinished && progress.closed === undefined) {
      progress.closed = await close(options, access, progress, signal);
    }
    const { finish: answer, onboardingStatus } = progress;
    const end: BulkEnd = {
      finish: answer ?? null,
      ...(onboardingStatus ? { onboardingStatus } : {}),
      ...(progress.closed === false ? { notClosed: true } : {}),
    };
    if (!answer || !needsScore(plan, answer)) return { end };
    return await score(options, access, progress, end, plan.scoreDeadlineMs, signal);
  } catch (error) {
    return afterError(options, session, progress, error);
  }
}

interface Access extends SessionInput {
  index: number;
  flowId?: string;
}

/** @returns `undefined` if the session is finished and continues with its next step */
async function finish(
  options: BulkSessionOptions,
  { index, ...access }: Access,
  progress: BulkProgress,
  signal: AbortSignal,
): Promise<Step | undefined> {
  const { verify, lastSentAt, accepted } = progress;
  const earlier: EarlierRequests = {
    ...omitUndefined({ lastSentAt }),
    ...(accepted ? { accepted } : {}),
  };
  const trust = options.trust && verify !== true;
  const attempt = await finishOnce(options, access, { earlier, trust, now: options.now }, signal);
  if ('wait' in attempt) return { open: { ...progress, ...attempt.sent }, dueInMs: attempt.wait.ms };
  if ('error' in attempt) {
    if (attempt.error instanceof NotSentError) throw attempt.error;
    const { sent } = attempt;
    progress.verify = true;
    delete progress.lastSentAt;
    if (sent.accepted) {
      progress.accepted = true;
      options.onAccepted?.(index);
    }
    if (sent.lastSentAt === 'inThisAttempt') progress.justSent = true;
    else if (sent.lastSentAt !== undefined) progress.lastSentAt = sent.lastSentAt;
    throw attempt.error;
  }
  if (attempt.isAnswered) options.onAccepted?.(index);
  if (isConfirmable(options, attempt)) progress.confirmBy ??= options.now() + options.statusLagMs;
  else progress.confirmed = true;
  const { finish: answer, onboardingStatus } = attempt.result;
  if (answer === null) {
    const unconfirmed = await confirmation(options, access, progress, null, signal);
    return unconfirmed ?? { end: { finish: null, ...(onboardingStatus ? { onboardingStatus } : {}) } };
  }
  progress.finish = answer;
  if (onboardingStatus) progress.onboardingStatus = onboardingStatus;
  delete progress.verify;
  delete progress.lastSentAt;
  delete progress.accepted;
  return undefined;
}

/** @returns `undefined` if the finish is confirmed, or no read can confirm it */
async function confirmation(
  options: BulkSessionOptions,
  { interviewId, sessionToken }: SessionInput,
  progress: BulkProgress,
  finish: FinishAnswer | null,
  signal: AbortSignal,
): Promise<Step | undefined> {
  // Workers of earlier versions set no `confirmBy` if nothing needs a confirmation.
  if (progress.confirmed || (progress.confirmBy === undefined && !options.executive)) {
    delete progress.confirmBy;
    return undefined;
  }
  // Set before the read: if the read fails, the answer must still be confirmed.
  progress.confirmBy ??= options.now() + options.statusLagMs;
  if (await isConfirmed(options, { interviewId, sessionToken, finish }, signal)) {
    delete progress.confirmBy;
    progress.confirmed = true;
    return undefined;
  }
  const left = progress.confirmBy - options.now();
  if (left > 0) return { open: progress, dueInMs: Math.min(options.confirmFinishPollMs, left) };
  reportNotConfirmed(options, interviewId);
  return { end: { finish: null, failure: { type: FAILURES.notConfirmed, message: notConfirmed(interviewId) } } };
}

/** @returns whether the session is closed. A refusal must not cost a finished session its outcome, and may mean that it is already closed */
async function close(
  options: ResolvedActivityOptions,
  access: SessionInput,
  progress: BulkProgress,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    if (!(await mayClose(options, access, signal))) return false;
    await options.incode.closeSession(access, { signal });
    return true;
  } catch (error) {
    if (error instanceof TokenMismatchError) return false;
    if (isRefusedForGood(error)) return progress.closeTried === true;
    progress.closeTried = true;
    throw error;
  }
}

async function score(
  options: BulkSessionOptions,
  access: SessionInput,
  progress: BulkProgress,
  end: BulkEnd,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Step> {
  const { status, value } = await readScore(options, access, signal).catch((error) => {
    if (isRefusedForGood(error)) return { status: null, value: null };
    throw error;
  });
  if (status !== null && status !== 'UNKNOWN') return { end: { ...end, score: { status, value } } };
  progress.scoreBy ??= options.now() + deadlineMs;
  const left = progress.scoreBy - options.now();
  return left <= 0
    ? { end: { ...end, score: null } }
    : { open: progress, dueInMs: Math.min(options.scorePollMs, left) };
}

async function tokenOf(
  { tokenSource }: ResolvedActivityOptions,
  { interviewId, sessionToken }: BulkSession,
  { renew }: BulkProgress,
  signal: AbortSignal,
): Promise<Pick<SessionInput, 'sessionToken' | 'issuedByIncode'> | undefined> {
  if (sessionToken && !renew) return { sessionToken };
  if (!tokenSource) return undefined;
  const issued = tokenSource.issuedByIncode ? { issuedByIncode: true as const } : {};
  return { sessionToken: await tokenSource.token(interviewId, signal), ...issued };
}

function afterError(
  options: ResolvedActivityOptions,
  session: BulkSession,
  progress: BulkProgress,
  error: unknown,
): Step {
  if (error instanceof NotSentError) return { open: { ...session.done }, dueInMs: 0, error };
  if (error instanceof IncodeError && error.kind === 'tokenRefused' && options.tokenSource && !progress.renew) {
    return { open: { ...progress, renew: true }, dueInMs: 0 };
  }
  if (error instanceof IncodeError && isFinal(error.kind)) {
    return failed(session, progress, failureTypeOf(error.kind), error.message);
  }
  if (error instanceof TokenMismatchError) {
    reportTokenMismatch(options.observe, session.interviewId);
    return failed(session, progress, FAILURES.tokenMismatch, error.message);
  }
  if (error instanceof ApplicationFailure && error.nonRetryable) {
    return failed(session, progress, error.type ?? 'Failed', error.message);
  }
  const tries = (progress.tries ?? 0) + 1;
  return { open: { ...progress, tries }, dueInMs: retryDelayMs(options, tries, error), error };
}

/** The same delays as for the calls of a single session. */
function retryDelayMs({ operatorRetryMs }: ResolvedActivityOptions, tries: number, error: unknown): number {
  if (!(error instanceof IncodeError)) return backoffMs(tries);
  if (needsOperator(error.kind)) return Math.min(backoffMs(tries), operatorRetryMs);
  return Math.max(error.retryAfterMs ?? 0, backoffMs(tries));
}

function failed({ interviewId }: BulkSession, { finish }: BulkProgress, type: string, why: string): { end: BulkEnd } {
  const message = why.includes(interviewId) ? why : `Session ${interviewId}: ${why}`;
  return { end: { finish: finish ?? null, failure: { type, message } } };
}
