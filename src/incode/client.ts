import { type CallOptions, createCaller } from './caller.js';
import { CLIENT_DEFAULTS, checkOptions, type IncodeClientOptions } from './options.js';
import {
  type FinishStatusResponse,
  readCloseSession,
  readFinishStatus,
  readLogIn,
  readOnboardingStatus,
  readScore,
  readStart,
  type ScoreResponse,
  type StartResponse,
} from './responses.js';
import { type StartRequest, startCall } from './start.js';

/** A session and its token. */
export interface SessionAccess {
  interviewId: string;
  sessionToken: string;
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
  const { run, close } = createCaller(options);
  const { finishTimeoutMs } = options;
  return {
    finishStatus: ({ sessionToken, flowId }, callOptions) =>
      run(
        {
          operation: 'finishStatus',
          method: 'GET',
          path: '/omni/finish-status',
          ...(flowId ? { query: { flowId } } : {}),
          sessionToken,
          timeoutMs: finishTimeoutMs,
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
    start: (request, callOptions) => run({ ...startCall(request), read: readStart }, callOptions),
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
    close,
  };
}
