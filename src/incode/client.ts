import type { Dispatcher } from 'undici';
import { apiKeyOf } from './api-key.js';
import { classify } from './classification.js';
import { createDispatcher } from './dispatcher.js';
import { IncodeError, type IncodeOperation } from './errors.js';
import { type Exchange, exchange } from './exchange.js';
import { factsOf } from './facts.js';
import { headersOf } from './headers.js';
import { CLIENT_DEFAULTS, checkOptions, type IncodeClientOptions, isSendable } from './options.js';
import { report } from './report.js';
import {
  type FinishStatusResponse,
  readCloseSession,
  readFinishStatus,
  readIsFinished,
  readLogIn,
  readObject,
  readOnboardingStatus,
  readScore,
  readStart,
  type ScoreResponse,
  type StartResponse,
} from './responses.js';

/** A session and the token that reaches it. */
export interface SessionAccess {
  interviewId: string;
  sessionToken: string;
}

export interface StartRequest {
  /** Incode's configuration (flow) id. */
  configurationId: string;
  /** A session that exists gets a fresh token; without it a new session is made by every call. */
  interviewId?: string;
  /** @default "ALL" */
  countryCode?: string;
  /** @default "en-US" */
  language?: string;
  externalCustomerId?: string;
  redirectionUrl?: string;
  customFields?: Record<string, string>;
}

export interface CallOptions {
  /** Aborts the call. A request that was sent may still take effect. */
  signal?: AbortSignal;
  /**
   * Asked when the first byte of the request is about to be written, after any wait for a connection. `false` writes nothing; the call
   * then ends as `notTaken`.
   *
   * @default always
   */
  mayStillSend?: () => boolean;
}

/**
 * Incode over HTTP: one attempt per call, no redirects, no retries. Every method throws an {@link IncodeError}, and nothing
 * else, when it does not succeed.
 */
export interface IncodeClient {
  /** Completes the session. Has side effects at Incode although it is a GET: never repeat it without a look at the status. */
  finishStatus(session: SessionAccess & { flowId?: string }, options?: CallOptions): Promise<FinishStatusResponse>;
  /** Without an `interviewId`: of the session that the token reaches. */
  onboardingStatus(
    session: Pick<SessionAccess, 'sessionToken'> & Partial<SessionAccess>,
    options?: CallOptions,
  ): Promise<{ onboardingStatus: string }>;
  /** Whether post-processing is done. */
  isFinished(session: SessionAccess, options?: CallOptions): Promise<{ finished: boolean }>;
  score(session: SessionAccess, options?: CallOptions): Promise<ScoreResponse>;
  /** Closes the session: later uploads are refused and the score is frozen. */
  closeSession(session: SessionAccess, options?: CallOptions): Promise<{ sessionStatus: string }>;
  start(request: StartRequest, options?: CallOptions): Promise<StartResponse>;
  /** Logs an executive user in: the token reaches every session for 24 hours. */
  logIn(credentials: { email: string; password: string }, options?: CallOptions): Promise<{ token: string }>;
  /** Closes the connections, once the calls under way have ended. */
  close(): Promise<void>;
}

interface Call<T> {
  operation: IncodeOperation;
  method: 'GET' | 'POST';
  path: string;
  query?: Record<string, string>;
  sessionToken?: string;
  body?: unknown;
  read: (fields: Record<string, unknown>) => T | undefined;
}

