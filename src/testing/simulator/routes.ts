import { type Answer, errorAnswer, ok } from './answer.js';
import { CAPTURE_ROUTES } from './capture-routes.js';
import { scoreParts } from './score-parts.js';
import { isProcessed, type Session, type Sessions, scoreOf } from './sessions.js';
import { start } from './start-route.js';
import { EXECUTIVE_TOKEN_MS, signToken } from './tokens.js';
import type { SimulatedOperation } from './types.js';

/** A request after authentication. */
export interface RouteCall {
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  sessions: Sessions;
  executives: Map<string, number>;
  timeScale: number;
}

export interface Route {
  operation: SimulatedOperation;
  method: 'GET' | 'POST';
  /** `session`: a session token, or an executive one. `executive`: that only. */
  token: 'session' | 'executive';
  /** The query parameter that names the session, where Incode wants one. */
  idParameter?: 'id' | 'interviewId';
  /** Counts against the rate limit. */
  limited?: true;
  handle(session: Session, call: RouteCall): Answer | Promise<Answer>;
}

/** For which the API key is enough. */
export type OpenRoute = Omit<Route, 'handle' | 'token'> & {
  token: 'none';
  handle(call: RouteCall): Answer | Promise<Answer>;
};

const logIn: OpenRoute = {
  operation: 'logIn',
  method: 'POST',
  token: 'none',
  async handle({ body: { email, password }, path, executives }) {
    if (typeof email !== 'string' || typeof password !== 'string' || !email || !password) {
      return errorAnswer(400, 'email and password are required', path);
    }
    const expiresAt = Date.now() + EXECUTIVE_TOKEN_MS;
    const token = await signToken({ role: 'executive' }, expiresAt);
    executives.set(token, expiresAt);
    return ok({ token });
  },
};

const finishStatus: Route = {
  operation: 'finishStatus',
  method: 'GET',
  token: 'session',
  limited: true,
  handle(session, { path, query, sessions }) {
    if (session.onboardingStatus === 'EXPIRED') return errorAnswer(400, 'The session has expired', path);
    session.flowId = query.get('flowId') ?? session.flowId;
    // A repeat takes effect again: that Incode would prevent it is documented nowhere.
    sessions.finish(session);
    const { redirectionUrl = '', action = 'approved' } = session.spec;
    return ok({ redirectionUrl, action, scoreStatus: scoreOf(session).status });
  },
};

const onboardingStatus: Route = {
  operation: 'onboardingStatus',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  limited: true,
  handle: (session) => ok({ onboardingStatus: session.onboardingStatus }),
};

const isFinished: Route = {
  operation: 'isFinished',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle: (session) => ok({ finished: isProcessed(session) }),
};

const score: Route = {
  operation: 'score',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  limited: true,
  handle: (session) => ok(scoreParts(scoreOf(session))),
};

const closeSession: Route = {
  operation: 'closeSession',
  method: 'POST',
  token: 'session',
  handle(session, { path, query, sessions }) {
    if (query.get('action') !== 'Closed') return errorAnswer(400, 'action must be Closed', path);
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
    const { status, value } = scoreOf(session);
    // A logical failure comes with HTTP 200.
    if (NOT_APPROVABLE.includes(status)) return ok({ success: false, totalScore: value });
    sessions.approve(session);
    return ok({
      success: true,
      uuid: `identity-${session.interviewId}`,
      token: null,
      totalScore: value,
      existingCustomer: session.effects.approved > 1,
    });
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
  ...CAPTURE_ROUTES,
]);

export type AnyRoute = Route | OpenRoute;
