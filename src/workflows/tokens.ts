import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { SessionInput } from '../activities/types.js';
import { FAILURES } from '../contract/index.js';
import { type ActivityRefusal, activityRefusal } from './failures.js';
import { incode } from './incode.js';
import { NewRunIsDue, newRunIsDue } from './new-run.js';
import { addEvent } from './record.js';
import type { Session } from './session.js';

interface TokenOptions<T> {
  onRefusal?: (refusal: ActivityRefusal) => void;
  /** A result that makes the call unnecessary while there is no token, for example from a webhook. */
  instead?: () => T | undefined;
}

/** Calls Incode with a token. If Incode refuses the token, gets another one and calls again. */
export async function withToken<T>(
  session: Session,
  call: (access: SessionInput) => Promise<T>,
  { onRefusal, instead = () => undefined }: TokenOptions<T> = {},
): Promise<T> {
  const { record, input } = session;
  for (;;) {
    if (record.token === null) {
      const known = instead();
      if (known !== undefined) return known;
      await obtainToken(session, () => instead() !== undefined);
      continue;
    }
    const sessionToken = record.token;
    try {
      const issued = record.isTokenIssued ? { issuedByIncode: true as const } : {};
      const result = await call({ interviewId: input.interviewId, sessionToken, ...issued });
      record.unprovenSince = null;
      return result;
    } catch (error) {
      const refusal = activityRefusal(error);
      const why = refusal && refusalOf(refusal, sessionToken === input.sessionToken);
      if (why === undefined) throw refusal?.failure ?? error;
      addEvent(record, why);
      record.refusal = why;
      record.refusedToken = sessionToken;
      // Somebody may have renewed it while the call was in flight.
      if (record.token === sessionToken) record.token = null;
      if (refusal) onRefusal?.(refusal);
    }
  }
}

const REFUSED = 'Incode refused the session token';
const OF_ANOTHER = 'the session token belongs to another session';

/** @returns why another token is needed, in words for people; `undefined` if the failure is not about the token */
function refusalOf({ failure }: ActivityRefusal, isFirstToken: boolean): string | undefined {
  if (failure.type === FAILURES.tokenRefused) return REFUSED;
  // A wrong first token may mean that the caller confused two persons, so it fails the session. A later token can be replaced.
  if (failure.type === FAILURES.tokenMismatch && !isFirstToken) return OF_ANOTHER;
  return undefined;
}

/**
 * If Incode refuses a token from the token source sooner than this, the source is not asked again, because that could repeat without
 * end. The time is the only evidence, because a running poll does not report that Incode accepted its token.
 */
const MIN_TOKEN_LIFETIME_MS = 3_600_000;

/** Gets a token from the worker's token source or, if that has no working token, from `renewToken`. */
async function obtainToken(session: Session, isMoot: () => boolean): Promise<void> {
  const { unprovenSince, refusal } = session.record;
  const why =
    unprovenSince !== null && Date.now() - unprovenSince < MIN_TOKEN_LIFETIME_MS
      ? sourceRefused(refusal)
      : await askTokenSource(session);
  if (session.record.token === null && !isMoot()) await waitForToken(session, why, isMoot);
}

function sourceRefused(refusal: string | undefined): string {
  return refusal === OF_ANOTHER
    ? 'the token source gave the token of another session'
    : 'Incode refused the token of the token source as well';
}

/** @returns why there is no token, in words for people; an empty text if there is one */
async function askTokenSource(session: Session): Promise<string> {
  const { record, input } = session;
  const refused = record.refusedToken === null ? 'the session has no token' : (record.refusal ?? REFUSED);
  const scope = new CancellationScope();
  session.askingTokenSource = scope;
  try {
    const { sessionToken, issuedByIncode } = await scope.run(() =>
      incode.reissueToken({ interviewId: input.interviewId }),
    );
    if (sessionToken === null) return refused;
    // Somebody may have provided one meanwhile.
    if (record.token === null) {
      addEvent(record, 'The token source gave a fresh session token');
      record.unprovenSince = Date.now();
      record.token = sessionToken;
      record.isTokenIssued = issuedByIncode === true;
    }
    return '';
  } catch (error) {
    if (isCancellation(error) && record.token !== null) return '';
    const refusal = activityRefusal(error);
    if (!refusal) throw error;
    // This does not fail the session, because a person can still provide a token.
    return `${refused}, and the token source failed: ${refusal.failure.message}`;
  } finally {
    session.askingTokenSource = null;
  }
}

async function waitForToken(session: Session, why: string, isMoot: () => boolean): Promise<void> {
  const { record } = session;
  session.tokenNeeded = why;
  addEvent(record, `A session token is needed: ${why}`);
  session.publish();
  try {
    await condition(() => record.token !== null || isMoot() || newRunIsDue());
    if (record.token === null && !isMoot()) throw new NewRunIsDue();
  } finally {
    session.tokenNeeded = null;
  }
  session.publish();
}
