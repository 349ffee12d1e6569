import type { Answer, Refuse } from './answer.js';
import type { SimulatorBehavior } from './behavior.js';
import type { ScriptedAnswer } from './capture/types.js';
import type { SimulatedSession } from './session.js';
import type { Sessions } from './sessions.js';
import type { SimulatedOperation } from './types.js';

/** A request after authentication. */
export interface RouteCall {
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** The request's body as it came. */
  bytes: Buffer;
  refuse: Refuse;
  sessions: Sessions;
  timeScale: number;
  behavior: SimulatorBehavior;
  /** The answer that a test has scripted for this call. @param sha256 digest of the uploaded image */
  scripted(session: SimulatedSession, sha256?: string): ScriptedAnswer | undefined;
}

interface Endpoint {
  operation: SimulatedOperation;
  method: 'GET' | 'POST' | 'DELETE';
  /** Another accepted method, only for paths that begin with `/0/`. */
  methodUnderZero?: 'POST';
  /** Query parameter with the interview id. Incode's samples omit it with a session token. */
  idParameter?: 'id' | 'interviewId';
  /** The body is an image instead of JSON. */
  takesImage?: true;
}

export interface Route extends Endpoint {
  /** `session` accepts session tokens and executive tokens. `executive` accepts only executive tokens. */
  token: 'session' | 'executive';
  handle(session: SimulatedSession, call: RouteCall): Answer | Promise<Answer>;
}

/** A route that needs an executive token and names no session in its query. */
export interface AccountRoute extends Endpoint {
  token: 'executive';
  isForAccount: true;
  handle(call: RouteCall): Answer | Promise<Answer>;
}

/** A route that needs only the API key. */
export interface OpenRoute extends Endpoint {
  token: 'none';
  handle(call: RouteCall): Answer | Promise<Answer>;
}

export type AnyRoute = Route | AccountRoute | OpenRoute;

/** Whether the route handles the session that the token or the query names. */
export function isForSession(route: AnyRoute): route is Route {
  return route.token !== 'none' && !('isForAccount' in route);
}
