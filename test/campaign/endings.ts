import { needsScore, resolvePlan } from '../../src/contract/guards.js';
import { FAILURES, type OnboardingResult, type Plan } from '../../src/contract/index.js';
import { verdictOf } from '../../src/contract/milestones.js';
import type { Call } from '../../src/testing/index.js';
import type { Ending, Evidence, SessionEvidence, Violation } from './record.js';

/** Tolerance for the server's clock and for timers. */
const SLACK_MS = 250;

/** Checks that every session's ending fits what Incode saw and what the campaign did to it. */
export function wrongEndings({ sessions }: Pick<Evidence, 'sessions'>): Violation[] {
  return sessions.flatMap((session) => {
    const { record, incode } = session;
    const who = record.session.interviewId;
    const wrong = endingsOf(session).flatMap((ending) => wrongEnding(session, ending));
    if (record.by === 'single' && record.acknowledged && session.runs.length === 0)
      wrong.push('is lost: the server had it');
    if (incode.view.effects.closed > 0 && !record.session.plan.close) wrong.push('was closed without a request');
    for (const answer of record.answers) {
      const isOwn = answer === null || answer.action === null || answer.action === record.session.spec.action;
      if (!isOwn) wrong.push(`a caller was told the action ${answer.action}`);
    }
    return wrong.map((what) => ({ invariant: 'ending' as const, who, what }));
  });
}

function endingsOf({ record, runs, row, rowFrom, rowTo }: SessionEvidence): Ending[] {
  if (row === null) return runs.map((run) => ({ ...run, result: run.result as OnboardingResult | null }));
  const { failure, outcome, finish, score, onboardingStatus, notClosed } = row;
  const status = failure ? 'failed' : 'completed';
  const result: Ending['result'] = outcome
    ? {
        outcome,
        finish: finish ?? null,
        score: score ?? null,
        onboardingStatus: onboardingStatus ?? null,
        // A row only says if closing was refused.
        closed: notClosed ? false : record.session.plan.close ? true : null,
      }
    : null;
  return [{ status, startedAt: rowFrom, closedAt: rowTo, result, failure: failure ?? null }];
}

function wrongEnding(session: SessionEvidence, ending: Ending): string[] {
  const { record } = session;
  switch (ending.status) {
    case 'completed':
      return ending.result ? wrongResult(session, ending, ending.result) : ['has no result'];
    case 'failed':
      return wrongFailure(session, ending.failure);
    default:
      return wrongEnd(ending.status, record);
  }
}

/** @returns what is wrong with a workflow that has neither completed nor failed */
export function wrongEnd(
  status: string,
  { cancelled, terminated, repeated }: { cancelled: boolean; terminated: boolean; repeated: boolean },
): string[] {
  switch (status) {
    case 'cancelled':
      return cancelled ? [] : ['was cancelled without a request'];
    case 'terminated':
      return terminated || repeated ? [] : ['was terminated without a request'];
    // The invariant `stuck` reports runs that have not ended.
    case 'running':
    case 'continued':
      return [];
    default:
      return [`ended as ${status}`];
  }
}

function wrongResult(session: SessionEvidence, ending: Ending, result: Partial<OnboardingResult>): string[] {
  const { record, incode } = session;
  const { spec, plan } = record.session;
  const { outcome, finish = null, score = null, onboardingStatus = null, closed = null } = result;
  const lastedMs = (ending.closedAt ?? 0) - ending.startedAt + SLACK_MS;
  if (outcome === 'expired') return wrongExpiry(session, result, lastedMs);
  if (finish?.confirmedBy === 'unconfirmed') return wrongUnconfirmed(session, result);
  const wrong: string[] = [];
  if (incode.view.effects.finished === 0) wrong.push(`is ${outcome}, but was never finished`);
  if (finish === null) return [...wrong, `is ${outcome} without an answer of Incode`];
  if (finish.confirmedBy === 'response') {
    const redirection = spec.redirectionUrl || null;
    if (finish.action !== spec.action) wrong.push(`has the action ${finish.action}, Incode said ${spec.action}`);
    if (finish.redirectionUrl !== redirection) wrong.push('has another redirection than Incode said');
  } else if (finish.action !== null || finish.redirectionUrl !== null)
    wrong.push('has an answer that Incode never gave');
  if (plan.close && closed === null) wrong.push('does not say whether it was closed');
  const isRefused = answered(incode.calls, 'closeSession', [400, 404, 405, 406, 409]);
  // Incode refuses a second request because the first one closed the session.
  if (closed === true && incode.view.effects.closed === 0 && !isRefused)
    wrong.push('is closed, but Incode never closed it');
  if (closed === false && !isRefused) wrong.push('is not closed, but Incode never refused to');

  const verdict = verdictOf(onboardingStatus);
  if (verdict !== undefined && !verdictsOf(session).includes(verdict)) wrong.push(`has the verdict ${verdict}`);
  if (score !== null && !scoresOf(session).includes(score.status)) wrong.push(`has the score ${score.status}`);
  const isScored = needsScore(resolvePlan(plan), finish);
  if (isScored && score === null && verdict === undefined && lastedMs < resolvePlan(plan).scoreDeadlineMs)
    wrong.push('has no score, and the score deadline had not passed');
  const expected = verdict ?? (isScored ? byScore(score?.status ?? null) : byAction(finish.action));
  if (outcome !== expected) wrong.push(`is ${outcome}, and should be ${expected}`);
  if (outcome === 'needsReview' || outcome === 'undecided')
    wrong.push(...wrongReview(plan, record.by, outcome, finish.action, isScored, lastedMs));
  return wrong;
}

