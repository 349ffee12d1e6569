import type { Answer, Refuse } from './answer.js';
import type { SimulatorBehavior } from './behavior.js';
import type { SimulatedSession } from './session.js';
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
  /** `session` accepts session tokens and executive tokens. `executive` accepts only executive tokens. */
  token: 'session' | 'executive';
  /** Query parameter with the interview id. Incode's samples omit it with a session token. */
  idParameter?: 'id' | 'interviewId';
  /** The rate limit applies. */
  limited?: true;
  handle(session: SimulatedSession, call: RouteCall): Answer | Promise<Answer>;
}

/** A route that needs only the API key. */
export type OpenRoute = Omit<Route, 'handle' | 'token'> & {
  token: 'none';
  handle(call: RouteCall): Answer | Promise<Answer>;
};

export type AnyRoute = Route | OpenRoute;
