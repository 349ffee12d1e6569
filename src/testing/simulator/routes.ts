import { type Answer, errorAnswer, ok } from './answer.js';
import { ADD_ROUTES, processed } from './capture-routes.js';
import { type Session, type Sessions, scoreOf } from './sessions.js';
import { EXECUTIVE_TOKEN_MS, signToken } from './tokens.js';
import type { SessionSpec, SimulatedOperation } from './types.js';

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
type OpenRoute = Omit<Route, 'handle' | 'token'> & { token: 'none'; handle(call: RouteCall): Answer | Promise<Answer> };

/** Outcomes that `customFields.simulate` of `POST /omni/start` chooses from. */
const OUTCOMES: Record<string, SessionSpec> = {
  approved: { action: 'approved', score: { status: 'OK', value: '94.6' } },
  rejected: { action: 'rejected', score: { status: 'FAIL', value: '12.1' } },
  undecided: { action: 'none', score: { status: 'UNKNOWN', value: '0.0' } },
  review: { action: 'none', score: { status: 'WARN', value: '61.0' } },
};

const start: OpenRoute = {
  operation: 'start',
  method: 'POST',
  token: 'none',
  async handle({ body, path, sessions }) {
    for (const field of ['configurationId', 'countryCode', 'language']) {
      if (typeof body[field] !== 'string' || body[field] === '') return errorAnswer(400, `${field} is required`, path);
    }
    const { interviewId, customFields, externalCustomerId, configurationId, redirectionUrl } = body;
    if (interviewId !== undefined && (typeof interviewId !== 'string' || !sessions.find(interviewId))) {
      // What Incode does is not known. Making a new session, as a real one might, would hide a client's mistake.
      return errorAnswer(404, 'No such session', path);
    }
    const existingSession = typeof interviewId === 'string';
    const simulate = (customFields as Record<string, unknown> | undefined)?.simulate ?? 'approved';
    const spec = OUTCOMES[String(simulate)];
    if (!spec) return errorAnswer(400, `customFields.simulate is one of ${Object.keys(OUTCOMES).join(', ')}`, path);
    const opened = existingSession
      ? { interviewId, token: await sessions.issueToken(interviewId) }
      : await sessions.open(
          { ...spec, ...(typeof redirectionUrl === 'string' ? { redirectionUrl } : {}) },
          {
            externalCustomerId: typeof externalCustomerId === 'string' ? externalCustomerId : null,
            flowId: String(configurationId),
          },
        );
    return ok({
      token: opened.token,
      interviewId: opened.interviewId,
      interviewCode: opened.interviewId.slice(-8),
      flowType: 'flow',
      idCaptureTimeout: 10,
      selfieCaptureTimeout: 10,
      idCaptureRetries: 3,
      selfieCaptureRetries: 3,
      env: 'demo',
      existingSession,
    });
  },
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
  handle: (session) => ok({ finished: processed(session) }),
};

const score: Route = {
  operation: 'score',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  limited: true,
  handle(session) {
    const overall = scoreOf(session);
    if (overall.status === 'UNKNOWN') return ok({ overall: { status: 'UNKNOWN' } });
    const part = { overall: { value: overall.value, status: overall.status } };
    return ok({ idValidation: part, liveness: part, faceRecognition: part, overall });
  },
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

const approve: Route = {
  operation: 'approve',
  method: 'POST',
  token: 'executive',
  idParameter: 'interviewId',
  handle(session) {
    const { status, value } = scoreOf(session);
    // A logical failure comes with HTTP 200.
    if (status === 'UNKNOWN' || status === 'FAIL') return ok({ success: false, totalScore: value });
    session.effects.approved += 1;
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
  ...ADD_ROUTES,
]);

export type AnyRoute = Route | OpenRoute;
