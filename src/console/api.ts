import type { Problem } from '../gateway/types.js';

/** The gateway answered with a problem. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  /** Answers without problem details come from something in between, such as a proxy. */
  readonly isTemporary: boolean;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
    this.isTemporary = [429, 502, 503, 504].includes(problem.status);
  }
}

/** Nothing answered. */
export class GatewayAway extends Error {}

/** An answer that takes longer is taken for none. A request that waits for a worker takes up to ten seconds. */
const TIMEOUT_MS = 20_000;

const STORED = 'temporal-incode-token';

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** Requests to the gateway that served this page. The token is kept for this tab only. */
export class Api {
  private token = sessionStorage.getItem(STORED);

  get hasToken(): boolean {
    return this.token !== null;
  }

  signIn(token: string): void {
    this.token = token;
    sessionStorage.setItem(STORED, token);
  }

  signOut(): void {
    this.token = null;
    sessionStorage.removeItem(STORED);
  }

  /** @throws ApiProblem, GatewayAway */
  async request<T>(path: string, { method = 'GET', body, headers = {}, signal }: RequestOptions = {}): Promise<T> {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const response = await this.fetch(path, {
      method,
      headers: {
        ...headers,
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    if (response.status === 204) return undefined as T;
    const answer = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer as T;
    throw new ApiProblem(isProblem(answer) ? answer : strangeAnswer(response));
  }

  /** The text of an answer that is not one JSON document. @throws ApiProblem, GatewayAway */
  async text(path: string, signal = new AbortController().signal): Promise<string> {
    const body = await this.stream(path, signal);
    try {
      return await new Response(body).text();
    } catch (error) {
      if (signal.aborted) throw error;
      throw new GatewayAway('The answer was cut off');
    }
  }

  /** Opens a stream, such as of events. @throws ApiProblem, GatewayAway */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers: Record<string, string> = this.token === null ? {} : { authorization: `Bearer ${this.token}` };
    const response = await this.fetch(path, { headers, signal });
    if (response.ok && response.body !== null) return response.body;
    const answer = await response.json().catch(() => undefined);
    throw new ApiProblem(isProblem(answer) ? answer : strangeAnswer(response));
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      // A stored answer would show an old state.
      return await fetch(path, { ...init, cache: 'no-store', credentials: 'omit', redirect: 'error' });
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      throw new GatewayAway('The gateway does not answer');
    }
  }
}

function isProblem(answer: unknown): answer is Problem {
  const { title, detail, status } = (answer ?? {}) as Partial<Problem>;
  return typeof title === 'string' && typeof detail === 'string' && typeof status === 'number';
}

function strangeAnswer({ status }: Response): Problem {
  const detail = `Something between this page and the gateway answered with HTTP status ${status}.`;
  return { type: 'about:blank', title: 'Unexpected answer', status, detail };
}

const AWAY: Problem = {
  type: 'about:blank',
  title: 'The gateway does not answer',
  status: 503,
  detail: 'It is not known whether the request arrived. You can repeat it: it has no effect twice.',
};

/** What to show of an error of a request that the user asked for. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  if (error instanceof GatewayAway) return AWAY;
  throw error;
}
