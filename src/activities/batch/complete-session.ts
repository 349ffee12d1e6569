import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type FinishAnswer, needsScore } from '../../contract/index.js';
import { IncodeError } from '../../incode/index.js';
import { isConfirmed, notConfirmed, reportNotConfirmed } from '../confirm-finish.js';
import { failureTypeOf, isFinal, isToBeMended } from '../failure.js';
import { type EarlierRequests, finishOnce } from '../finish-once.js';
import { NotSentError } from '../lease.js';
import type { ResolvedActivityOptions } from '../options.js';
import { isRefusedForGood } from '../score.js';
import { reportTokenMismatch, TokenMismatchError } from '../token-fit.js';
import type { SessionInput } from '../types.js';
import type { BulkEnd, BulkProgress, BulkSession, CompleteManyInput } from './types.js';

export interface SessionOptions extends ResolvedActivityOptions {
  /** The server's clock, in ms since the epoch. */
  now: () => number;
  /** See {@link CompleteManyInput}. */
  trust: boolean;
}

/** What one go at a session came to. */
export type Step = { end: BulkEnd } | { open: BulkProgress; dueInMs: number; error?: unknown };

/**
 * Goes on with a session as far as it gets: finish, close, score. A call that fails is not repeated here: the workflow does
 * that, when its time has come.
 */
export async function completeSession(
  options: SessionOptions,
  session: BulkSession,
  plan: CompleteManyInput['plan'],
  signal: AbortSignal,
): Promise<Step> {
  const done: BulkProgress = { ...session.done };
  try {
    const sessionToken = await tokenOf(options, session, done, signal);
    if (sessionToken === undefined) {
      return failed(session, done, FAILURES.tokenRefused, 'it has no token, and the worker has no token source');
    }
    const { interviewId, flowId } = session;
    const access: SessionInput & { flowId?: string } = { interviewId, sessionToken, ...(flowId ? { flowId } : {}) };
    const ended = done.finish === undefined ? await finish(options, access, done, signal) : undefined;
    if (ended) return ended;
    const unconfirmed = await confirmation(options, access, done, done.finish ?? null, signal);
    if (unconfirmed) return unconfirmed;
    // Each of these calls went well, whatever became of those before.
    delete done.tries;
    const isFinished = done.finish?.confirmedBy !== 'unconfirmed';
    if (plan.close && isFinished && done.closed === undefined) {
      done.closed = await close(options, access, done, signal);
    }
    const { finish: answer, onboardingStatus } = done;
    const end: BulkEnd = {
      finish: answer ?? null,
      ...(onboardingStatus ? { onboardingStatus } : {}),
      ...(done.closed === false ? { notClosed: true } : {}),
    };
    if (!answer || !needsScore(plan, answer)) return { end };
    return await score(options, access, done, end, plan.scoreDeadlineMs, signal);
  } catch (error) {
    return afterError(options, session, done, error);
  }
}

/** @returns `undefined` if the session is finished, and goes on */
async function finish(
  options: SessionOptions,
  access: SessionInput & { flowId?: string },
  done: BulkProgress,
  signal: AbortSignal,
): Promise<Step | undefined> {
  const { verify, lastSentAt, accepted } = done;
  const earlier: EarlierRequests = {
    ...(lastSentAt === undefined ? {} : { lastSentAt }),
    ...(accepted ? { accepted } : {}),
  };
  const trust = options.trust && verify !== true;
  const attempt = await finishOnce(options, access, { earlier, trust, now: options.now }, signal);
  if ('wait' in attempt) return { open: { ...done, ...attempt.sent }, dueInMs: attempt.wait.ms };
  if ('error' in attempt) {
    if (attempt.error instanceof NotSentError) throw attempt.error;
    const { sent } = attempt;
    done.verify = true;
    delete done.lastSentAt;
    if (sent.accepted) done.accepted = true;
    if (sent.lastSentAt === 'inThisAttempt') done.justSent = true;
    else if (sent.lastSentAt !== undefined) done.lastSentAt = sent.lastSentAt;
    throw attempt.error;
  }
  const { finish: answer, onboardingStatus } = attempt.result;
  if (answer === null) {
    const unconfirmed = await confirmation(options, access, done, null, signal);
    return unconfirmed ?? { end: { finish: null, ...(onboardingStatus ? { onboardingStatus } : {}) } };
  }
  done.finish = answer;
  if (onboardingStatus) done.onboardingStatus = onboardingStatus;
  delete done.verify;
  delete done.lastSentAt;
  delete done.accepted;
  return undefined;
}

