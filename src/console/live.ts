import { ApiProblem, GatewayAway } from './api.js';

// How pages learn what has changed. They poll, often while something changes and seldom otherwise, because each answer about a session
// costs a query to Temporal.

const FASTEST_MS = 2_000;
const SLOWEST_MS = 15_000;
const SLOW_DOWN = 1.5;

const RETRY_FASTEST_MS = 1_000;
const RETRY_SLOWEST_MS = 30_000;

export interface Watched<T> {
  load(signal: AbortSignal): Promise<T>;
  /** Called with the first answer and with each that differs from the one before. */
  show(answer: T): void;
  /** Called when the gateway refuses the request. The page keeps what it shows. */
  refused(problem: ApiProblem): void;
  /** @returns whether the answer can still change. @default always */
  continues?(answer: T): boolean;
}

export interface Watch {
  /** Asks at once, after the user has changed something or asked for it. */
  refresh(): void;
  stop(): void;
}

export interface Connection {
  /** The gateway answers. */
  works(): void;
  /** Nothing answers, or only for a while. It is asked again at this time. */
  isAway(retryAt: number): void;
  /** The token is not valid any more. */
  needsSignIn(problem: ApiProblem): void;
}

export function watch<T>({ load, show, refused, continues }: Watched<T>, connection: Connection): Watch {
  const stopped = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = FASTEST_MS;
  let retryMs = RETRY_FASTEST_MS;
  let shown: string | undefined;
  let asking = false;
  let again = false;
  let ended = false;

  const ask = async () => {
    clearTimeout(timer);
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await load(stopped.signal);
      if (stopped.signal.aborted) return;
      connection.works();
      retryMs = RETRY_FASTEST_MS;
      const text = JSON.stringify(answer);
      waitMs = text === shown ? Math.min(waitMs * SLOW_DOWN, SLOWEST_MS) : FASTEST_MS;
      if (text !== shown) show(answer);
      shown = text;
      ended = continues?.(answer) === false;
    } catch (error) {
      if (stopped.signal.aborted) return;
      waitMs = failed(error);
    } finally {
      asking = false;
    }
    if (again) {
      again = false;
      void ask();
    } else if (!ended && !document.hidden) timer = setTimeout(ask, waitMs);
  };

  /** @returns how long to wait before the next request */
  const failed = (error: unknown): number => {
    shown = undefined;
    if (error instanceof ApiProblem && !error.isTemporary) {
      connection.works();
      if (error.problem.status === 401) connection.needsSignIn(error);
      else refused(error);
      return SLOWEST_MS;
    }
    if (error instanceof ApiProblem) refused(error);
    else if (!(error instanceof GatewayAway)) throw error;
    const retry = retryMs;
    retryMs = Math.min(retryMs * 2, RETRY_SLOWEST_MS);
    connection.isAway(Date.now() + retry);
    return retry;
  };

  // A hidden tab costs nothing.
  const onVisible = () => {
    if (!document.hidden && !ended) void ask();
  };
  document.addEventListener('visibilitychange', onVisible);
  window.addEventListener('online', onVisible);
  void ask();
  return {
    refresh: () => {
      waitMs = FASTEST_MS;
      ended = false;
      void ask();
    },
    stop: () => {
      stopped.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
      window.removeEventListener('online', onVisible);
    },
  };
}
