import { InvalidInputError, isInterviewId } from './guards.js';

/**
 * Reads the claim `interviewId` of a session token that is a JWT. The signature is not verified, so the claim can only show that a token
 * belongs to another session. Incode does not document this claim, so tokens may lack it.
 *
 * @returns `undefined` for a token that cannot be read, or without a valid claim
 */
export function interviewIdOfToken(sessionToken: string): string | undefined {
  const claims = jsonOf(sessionToken.split('.')[1] ?? '');
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
  const { interviewId } = claims as Record<string, unknown>;
  // An invalid interview id names no session and must not appear in an error.
  return isInterviewId(interviewId) ? interviewId : undefined;
}

/** Refuses a token that names another session. @throws InvalidInputError with both interview ids, without the token */
export function checkTokenFits(interviewId: string, sessionToken: string, field = 'sessionToken'): void {
  const owner = interviewIdOfToken(sessionToken);
  if (owner !== undefined && owner !== interviewId) {
    throw new InvalidInputError(
      field,
      `belongs to session ${owner}, not to ${interviewId}; hand in the token of ${interviewId}`,
    );
  }
}

/** What is known of a session token. */
interface TokenEvidence {
  interviewId: string;
  sessionToken: string;
  /** Incode has issued the token in answer to a request for this session. */
  issuedByIncode?: boolean;
  /** Incode refuses a token that reads the id of another session. */
  refusesForeignIds: boolean | undefined;
  /** Incode has just answered this token for this id. */
  isLookedAt: boolean;
}

/** Whether the token is known to belong to the session, so that what Incode answers to it is about this session. */
export function isProvenToken(evidence: TokenEvidence): boolean {
  const { interviewId, sessionToken, issuedByIncode, refusesForeignIds, isLookedAt } = evidence;
  if (issuedByIncode || interviewIdOfToken(sessionToken) === interviewId) return true;
  return refusesForeignIds === true && isLookedAt;
}

/** Decoded by hand: workflow code has neither `atob` nor `Buffer`. */
function jsonOf(base64url: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(bytesOf(base64url).map(percentEncoded).join('')));
  } catch {
    return undefined;
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function bytesOf(base64url: string): number[] {
  const bytes: number[] = [];
  let [bits, value] = [0, 0];
  // At most two characters of padding. A pattern for any number of them takes quadratic time.
  for (const character of base64url.replace(/={1,2}$/, '')) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new Error('not base64url');
    value = ((value << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return bytes;
}

function percentEncoded(byte: number): string {
  return `%${byte.toString(16).padStart(2, '0')}`;
}
