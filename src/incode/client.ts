import type { Dispatcher } from 'undici';
import { omitUndefined } from '../contract/omit-undefined.js';
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
  readLogIn,
  readObject,
  readOnboardingStatus,
  readScore,
  readStart,
  type ScoreResponse,
  type StartResponse,
} from './responses.js';

/** A session and its token. */
export interface SessionAccess {
  interviewId: string;
  sessionToken: string;
}

/** Argument of `start`, which opens a session or issues a token for an existing one. */
export interface StartRequest {
  /** Incode's configuration (flow) id. */
  configurationId: string;
  /** Issues a fresh token for this session. Without it, every call opens a new session. */
  interviewId?: string;
  /** @default "ALL" */
  countryCode?: string;
  /** @default "en-US" */
  language?: string;
  /** Your own id of the person. */
  externalCustomerId?: string;
  /** Where Incode sends the person after finishing. */
  redirectionUrl?: string;
  /** Fields of your own that Incode keeps with the session. */
  customFields?: Record<string, string>;
}

export interface CallOptions {
  /** Cancels the call. A request that was already sent may still take effect. */
  signal?: AbortSignal;
  /**
   * Called right before the first byte is written, after any wait for a connection. If it returns `false`, nothing is sent and the call
   * fails with `notTaken`.
   *
   * @default always sends
   */
  mayStillSend?: () => boolean;
}

/**
 * Incode over HTTP: one attempt per call, no redirects, no retries. Every method that fails throws an {@link IncodeError} and nothing
 * else.
 */
export interface IncodeClient {
  /** Finishes the session. Although it is a GET, it has side effects at Incode: read the status before you repeat it. */
  finishStatus(session: SessionAccess & { flowId?: string }, options?: CallOptions): Promise<FinishStatusResponse>;
  /** Reads the session's status. Without an `interviewId`, Incode reads the session that the token belongs to. */
  onboardingStatus(
    session: Pick<SessionAccess, 'sessionToken'> & Partial<SessionAccess>,
    options?: CallOptions,
  ): Promise<{ onboardingStatus: string }>;

  score(session: SessionAccess, options?: CallOptions): Promise<ScoreResponse>;
  /** Closes the session: Incode then refuses uploads and freezes the score. */
  closeSession(session: SessionAccess, options?: CallOptions): Promise<{ sessionStatus: string }>;
  start(request: StartRequest, options?: CallOptions): Promise<StartResponse>;
  /** Logs in an executive user. The token gives access to every session for 24 hours. */
  logIn(credentials: { email: string; password: string }, options?: CallOptions): Promise<{ token: string }>;
  /** Waits for calls in flight, then closes the connections. */
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

/**
 * Creates a client with its own connection pool. Close it when you are done.
 *
 * @example
 * const incode = createIncodeClient({ baseUrl: 'https://demo-api.incodesmile.com', apiKey: process.env.INCODE_API_KEY ?? '' });
 * const { token, interviewId } = await incode.start({ configurationId: 'my-flow' });
 * const { onboardingStatus } = await incode.onboardingStatus({ interviewId, sessionToken: token });
 * await incode.close();
 *
 * @throws TypeError that names the invalid option
 */
export function createIncodeClient(clientOptions: IncodeClientOptions): IncodeClient {
  const options = checkOptions({ ...CLIENT_DEFAULTS, ...clientOptions });
  const { timeoutMs, finishTimeoutMs, now, onCall } = options;
  const { origin, pathname } = new URL(options.baseUrl);
  const prefix = pathname.replace(/\/+$/, '');
  const dispatcher = createDispatcher(options);
  const apiKey = apiKeyOf(options.apiKey);
  let closing: Promise<void> | undefined;

  async function run<T>(call: Call<T>, { signal, mayStillSend }: CallOptions = {}): Promise<T> {
    const { operation } = call;
    // A missing token is refused too: without the header Incode could not tell which session is meant.
    if ('sessionToken' in call && !isSendable(call.sessionToken)) {
      throw new IncodeError({
        kind: 'tokenRefused',
        operation,
        what: 'was not asked: the token does not fit in a header',
      });
    }
    const key = apiKey.current();
    if (key === undefined) {
      throw new IncodeError({
        kind: 'apiKeyRefused',
        operation,
        what: 'was not asked: there is no API key that fits in a header',
      });
    }
    const startedAt = onCall && performance.now();
    const outcome = await exchange(dispatcher, requestOf(call, key), {
      timeoutMs: operation === 'finishStatus' ? finishTimeoutMs : timeoutMs,
      signal,
      mayStillSend,
    });
    const answer = answerOf(call, key, outcome);
    if (startedAt !== undefined) report(onCall, operation, answer, outcome.status, performance.now() - startedAt);
    if (answer instanceof IncodeError) throw answer;
    return answer;
  }

  function answerOf<T>({ operation, read }: Call<T>, key: string, outcome: Exchange): T | IncodeError {
    const kind = classify(outcome);
    if (kind === 'apiKeyRefused' && apiKey.isReplaced(key)) {
      const what = `answered ${outcome.status} to an API key that has been replaced since`;
      return new IncodeError({ ...factsOf(outcome, now()), kind: 'notTaken', operation, what });
    }
    if (kind !== undefined) return new IncodeError({ kind, operation, ...factsOf(outcome, now()) });
    const fields = outcome.ended === 'answered' ? readObject(outcome.body) : undefined;
    const what = 'answered with a body that is not an answer to this call';
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
      ...omitUndefined({ body: body === undefined ? undefined : JSON.stringify(body) }),
      // Otherwise undici treats a GET as idempotent and may send it again after a lost connection. `pipelining: 1` prevents that
      // today; this line does not depend on it.
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
      // undici throws on a second close, but several owners may share a client.
      closing ??= dispatcher.close();
      return closing;
    },
  };
}