/** @returns `undefined` if it is confirmed, or there is no executive token to ask with */
async function confirmation(
  options: SessionOptions,
  { interviewId }: SessionInput,
  done: BulkProgress,
  finish: FinishAnswer | null,
  signal: AbortSignal,
): Promise<Step | undefined> {
  if (done.confirmed) return undefined;
  // A read that fails leaves this behind: the answer is not this session's before it is confirmed.
  if (options.executive) done.confirmBy ??= options.now() + options.statusLagMs;
  if ((await isConfirmed(options, interviewId, finish, signal)) !== false) {
    delete done.confirmBy;
    if (options.executive) done.confirmed = true;
    return undefined;
  }
  const left = (done.confirmBy ?? 0) - options.now();
  if (left > 0) return { open: done, dueInMs: Math.min(options.confirmFinishPollMs, left) };
  reportNotConfirmed(options, interviewId);
  return { end: { finish: null, failure: { type: FAILURES.notConfirmed, message: notConfirmed(interviewId) } } };
}

/** @returns whether it is closed: a refusal must not cost a finished session its outcome, and may mean that it was closed before */
async function close(
  { incode }: ResolvedActivityOptions,
  access: SessionInput,
  done: BulkProgress,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await incode.closeSession(access, { signal });
    return true;
  } catch (error) {
    if (isRefusedForGood(error)) return done.closeTried === true;
    done.closeTried = true;
    throw error;
  }
}

async function score(
  { incode, scorePollMs }: ResolvedActivityOptions,
  access: SessionInput,
  done: BulkProgress,
  end: BulkEnd,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Step> {
  const { status, value } = await incode.score(access, { signal }).catch((error) => {
    if (isRefusedForGood(error)) return { status: null, value: null };
    throw error;
  });
  if (status !== null && status !== 'UNKNOWN') return { end: { ...end, score: { status, value } } };
  done.scoreBy ??= Date.now() + deadlineMs;
  const left = done.scoreBy - Date.now();
  return left <= 0 ? { end: { ...end, score: null } } : { open: done, dueInMs: Math.min(scorePollMs, left) };
}

async function tokenOf(
  { tokenSource }: ResolvedActivityOptions,
  { interviewId, sessionToken }: BulkSession,
  { renew }: BulkProgress,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (sessionToken && !renew) return sessionToken;
  return tokenSource?.token(interviewId, signal);
}

function afterError(options: ResolvedActivityOptions, session: BulkSession, done: BulkProgress, error: unknown): Step {
  if (error instanceof NotSentError) return { open: { ...session.done }, dueInMs: 0, error };
  if (error instanceof IncodeError && error.kind === 'tokenRefused' && options.tokenSource && !done.renew) {
    return { open: { ...done, renew: true }, dueInMs: 0 };
  }
  if (error instanceof IncodeError && isFinal(error.kind)) {
    return failed(session, done, failureTypeOf(error.kind), error.message);
  }
  if (error instanceof TokenMismatchError) {
    reportTokenMismatch(options.observe, session.interviewId);
    return failed(session, done, FAILURES.tokenMismatch, error.message);
  }
  if (error instanceof ApplicationFailure && error.nonRetryable) {
    return failed(session, done, error.type ?? 'Failed', error.message);
  }
  const tries = (done.tries ?? 0) + 1;
  return { open: { ...done, tries }, dueInMs: retryDelayMs(options, tries, error), error };
}

function retryDelayMs({ operatorRetryMs }: ResolvedActivityOptions, tries: number, error: unknown): number {
  if (!(error instanceof IncodeError)) return backoffMs(tries);
  if (isToBeMended(error.kind)) return Math.min(backoffMs(tries), operatorRetryMs);
  return Math.max(error.retryAfterMs ?? 0, backoffMs(tries));
}

/** As the retry policy of a single session's calls: 1 s, doubling to 2 minutes. */
function backoffMs(tries: number): number {
  return Math.min(1_000 * 2 ** (tries - 1), 120_000);
}

function failed({ interviewId }: BulkSession, { finish }: BulkProgress, type: string, why: string): { end: BulkEnd } {
  const message = why.includes(interviewId) ? why : `Session ${interviewId}: ${why}`;
  return { end: { finish: finish ?? null, failure: { type, message } } };
}
