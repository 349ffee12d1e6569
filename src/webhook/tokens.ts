import { hkdfSync } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { memoizedBy, type Secrets } from '../secrets/matcher.js';
import type { OAuthClient } from './options.js';

/** What the token endpoint answers, as OAuth2 has it. */
export interface IssuedToken {
  access_token: string;
  token_type: 'Bearer';
  /** Seconds. */
  expires_in: number;
}

export interface Tokens {
  issue(client: OAuthClient): Promise<IssuedToken>;
  /** @returns the position of the client that it was issued to, or -1 */
  verify(token: string): Promise<number>;
}

/** Receivers' clocks differ, and Incode may use a token until its last second. */
const CLOCK_TOLERANCE_S = 60;

const ISSUER = 'temporal-incode/webhook';

/**
 * Bearer tokens that nobody has to store: signed JWTs, with a key that follows from the client's id and secret. So every
 * receiver with the same clients takes them, also after a restart; and with a secret go the tokens that were issued for it.
 *
 * @param now milliseconds since the epoch
 */
export function createTokens(clients: Secrets<OAuthClient>, tokenTtlMs: number, now: () => number): Tokens {
  const signers = memoizedBy(clients, (list) => list.map((client) => ({ id: client.id, key: signingKey(client) })));
  const lifetime = Math.max(1, Math.floor(tokenTtlMs / 1_000));

  return {
    async issue(client) {
      const issuedAt = Math.floor(now() / 1_000);
      const token = await new SignJWT()
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(ISSUER)
        .setSubject(client.id)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetime)
        .sign(signingKey(client));
      return { access_token: token, token_type: 'Bearer', expires_in: lifetime };
    },

    async verify(token) {
      const valid = await Promise.all(
        signers().map(({ id, key }) =>
          jwtVerify(token, key, {
            algorithms: ['HS256'],
            issuer: ISSUER,
            subject: id,
            requiredClaims: ['exp'],
            currentDate: new Date(now()),
            clockTolerance: CLOCK_TOLERANCE_S,
          }).then(
            () => true,
            () => false,
          ),
        ),
      );
      return valid.lastIndexOf(true);
    },
  };
}

/** Not the secret itself: one key, one purpose. */
export function signingKey({ id, secret }: OAuthClient): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, ISSUER, id, 32));
}
