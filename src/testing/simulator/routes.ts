import { ok } from './answer.js';
import { type SimulatorBehavior, spelled } from './behavior.js';
import { ACCOUNT_ROUTES } from './capture/account.js';
import { PROCESSING_ROUTES } from './capture/processing.js';
import { SESSION_DATA_ROUTES } from './capture/session-data.js';
import { UPLOAD_ROUTES } from './capture/uploads.js';
import type { AnyRoute, OpenRoute, Route } from './route.js';
import { earlyScoreParts, scoreParts } from './score-parts.js';
import { identityOf, type SimulatedSession, specifiedScore } from './session.js';
import { start } from './start-route.js';

const logIn: OpenRoute = {
  operation: 'logIn',
  method: 'POST',
  token: 'none',
  async handle({ body: { email, password }, refuse, sessions }) {
    if (typeof email !== 'string' || typeof password !== 'string' || !email || !password) {
      return refuse(400, 'email and password are required');
    }
    return ok({ token: await sessions.tokens.issueExecutive() });
  },
};

const finishStatus: Route = {
  operation: 'finishStatus',
  method: 'GET',
  // As in Incode's newest sample.
  methodUnderZero: 'POST',
  token: 'session',
  handle(session, { query, refuse, sessions, behavior }) {
    const over = reasonNotToFinish(session, behavior);
    if (over) return refuse(400, over);
    const { action = 'approved' } = session.spec;
    const redirectionUrl = behavior.redirectionUrl ?? session.spec.redirectionUrl ?? '';
    const isSecond = session.effects.finished > 0;
    if (isSecond && behavior.secondFinish === 'idempotent') {
      return ok({ redirectionUrl, action, scoreStatus: sessions.scoreOf(session).status });
    }
    session.flowId = query.get('flowId') ?? session.flowId;
    // A second finish takes effect again, because Incode does not document that it prevents this.
    sessions.finish(session);
    const isOther = isSecond && behavior.secondFinish === 'otherAction';
    const answered = !isOther ? action : action === 'approved' ? 'rejected' : 'approved';
    return ok({ redirectionUrl, action: answered, scoreStatus: sessions.scoreOf(session).status });
  },
};

function reasonNotToFinish(session: SimulatedSession, behavior: SimulatorBehavior): string | undefined {
  const { onboardingStatus, closedAt, effects, added, spec } = session;
  const refuses = (part: keyof SimulatorBehavior) => behavior[part] === 'refused';
  if (onboardingStatus === 'EXPIRED' && refuses('expiredFinish')) return 'The session has expired';
  if (closedAt !== null && refuses('closedFinish')) return 'The session is closed';
  if (effects.finished > 0 && refuses('secondFinish')) return 'The session is already finished';
  const isEmpty = spec.processedAfterMs === null && !added.front && !added.back && !added.face;
  return isEmpty && refuses('emptyFinish') ? 'Nothing was captured' : undefined;
}

const onboardingStatus: Route = {
  operation: 'onboardingStatus',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle: (session, { sessions, behavior }) =>
    ok({ onboardingStatus: spelled(sessions.reportedStatus(session), behavior) }),
};

const isFinished: Route = {
  operation: 'isFinished',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle: (session, { sessions }) => ok({ finished: sessions.isProcessed(session) }),
};

const score: Route = {
  operation: 'score',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle(session, { query, sessions, behavior }) {
    const isVerbose = query.get('verbose') === 'true';
    if (session.finishedAt !== null) return ok(scoreParts(sessions.scoreOf(session), isVerbose));
    const isProcessed = sessions.isProcessed(session);
    const overall = behavior.earlyScore === 'overall' ? specifiedScore(session) : undefined;
    return ok(earlyScoreParts(session, { isProcessed, isVerbose, overall }));
  },
};

const closeSession: Route = {
  operation: 'closeSession',
  method: 'POST',
  token: 'session',
  handle(session, { query, refuse, sessions }) {
    if (query.get('action') !== 'Closed') return refuse(400, 'action must be Closed');
    sessions.close(session);
    return ok({ sessionStatus: 'Closed', interviewId: session.interviewId, closedAt: session.closedAt });
  },
};

const NOT_APPROVABLE = ['UNKNOWN', 'FAIL', 'MANUAL_PENDING', 'MANUAL_FAIL'];

const approve: Route = {
  operation: 'approve',
  method: 'POST',
  token: 'executive',
  idParameter: 'interviewId',
  handle(session, { sessions }) {
    const { status, value } = sessions.scoreOf(session);
    // Incode reports this failure with HTTP 200.
    if (NOT_APPROVABLE.includes(status)) return ok({ success: false, totalScore: value });
    sessions.approve(session);
    return ok({
      success: true,
      uuid: identityOf(session),
      token: null,
      totalScore: value,
      existingCustomer: session.effects.approved > 1,
    });
  },
};

export const ROUTES: ReadonlyMap<string, AnyRoute> = new Map<string, AnyRoute>([
  ['/omni/start', start],
  ['/executive/log-in', logIn],
  ['/omni/finish-status', finishStatus],
  ['/omni/get/onboarding/status', onboardingStatus],
  ['/omni/get/postprocess/isfinished', isFinished],
  ['/omni/get/score', score],
  ['/omni/session/status/set', closeSession],
  ['/omni/process/approve', approve],
  ...UPLOAD_ROUTES,
  ...PROCESSING_ROUTES,
  ...SESSION_DATA_ROUTES,
  ...ACCOUNT_ROUTES,
]);
