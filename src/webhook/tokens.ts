import { hkdfSync } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { memoizedBy, type Secrets } from '../secrets/matcher.js';
import type { OAuthClient } from './options.js';

/** The answer of the token endpoint, in OAuth2's format. */
interface IssuedToken {
  access_token: string;
  token_type: 'Bearer';
  /** Seconds. */
  expires_in: number;
}

export interface BearerTokens {
  issue(client: OAuthClient): Promise<IssuedToken>;
  /** @returns the position of the client that got the token, or -1 */
  verify(token: string | undefined): Promise<number>;
}

/** The clocks of several receivers may differ, and Incode may use a token until its last second. */
const CLOCK_TOLERANCE_S = 60;

const ISSUER = 'temporal-incode/webhook';

/**
 * Issues and verifies bearer tokens without storing them. They are JWTs whose signing key is derived from the client's id and secret. So
 * every receiver with the same clients accepts them, also after a restart. Removing a secret invalidates its tokens.
 *
 * @param now milliseconds since the epoch
 */
export function createBearerTokens(clients: Secrets<OAuthClient>, tokenTtlMs: number, now: () => number): BearerTokens {
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
      if (token === undefined) return -1;
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

/** Derives the key, because a secret should not serve two purposes. */
export function signingKey({ id, secret }: OAuthClient): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, ISSUER, id, 32));
}
