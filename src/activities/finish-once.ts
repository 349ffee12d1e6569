import { FAILURES, type FailureType, type FinishAnswer } from '../contract/index.js';
import { isKnownStatus, milestoneOf } from '../contract/milestones.js';
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
  /** The caller says that nothing was sent before, so the status is not read. */
  trust: boolean;
  /** The server's clock. */
  now: () => number;
}

/** The end of one attempt. In all but the first case, `sent` is what the next attempt must know. */
export type FinishAttempt =
  | FinishedAttempt
  /** The next attempt may find out more. */
  | { wait: FinishWait; sent: EarlierRequests }
  | { error: unknown; sent: SentRequests };

export interface FinishedAttempt {
  result: FinishStatusResult;
  /** The executive token read the result by id. */
  isConfirmed?: true;
  /** Incode answered the request of this attempt. */
  isAnswered?: true;
  /** The token may belong to another session, so the answer may be about that session. */
  isUnproven?: true;
}

export interface FinishWait {
  ms: number;
  type: FailureType;
  /** Reason as readable text. */
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
 * Finishes a session at most once. finish-status has side effects and no idempotency key. So:
 * 1. each call sends at most one request;
 * 2. it first reads the status by id, and finishes only an unfinished session;
 * 3. after a request that may have taken effect, "unfinished" counts only after the settle time. An unknown status then never counts as
 *    unfinished. A refusal then counts as final only after the time to confirm;
 * 4. after a 2xx from Incode, it sends nothing again;
 * 5. workflows of one worker that share a session take turns. So none sends between another's read and request, and each knows what the
 *    others sent;
 * 6. it reports an answer for the session only if the token is proven to belong to it, or if no read can decide that.
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

/** Remembers every known finish, because the next read may return an older status that denies it. */
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
 * Incode does not document its answer for a session that is expired or already finished. After a refusal, the status may show that the
 * session is over, which is a result and not a failure.
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

/** A refusal may be temporary. So it does not fail a session that may be finished until the time to confirm is over. */
function unlessFinal(options: Options, context: FinishContext, error: unknown): FinishAttempt {
  const { earlier } = context;
  const isFinal = error instanceof TokenMismatchError || isRefusedForGood(error);
  const left = timeToConfirm(options, context);
  if (!isFinal || !mayBeSent(earlier) || left <= 0) return { error, sent: earlier };
  return waitToConfirm(options, left, earlier, (error as Error).message);
}

/** For a request that took effect or may have, while the status does not show it. */
function unconfirmed(options: Options, context: FinishContext, onboardingStatus: string): FinishAttempt {
  const left = timeToConfirm(options, context);
  if (left <= 0) {
    emit(options.observe, { type: 'unconfirmedFinish' });
    const finish: FinishAnswer = { action: null, redirectionUrl: null, confirmedBy: 'unconfirmed' };
    return { result: { finish, onboardingStatus } };
  }
  // Shows only constants, because other text may be about a person.
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

/** @returns `undefined` if the status does not say that the session is over */
function resultOf(onboardingStatus: string): FinishStatusResult | undefined {
  const milestone = milestoneOf(onboardingStatus);
  if (milestone === 'expired') return { finish: null, onboardingStatus };
  if (milestone !== 'finished' && milestone !== 'reviewed') return undefined;
  return { finish: BY_STATUS, onboardingStatus };
}
