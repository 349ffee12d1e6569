import { FAILURES, type FailureType, type FinishAnswer, isKnownStatus, milestoneOf } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { emit } from './observe.js';
import { oneAtATime } from './one-at-a-time.js';
import type { ResolvedActivityOptions } from './options.js';
import { readStatus, type StatusFound, statusBeforeFinish } from './read-by-id.js';
import { isRefusedForGood } from './score.js';
import { type EarlierRequests, mayBeSent, rememberSent, type SentRequests, withRecent } from './sent-requests.js';
import { checkClaim, isProven, TokenMismatchError } from './token-fit.js';
import type { FinishStatusResult, SessionInput } from './types.js';

export interface FinishContext {
  earlier: EarlierRequests;
  /** Nothing was sent before, says the caller: the status is not read. */
  trust: boolean;
  /** The server's clock. */
  now: () => number;
}

/** What one attempt came to. In all but the first case `sent` is what the next one has to know. */
export type FinishAttempt =
  | FinishedAttempt
  /** The next attempt may tell more. */
  | { wait: FinishWait; sent: EarlierRequests }
  | { error: unknown; sent: SentRequests };

export interface FinishedAttempt {
  result: FinishStatusResult;
  /** The executive token has read the result by id. */
  isConfirmed?: true;
  /** Incode has answered the request of this attempt. */
  isAnswered?: true;
  /** The answer is to a token that may be another session's. */
  isUnproven?: true;
}

export interface FinishWait {
  ms: number;
  type: FailureType;
  /** For people. */
  what: string;
}

type Options = Pick<
  ResolvedActivityOptions,
  | 'incode'
  | 'executive'
  | 'refusesForeignIds'
  | 'settleTimeMs'
  | 'confirmFinishWithinMs'
  | 'confirmFinishPollMs'
  | 'observe'
>;
type Session = SessionInput & { flowId?: string };

/**
 * finish-status has side effects and no idempotency key. So:
 * 1. one request per call of this;
 * 2. the status is read by id before, and only an unfinished session is finished;
 * 3. once a request may have taken effect, "unfinished" counts only after the settle time. A status that is not understood never
 *    counts as unfinished then, and neither does a refusal as final, until the time to confirm is over;
 * 4. once Incode has answered 2xx, nothing is sent again;
 * 5. workflows of one worker that share a session take turns, so that none sends between the look and the request of another, and each
 *    knows what the others have sent;
 * 6. an answer is reported for the session only if the token is proven to be its own, or nothing can tell.
 */
export function finishOnce(
  options: Options,
  session: Session,
  context: FinishContext,
  signal: AbortSignal,
): Promise<FinishAttempt> {
  const { interviewId } = session;
  const { now } = context;
  return oneAtATime(interviewId, async () => {
    const earlier = withRecent(context.earlier, interviewId, now);
    const attempt = await lookAndSend(options, session, { ...context, earlier }, signal);
    rememberSent(interviewId, sentBy(attempt, options), options.confirmFinishWithinMs, now);
    return attempt;
  });
}

/** Whatever has finished the session, a status that lags behind may deny it in a moment. */
function sentBy(attempt: FinishAttempt, { executive }: Options): SentRequests {
  if (!('result' in attempt)) return attempt.sent;
  const { result, isAnswered, isConfirmed } = attempt;
  const isFinished = result.finish?.confirmedBy === 'status' && (isConfirmed || !executive);
  return isAnswered || isFinished ? { lastSentAt: 'inThisAttempt', accepted: true } : {};
}

async function lookAndSend(
  options: Options,
  session: Session,
  context: FinishContext,
  signal: AbortSignal,
): Promise<FinishAttempt> {
  const { earlier, trust } = context;
  try {
    checkClaim(session);
    const isTrusted = trust && !mayBeSent(earlier);
    const known = isTrusted ? undefined : await look(options, session, context, signal);
    return known ?? (await send(options, session, { ...context, isLookedAt: !isTrusted }, signal));
  } catch (error) {
    return { error, sent: earlier };
  }
}

/** @returns `undefined` if the session may be finished now */
async function look(
  options: Options,
  session: Session,
  context: FinishContext,
  signal: AbortSignal,
): Promise<FinishAttempt | undefined> {
  const { earlier, now } = context;
  let found: StatusFound;
  try {
    found = await statusBeforeFinish(options, session, signal);
  } catch (error) {
    return unlessFinal(options, context, error);
  }
  const { onboardingStatus, isConfirmed } = found;
  const result = resultOf(onboardingStatus);
  const isUnclear = !isKnownStatus(onboardingStatus);
  const seen = result ? (result.finish ? 'finished' : 'expired') : isUnclear ? 'unclear' : 'open';
  emit(options.observe, { type: 'verification', result: seen });
  if (result) return { result, ...(isConfirmed ? { isConfirmed } : {}) };
  if (!mayBeSent(earlier)) return undefined;
  if (earlier.accepted || isUnclear) return unconfirmed(options, context, onboardingStatus);
  const settlesInMs = (earlier.lastSentAt as number) + options.settleTimeMs - now();
  if (settlesInMs <= 0) return undefined;
  const what = 'an earlier request may still be running at Incode';
  return { wait: { ms: settlesInMs, type: FAILURES.settling, what }, sent: earlier };
}