/** @throws TypeError naming the option that is wrong */
export function createIncodeClient(given: IncodeClientOptions): IncodeClient {
  const options = checkOptions({ ...CLIENT_DEFAULTS, ...given });
  const { timeoutMs, finishTimeoutMs, now, onCall } = options;
  const { origin, pathname } = new URL(options.baseUrl);
  const prefix = pathname.replace(/\/+$/, '');
  const dispatcher = createDispatcher(options);
  const apiKey = apiKeyOf(options.apiKey);
  let closing: Promise<void> | undefined;

  async function run<T>(call: Call<T>, { signal, mayStillSend }: CallOptions = {}): Promise<T> {
    const { operation } = call;
    // Also one that is missing: without the header Incode would not know which session is meant.
    if ('sessionToken' in call && !isSendable(call.sessionToken)) {
      throw new IncodeError({ kind: 'tokenRefused', operation, what: 'was not asked, for the token cannot be sent' });
    }
    const key = apiKey.now();
    if (key === undefined) {
      throw new IncodeError({
        kind: 'apiKeyRefused',
        operation,
        what: 'was not asked, for there is no key that can be sent',
      });
    }
    const begunAt = onCall && performance.now();
    const outcome = await exchange(dispatcher, requestOf(call, key), {
      timeoutMs: operation === 'finishStatus' ? finishTimeoutMs : timeoutMs,
      signal,
      mayStillSend,
    });
    const answer = answerOf(call, key, outcome);
    if (begunAt !== undefined) report(onCall, operation, answer, outcome.status, performance.now() - begunAt);
    if (answer instanceof IncodeError) throw answer;
    return answer;
  }

  function answerOf<T>({ operation, read }: Call<T>, key: string, outcome: Exchange): T | IncodeError {
    const kind = classify(outcome);
    if (kind === 'apiKeyRefused' && apiKey.isExchanged(key)) {
      const what = `answered ${outcome.status} to an API key that has been exchanged meanwhile`;
      return new IncodeError({ ...factsOf(outcome, now()), kind: 'notTaken', operation, what });
    }
    if (kind !== undefined) return new IncodeError({ kind, operation, ...factsOf(outcome, now()) });
    const fields = outcome.ended === 'answered' ? readObject(outcome.body) : undefined;
    const what = 'answered with something that is not its answer to this call';
    return (
      (fields && read(fields)) ??
      new IncodeError({ ...factsOf(outcome, now()), kind: 'resultUnknown', operation, what })
    );
  }

  function requestOf(
    { method, path, query, sessionToken, body }: Call<unknown>,
    key: string,
  ): Dispatcher.DispatchOptions {
    return {
      origin,
      path: `${prefix}${path}${query ? `?${new URLSearchParams(query)}` : ''}`,
      method,
      headers: headersOf(key, sessionToken),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A GET counts as idempotent otherwise: undici sends those again that follow another one on a connection that is
      // lost. `pipelining: 1` lets none follow; this holds should that ever change.
      idempotent: false,
    };
  }

  return {
    finishStatus: ({ sessionToken, flowId }, callOptions) =>
      run(
        {
          operation: 'finishStatus',
          method: 'GET',
          path: '/omni/finish-status',
          ...(flowId ? { query: { flowId } } : {}),
          sessionToken,
          read: readFinishStatus,
        },
        callOptions,
      ),
    onboardingStatus: ({ interviewId, sessionToken }, callOptions) =>
      run(
        {
          operation: 'onboardingStatus',
          method: 'GET',
          path: '/omni/get/onboarding/status',
          ...(interviewId === undefined ? {} : { query: { id: interviewId } }),
          sessionToken,
          read: readOnboardingStatus,
        },
        callOptions,
      ),
    isFinished: ({ interviewId, sessionToken }, callOptions) =>
      run(
        {
          operation: 'isFinished',
          method: 'GET',
          path: '/omni/get/postprocess/isfinished',
          query: { id: interviewId },
          sessionToken,
          read: readIsFinished,
        },
        callOptions,
      ),
    score: ({ interviewId, sessionToken }, callOptions) =>
      run(
        {
          operation: 'score',
          method: 'GET',
          path: '/omni/get/score',
          query: { id: interviewId },
          sessionToken,
          read: readScore,
        },
        callOptions,
      ),
    closeSession: ({ sessionToken }, callOptions) =>
      run(
        {
          operation: 'closeSession',
          method: 'POST',
          path: '/omni/session/status/set',
          query: { action: 'Closed' },
          sessionToken,
          body: {},
          read: readCloseSession,
        },
        callOptions,
      ),
    start: (request, callOptions) =>
      run(
        {
          operation: 'start',
          method: 'POST',
          path: '/omni/start',
          body: { countryCode: 'ALL', language: 'en-US', ...request },
          read: readStart,
        },
        callOptions,
      ),
    logIn: ({ email, password }, callOptions) =>
      run(
        {
          operation: 'logIn',
          method: 'POST',
          path: '/executive/log-in',
          body: { email, password },
          read: readLogIn,
        },
        callOptions,
      ),
    close: () => {
      // undici refuses to close twice, but those who share a client need not know of each other.
      closing ??= dispatcher.close();
      return closing;
    },
  };
}
