import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';

const SECRET = randomBytes(32);

/** Incode's session tokens are JWTs of up to 256 characters, valid for 90 days. */
export const SESSION_TOKEN_MS = 90 * 86_400_000;

/** Executive tokens reach every session for 24 hours. */
export const EXECUTIVE_TOKEN_MS = 86_400_000;

/**
 * Makes a token. Whether one is valid is looked up where it is kept, not computed: that is faster, and lets a token be
 * revoked.
 */
export async function signToken(claims: { interviewId?: string; role?: string }, expiresAt: number): Promise<string> {
  return new SignJWT({ ...claims, jti: randomBytes(6).toString('base64url') })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(expiresAt / 1_000))
    .sign(SECRET);
}