async function send(
  options: Options,
  session: Session,
  context: FinishContext & { isLookedAt: boolean },
  signal: AbortSignal,
): Promise<FinishAttempt> {
  const { incode, observe } = options;
  try {
    const { scoreStatus: _, ...answer } = await incode.finishStatus(session, { signal });
    const isOwn = isProven(options, session, context.isLookedAt);
    const finish: FinishAnswer = options.executive && !isOwn ? BY_STATUS : { ...answer, confirmedBy: 'response' };
    const result = { finish, onboardingStatus: 'ONBOARDING_FINISHED' };
    return { result, isAnswered: true, ...(isOwn ? {} : { isUnproven: true }) };
  } catch (error) {
    if (isRefusedForGood(error)) return afterRefusal(options, session, context, error, signal);
    if (!(error instanceof IncodeError)) return { error, sent: { ...context.earlier, lastSentAt: 'inThisAttempt' } };
    const { kind, httpStatus = 0 } = error;
    if (kind !== 'maybeRunning' && kind !== 'resultUnknown') return { error, sent: context.earlier };
    emit(observe, { type: 'ambiguousFinish', kind });
    const accepted = httpStatus >= 200 && httpStatus < 300 ? { accepted: true as const } : {};
    return { error, sent: { lastSentAt: 'inThisAttempt', ...accepted } };
  }
}

/**
 * What Incode says to a session that has expired, or was finished before, is not documented. If it refuses, the status tells that
 * the session is over, which is a result and no failure.
 */
async function afterRefusal(
  options: Options,
  session: Session,
  context: FinishContext,
  refusal: unknown,
  signal: AbortSignal,
): Promise<FinishAttempt> {
  try {
    const { onboardingStatus } = await readStatus(options, session, signal);
    const result = resultOf(onboardingStatus);
    if (!result) return unlessFinal(options, context, refusal);
    return { result, ...(options.executive ? { isConfirmed: true } : {}) };
  } catch (error) {
    return isRefusedForGood(error) ? unlessFinal(options, context, refusal) : { error, sent: context.earlier };
  }
}

/** A refusal may be a fault of the moment. It ends no session that may be finished before the time to confirm is over. */
function unlessFinal(options: Options, context: FinishContext, error: unknown): FinishAttempt {
  const { earlier } = context;
  const isFinal = error instanceof TokenMismatchError || isRefusedForGood(error);
  const left = timeToConfirm(options, context);
  if (!isFinal || !mayBeSent(earlier) || left <= 0) return { error, sent: earlier };
  return waitToConfirm(options, left, earlier, (error as Error).message);
}

/** A request may have taken effect, or has, and the status does not tell. */
function unconfirmed(options: Options, context: FinishContext, onboardingStatus: string): FinishAttempt {
  const left = timeToConfirm(options, context);
  if (left <= 0) {
    emit(options.observe, { type: 'unconfirmedFinish' });
    const finish: FinishAnswer = { action: null, redirectionUrl: null, confirmedBy: 'unconfirmed' };
    return { result: { finish, onboardingStatus } };
  }
  // What is no constant of Incode's may be text about a person.
  const shown = /^[A-Z0-9_]+$/.test(onboardingStatus) ? onboardingStatus : 'one that this package does not know';
  const did = context.earlier.accepted ? 'has accepted the request to finish' : 'may have finished the session';
  return waitToConfirm(options, left, context.earlier, `Incode ${did}, but the status is ${shown}`);
}

function waitToConfirm(
  { confirmFinishPollMs }: Options,
  left: number,
  sent: EarlierRequests,
  why: string,
): FinishAttempt {
  const minutes = Math.ceil(left / 60_000);
  const what = `${why.replace(/\.$/, '')}. The status is read again for at most ${minutes} min`;
  return { wait: { ms: Math.min(confirmFinishPollMs, left), type: FAILURES.unconfirmed, what }, sent };
}

function timeToConfirm({ confirmFinishWithinMs }: Options, { earlier, now }: FinishContext): number {
  return (earlier.lastSentAt ?? 0) + confirmFinishWithinMs - now();
}

const BY_STATUS: FinishAnswer = { action: null, redirectionUrl: null, confirmedBy: 'status' };

/** @returns `undefined` if the session is not over, as far as the status says */
function resultOf(onboardingStatus: string): FinishStatusResult | undefined {
  const milestone = milestoneOf(onboardingStatus);
  if (milestone === 'expired') return { finish: null, onboardingStatus };
  if (milestone !== 'finished' && milestone !== 'reviewed') return undefined;
  return { finish: BY_STATUS, onboardingStatus };
}
