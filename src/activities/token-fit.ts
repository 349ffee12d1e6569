import { log } from '@temporalio/activity';
import { interviewIdOfToken, isProvenToken } from '../contract/token-claims.js';
import { type IncodeClient, IncodeError, type IncodeErrorKind } from '../incode/index.js';
import { emit, type Observe } from './observe.js';
import type { ResolvedActivityOptions } from './options.js';
import type { SessionInput } from './types.js';

/** The token belongs to another session. With it, this package would finish that session and report its verdict for this one. */
export class TokenMismatchError extends Error {
  override readonly name = 'TokenMismatchError';

  constructor({ interviewId }: SessionInput, why: string) {
    super(
      `Session ${interviewId}: the session token ${why}. Nothing was sent with it. Hand in the token of ${interviewId}.`,
    );
  }
}

/** Logs an error, because the failure of one session does not show that somebody mixes up tokens. */
export function reportTokenMismatch(observe: Observe | undefined, interviewId: string): void {
  log.error(
    'The session token of a session belongs to another session, and was not used: find out who hands in mixed-up tokens.',
    { interviewId },
  );
  emit(observe, { type: 'tokenMismatch' });
}

/** @throws TokenMismatchError if the token itself names another session */
export function checkClaim(session: SessionInput): void {
  const named = interviewIdOfToken(session.sessionToken);
  if (named === undefined || named === session.interviewId) return;
  throw new TokenMismatchError(session, `belongs to session ${named}`);
}

/**
 * Whether the token is proven to belong to the session, so that Incode's answer is about this session. finish-status takes no id.
 *
 * @param isLookedAt whether Incode just answered a read with this token and this id
 */
export function isProven(
  { refusesForeignIds }: Pick<ResolvedActivityOptions, 'refusesForeignIds'>,
  session: SessionInput,
  isLookedAt: boolean,
): boolean {
  return isProvenToken({ ...session, refusesForeignIds, isLookedAt });
}

/** How Incode may answer a token that does not belong to the requested session. */
const REFUSALS: readonly IncodeErrorKind[] = ['tokenRefused', 'apiKeyRefused', 'unknownSession'];

/**
 * Reads the session's status by id. After a refusal, reads without the id. If Incode answers that, the token belongs to another session,
 * unless a second read by id succeeds: then the refusal was temporary.
 *
 * @throws TokenMismatchError
 */
export async function statusById(
  incode: IncodeClient,
  session: SessionInput,
  signal: AbortSignal,
): Promise<{ onboardingStatus: string }> {
  const byId = () => incode.onboardingStatus(session, { signal });
  try {
    return await byId();
  } catch (error) {
    if (!isRefusal(error) || !(await reachesAny(incode, session, signal))) throw error;
  }
  try {
    return await byId();
  } catch (error) {
    if (isRefusal(error)) throw new TokenMismatchError(session, 'belongs to another session, as Incode says');
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof IncodeError && REFUSALS.includes(error.kind);
}

async function reachesAny(incode: IncodeClient, { sessionToken }: SessionInput, signal: AbortSignal): Promise<boolean> {
  try {
    await incode.onboardingStatus({ sessionToken }, { signal });
    return true;
  } catch {
    // The caller throws Incode's first refusal, which says more.
    return false;
  }
}
