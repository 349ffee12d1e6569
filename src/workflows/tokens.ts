import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { SessionInput } from '../activities/types.js';
import { FAILURES } from '../contract/index.js';
import { type ActivityRefusal, activityRefusal } from './failures.js';
import { incode } from './incode.js';
import { NewRunIsDue, newRunIsDue } from './new-run.js';
import { addEvent } from './record.js';
import type { Session } from './session.js';

export interface TokenOptions<T> {
  onRefusal?: (refusal: ActivityRefusal) => void;
  /** What makes the call needless while there is no token for it: a webhook may have told its result. */
  instead?: () => T | undefined;
}

/** Calls Incode with a token, as often as it takes to have one that Incode accepts. */
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
      // Unless somebody has renewed it while the call was under way.
      if (record.token === sessionToken) record.token = null;
      if (refusal) onRefusal?.(refusal);
    }
  }
}

const REFUSED = 'Incode refused the session token';
const OF_ANOTHER = 'the session token belongs to another session';

/** @returns why another token is needed, for people; `undefined` if the failure is no refusal of this one */
function refusalOf({ failure }: ActivityRefusal, isFirstToken: boolean): string | undefined {
  if (failure.type === FAILURES.tokenRefused) return REFUSED;
  // Whoever started the session with it took one person for another. A later one can be exchanged.
  if (failure.type === FAILURES.tokenMismatch && !isFirstToken) return OF_ANOTHER;
  return undefined;
}

/**
 * Asking for another would go round in circles if the source's last one was refused at once. A poll cannot tell that its token
 * was accepted, only how long it was in use.
 */
const MIN_TOKEN_LIFETIME_MS = 3_600_000;

/** A token from the worker's token source or, if that has none that works, from the update `renewToken`. */
async function obtainToken(session: Session, isMoot: () => boolean): Promise<void> {
  const { unprovenSince, refusal } = session.record;
  const why =
    unprovenSince !== null && Date.now() - unprovenSince < MIN_TOKEN_LIFETIME_MS
      ? ofTokenSource(refusal)
      : await askTokenSource(session);
  if (session.record.token === null && !isMoot()) await waitForToken(session, why, isMoot);
}

function ofTokenSource(refusal: string | undefined): string {
  return refusal === OF_ANOTHER
    ? 'the token source gave the token of another session'
    : 'Incode refused the token of the token source as well';
}

/** @returns why there is none, for people, in case there is none */
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
    // Unless somebody has handed one in meanwhile.
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
    // Not the end of the session: a person can still hand a token in.
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
