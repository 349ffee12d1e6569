import type { Answer, Refuse } from './answer.js';
import type { SimulatorBehavior } from './behavior.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';
import type { SimulatedOperation } from './types.js';

/** A request after authentication. */
export interface RouteCall {
  query: URLSearchParams;
  body: Record<string, unknown>;
  refuse: Refuse;
  sessions: Sessions;
  timeScale: number;
  behavior: SimulatorBehavior;
}

export interface Route {
  operation: SimulatedOperation;
  method: 'GET' | 'POST' | 'DELETE';
  /** `session`: a session token, or an executive one. `executive`: that only. */
  token: 'session' | 'executive';
  /** The query parameter that names the session. Incode's own samples leave it out where a session token does so. */
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

export type AnyRoute = Route | OpenRoute;
