import type { IncodeClient } from './client.js';
import { IncodeError, type IncodeErrorKind } from './errors.js';
import type { ScoreResponse } from './responses.js';

/** A token that reaches every session, unlike a session's own. */
export interface ExecutiveToken {
  /**
   * @param refused one that Incode has just refused, so that it is exchanged
   * @throws IncodeError
   */
  token(refused?: string): Promise<string>;
}

export interface Credentials {
  email: string;
  password: string;
}

/** Incode's are valid for 24 hours. */
const RENEW_AFTER_MS = 23 * 3_600_000;

/** A few wrong passwords may lock an account. The same ones are not sent again before. */
const PAUSE_AFTER_REFUSAL_MS = 900_000;

/** Whatever else went wrong is over soon, and thousands of sessions must not ask together. */
const PAUSE_AFTER_FAILURE_MS = 10_000;

const REFUSALS: readonly IncodeErrorKind[] = ['badRequest', 'unknownSession', 'tokenRefused', 'apiKeyRefused'];

/**
 * Logs an executive user in, one log-in at a time, and again before the token expires.
 *
 * @param credentials asked for each log-in, so that they can be exchanged without a restart
 */
export function executiveLogIn(
  incode: Pick<IncodeClient, 'logIn'>,
  credentials: () => Credentials,
  { now = () => performance.now() }: { now?: () => number } = {},
): ExecutiveToken {
  let current: { token: string; renewAt: number } | undefined;
  let failed: { error: unknown; until: number; with: string } | undefined;
  let loggingIn: Promise<string> | undefined;

  async function logIn(): Promise<string> {
    const given = credentials();
    const sent = JSON.stringify(given);
    if (failed && failed.with === sent && now() < failed.until) throw failed.error;
    try {
      const { token } = await incode.logIn(given);
      current = { token, renewAt: now() + RENEW_AFTER_MS };
      failed = undefined;
      return token;
    } catch (error) {
      const isRefused = error instanceof IncodeError && REFUSALS.includes(error.kind);
      const until = now() + (isRefused ? PAUSE_AFTER_REFUSAL_MS : PAUSE_AFTER_FAILURE_MS);
      failed = { error: isRefused ? logInRefused(error as IncodeError) : error, until, with: sent };
      throw failed.error;
    }
  }

  return {
    async token(refused) {
      if (current && current.token !== refused && now() < current.renewAt) return current.token;
      loggingIn ??= logIn().finally(() => {
        loggingIn = undefined;
      });
      return loggingIn;
    },
  };
}

/** An executive token from elsewhere, such as a file that is read again when it changes. */
export function givenExecutiveToken(read: (refused?: string) => string): ExecutiveToken {
  return {
    async token(refused) {
      const token = read(refused);
      if (token === refused) throw executiveTokenRefused();
      return token;
    },
  };
}

/** Nobody but the operator can mend it. */
function logInRefused({ httpStatus }: IncodeError): IncodeError {
  const what = `answered ${httpStatus} to the log-in of the executive user`;
  return new IncodeError({ kind: 'misconfigured', operation: 'logIn', what, httpStatus });
}

function executiveTokenRefused(): IncodeError {
  return new IncodeError({ kind: 'misconfigured', operation: 'logIn', what: 'refuses the executive token' });
}

/** The read of a session by its id with the executive token, which belongs to no session: so the answer is about this id. */
export async function statusByExecutive(
  incode: Pick<IncodeClient, 'onboardingStatus'>,
  executive: ExecutiveToken,
  interviewId: string,
  signal: AbortSignal,
): Promise<string> {
  const read = (sessionToken: string) => incode.onboardingStatus({ interviewId, sessionToken }, { signal });
  return (await withExecutiveToken(executive, read)).onboardingStatus;
}

/** As {@link statusByExecutive}, of the score. */
export function scoreByExecutive(
  incode: Pick<IncodeClient, 'score'>,
  executive: ExecutiveToken,
  interviewId: string,
  signal: AbortSignal,
): Promise<ScoreResponse> {
  return withExecutiveToken(executive, (sessionToken) => incode.score({ interviewId, sessionToken }, { signal }));
}

/** A token that Incode refuses is exchanged once. */
async function withExecutiveToken<T>(executive: ExecutiveToken, read: (token: string) => Promise<T>): Promise<T> {
  let refused: string | undefined;
  for (;;) {
    const token = await executive.token(refused);
    try {
      return await read(token);
    } catch (error) {
      if (!(error instanceof IncodeError) || error.kind !== 'tokenRefused') throw error;
      if (refused !== undefined) throw executiveTokenRefused();
      refused = token;
    }
  }
}
