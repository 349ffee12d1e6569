import { setMaxListeners } from 'node:events';
import type { IncodeClient } from './client.js';
import { ExecutiveRefusedError, IncodeError, type IncodeErrorKind } from './errors.js';
import type { ScoreResponse } from './responses.js';

/** A token that gives access to every session. */
export interface ExecutiveToken {
  /**
   * @param refused a token that Incode has just refused and that must be replaced
   * @throws IncodeError
   */
  token(refused?: string): Promise<string>;
}

export interface Credentials {
  email: string;
  password: string;
}

/** Incode's executive tokens are valid for 24 hours. */
const RENEW_AFTER_MS = 23 * 3_600_000;

/** A few wrong passwords may lock the account, so refused credentials are not sent again before this time. */
const PAUSE_AFTER_REFUSAL_MS = 900_000;

/** Other failures are usually short. The pause keeps thousands of sessions from logging in together. */
const PAUSE_AFTER_FAILURE_MS = 10_000;

/** Refusals of the user. A refused API key (403) is not one, so log-ins continue soon after the key is corrected. */
const REFUSALS: readonly IncodeErrorKind[] = ['badRequest', 'unknownSession', 'tokenRefused'];

/**
 * Logs in an executive user, once for all concurrent callers, and again before the token expires.
 *
 * @example
 * const executive = executiveLogIn(incode, () => ({ email: 'kyc@example.com', password: readPassword() }));
 * const activities = createIncodeActivities({ incode, executive });
 *
 * @param credentials called for each log-in, so that you can replace them without a restart
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
    const user = credentials();
    const sent = JSON.stringify(user);
    if (failed && failed.with === sent && now() < failed.until) throw failed.error;
    try {
      const { token } = await incode.logIn(user);
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

/** An executive token that you provide, for example from a file that is read again when it changes. */
export function givenExecutiveToken(read: (refused?: string) => string): ExecutiveToken {
  return {
    async token(refused) {
      const token = read(refused);
      if (token === refused) throw executiveTokenRefused();
      return token;
    },
  };
}

/** Only an operator can fix it, so it is not retried as an ordinary refusal. */
function logInRefused({ httpStatus }: IncodeError): IncodeError {
  return new ExecutiveRefusedError(`answered ${httpStatus} to the log-in of the executive user`, httpStatus);
}

function executiveTokenRefused(): IncodeError {
  return new ExecutiveRefusedError('refuses the executive token');
}

/** The read of a session by its id with the executive token, which belongs to no session: so the answer is about this id. */
export async function statusByExecutive(
  incode: Pick<IncodeClient, 'onboardingStatus'>,
  executive: ExecutiveToken,
  interviewId: string,
  signal: AbortSignal,
): Promise<string> {
  const read = (sessionToken: string) => incode.onboardingStatus({ interviewId, sessionToken }, { signal });
  return (await withExecutiveToken(executive, signal, read)).onboardingStatus;
}

/** As {@link statusByExecutive}, of the score. */
export function scoreByExecutive(
  incode: Pick<IncodeClient, 'score'>,
  executive: ExecutiveToken,
  interviewId: string,
  signal: AbortSignal,
): Promise<ScoreResponse> {
  const read = (sessionToken: string) => incode.score({ interviewId, sessionToken }, { signal });
  return withExecutiveToken(executive, signal, read);
}

/** Makes one call. A token that Incode refuses, or that cannot be sent, is exchanged once. @throws IncodeError */
export async function withExecutiveToken<T>(
  executive: ExecutiveToken,
  signal: AbortSignal,
  call: (token: string) => Promise<T>,
): Promise<T> {
  const first = await inTime(executive.token(), signal);
  const answer = await unlessRefused(call(first));
  if (answer) return answer.value;
  const second = await unlessRefused(call(await inTime(executive.token(first), signal)));
  if (second) return second.value;
  throw executiveTokenRefused();
}

/** @returns `undefined` if the token was refused */
async function unlessRefused<T>(calling: Promise<T>): Promise<{ value: T } | undefined> {
  try {
    return { value: await calling };
  } catch (error) {
    if (error instanceof IncodeError && error.kind === 'tokenRefused') return undefined;
    throw error;
  }
}

/** A log-in takes at most 30 s. */
const TOKEN_WITHIN_MS = 60_000;

/** A token of the host may never come and ignore the signal. Other work on the session waits for its read. */
async function inTime(token: Promise<string>, signal: AbortSignal): Promise<string> {
  let giveUp = () => {};
  const late = new Promise<never>((_, reject) => {
    const what = 'was not asked: the executive token did not come in time';
    giveUp = () => reject(new IncodeError({ kind: 'notTaken', operation: 'logIn', what }));
  });
  const timer = setTimeout(giveUp, TOKEN_WITHIN_MS);
  // Many calls may share a signal. Each removes its listener, so Node's leak warning would be wrong.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([token, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}
