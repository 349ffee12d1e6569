import { ok } from './answer.js';
import { type SimulatorBehavior, spelled } from './behavior.js';
import { CAPTURE_ROUTES } from './capture-routes.js';
import type { OpenRoute, Route } from './route.js';
import { scoreParts } from './score-parts.js';
import { identityOf, type SimulatedSession } from './session.js';
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
  token: 'session',
  limited: true,
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
  limited: true,
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
  limited: true,
  handle: (session, { sessions }) => ok(scoreParts(sessions.scoreOf(session))),
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

/** Incode's clients also send `keepCustomer`, which is ignored because identities are not simulated. */
const deleteSession: Route = {
  operation: 'deleteSession',
  method: 'DELETE',
  token: 'executive',
  idParameter: 'interviewId',
  handle(session, { sessions }) {
    sessions.delete(session);
    return ok({ success: true });
  },
};

export const ROUTES: ReadonlyMap<string, Route | OpenRoute> = new Map<string, Route | OpenRoute>([
  ['/omni/start', start],
  ['/executive/log-in', logIn],
  ['/omni/finish-status', finishStatus],
  ['/omni/get/onboarding/status', onboardingStatus],
  ['/omni/get/postprocess/isfinished', isFinished],
  ['/omni/get/score', score],
  ['/omni/session/status/set', closeSession],
  ['/omni/process/approve', approve],
  ['/omni/interview', deleteSession],
  ...CAPTURE_ROUTES,
]);