/** It is unknown whether the session is finished, so nothing else may have been done with it. */
function wrongUnconfirmed({ incode }: SessionEvidence, result: Partial<OnboardingResult>): string[] {
  const { outcome, score = null } = result;
  const wrong: string[] = [];
  if (outcome !== 'undecided') wrong.push(`is ${outcome}, but finishing is unconfirmed`);
  if (score !== null) wrong.push('has a score, but finishing is unconfirmed');
  if (!incode.calls.some(({ operation }) => operation === 'finishStatus'))
    wrong.push('is unconfirmed, but Incode was never asked to finish it');
  return wrong;
}

/** With `review: "wait"` a session ends without a verdict only after the review deadline. */
function wrongReview(
  plan: Plan,
  by: string,
  outcome: string,
  action: string | null,
  isScored: boolean,
  lastedMs: number,
): string[] {
  const awaits = outcome === 'needsReview' || (!isScored && action === 'none');
  if (by === 'batch' || plan.review !== 'wait' || !awaits) return [];
  return lastedMs < resolvePlan(plan).reviewDeadlineMs ? ['did not wait for the verdict'] : [];
}

function wrongExpiry(
  { record, incode }: SessionEvidence,
  result: Partial<OnboardingResult>,
  lastedMs: number,
): string[] {
  const { plan } = record.session;
  const wrong: string[] = [];
  const isExpiredAtIncode = incode.view.onboardingStatus === 'EXPIRED';
  const couldPass = plan.finishWhen !== 'now' && lastedMs >= resolvePlan(plan).captureDeadlineMs;
  if (!isExpiredAtIncode && (record.by === 'batch' || !couldPass))
    wrong.push('is expired, but nothing can have expired');
  if ((result.finish ?? null) !== null) wrong.push('is expired with an answer of Incode');
  // An earlier run may have finished it.
  const isFollower = record.cancelled || record.terminated || record.repeated;
  if (incode.view.effects.finished > 0 && !isFollower) wrong.push('is expired, but was finished');
  return wrong;
}

/** The answer that Incode must have given for each failure that ends a session. */
const REFUSALS: Record<string, (httpStatus: number) => boolean> = {
  [FAILURES.unknownSession]: (status) => status === 404,
  [FAILURES.methodNotAllowed]: (status) => status === 405,
  [FAILURES.notAcceptable]: (status) => status === 406,
  [FAILURES.badRequest]: (status) =>
    status >= 400 && status < 500 && ![401, 403, 404, 405, 406, 407, 408, 425, 429].includes(status),
};

function wrongFailure({ record, incode }: SessionEvidence, failure: Ending['failure']): string[] {
  if (!failure) return ['failed without a reason'];
  const { type } = failure;
  if (type === FAILURES.tokenRefused && record.by === 'batch') {
    const isRefused = incode.calls.some(({ httpStatus }) => httpStatus === 401);
    return isRefused || record.session.token !== 'valid' ? [] : ['failed for its token, which Incode did not refuse'];
  }
  // If Incode refuses a token by id and then answers a status to it, the token belongs to another session. A simulated body does that too.
  if (type === FAILURES.tokenMismatch) {
    const isRefused = answered(incode.calls, 'onboardingStatus', [401]);
    const isBody = incode.calls.some(({ fault, httpStatus }) => fault === 'body' && httpStatus === 200);
    return isRefused && isBody ? [] : ['failed for the token of another session, which no answer suggests'];
  }
  if (!REFUSALS[type]) return [`failed with ${type}`];
  return answeredWith(type, incode.calls) ? [] : [`failed with ${type}, which Incode never answered`];
}

/** Whether Incode gave an answer that leads to this failure. */
export function answeredWith(type: string, calls: Call[]): boolean {
  const isRefusal = REFUSALS[type];
  return isRefusal !== undefined && calls.some(({ httpStatus }) => httpStatus !== null && isRefusal(httpStatus));
}

function answered(calls: Call[], operation: string, statuses: number[]): boolean {
  return calls.some((call) => call.operation === operation && statuses.includes(call.httpStatus ?? 0));
}

function verdictsOf({ record, incode }: SessionEvidence): string[] {
  const planned =
    incode.view.effects.finished > 0 ? record.session.spec.manualReview?.verdict.toLowerCase() : undefined;
  return [...(planned ? [planned] : []), ...(record.verdict ? ['approved'] : [])];
}

function scoresOf({ record }: SessionEvidence): string[] {
  const status = record.session.spec.score?.status ?? 'OK';
  return status === 'MANUAL_PENDING' ? [status, 'MANUAL_OK', 'MANUAL_FAIL'] : [status];
}

// Follows docs/lifecycle.md and docs/contract.md instead of the code under test, which may be wrong.

function byScore(status: string | null): string {
  if (status === 'OK') return 'approved';
  if (status === 'FAIL') return 'rejected';
  return status !== null && (status === 'WARN' || status.startsWith('MANUAL')) ? 'needsReview' : 'undecided';
}

function byAction(action: string | null): string {
  return action === 'approved' || action === 'rejected' ? action : 'undecided';
}
