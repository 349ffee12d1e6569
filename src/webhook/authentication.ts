import type { IncomingHttpHeaders } from 'node:http';
import { memoizedBy, secretMatcher } from '../secrets/matcher.js';
import type { OAuthClient, Settings } from './options.js';
import { Refusal } from './results.js';
import type { BearerTokens } from './tokens.js';

/** @returns the option that authenticated the request; `undefined` if no credential is required. @throws Refusal */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<string | undefined>;

/** Authenticates a delivery by a secret in a header or by a bearer token. If both are configured, either is enough. */
export function deliveryAuthentication(
  { header, oauth, allowUnauthenticated }: Settings,
  tokens: BearerTokens,
): Authenticate {
  const ways = [...(header ? [secretHeader(header)] : []), ...(oauth ? [bearerToken(tokens)] : [])];
  return async (headers) => {
    if (allowUnauthenticated) return undefined;
    for (const credentialOf of ways) {
      const credential = await credentialOf(headers);
      if (credential) return credential;
    }
    const challenge = oauth ? { 'www-authenticate': 'Bearer' } : {};
    throw new Refusal('unauthenticated', 'A delivery must carry a valid credential', undefined, challenge);
  };
}

function secretHeader({ name, secrets }: NonNullable<Settings['header']>): Authenticate {
  const match = secretMatcher(secrets);
  return async ({ [name]: sent }) => {
    const position = typeof sent === 'string' ? match(sent) : -1;
    return position >= 0 ? `header.secrets[${position}]` : undefined;
  };
}

function bearerToken(tokens: BearerTokens): Authenticate {
  return async ({ authorization }) => {
    const position = await tokens.verify(/^Bearer +([\w.-]+)$/i.exec(String(authorization))?.[1]);
    return position >= 0 ? `oauth.clients[${position}]` : undefined;
  };
}

/** Authenticates a token request by HTTP Basic. @throws Refusal */
export type AuthenticateClient = (headers: IncomingHttpHeaders) => { client: OAuthClient; position: number };

export function clientAuthentication({ clients: secrets }: NonNullable<Settings['oauth']>): AuthenticateClient {
  const known = memoizedBy(secrets, (clients) => {
    return { clients, match: secretMatcher(clients.map(({ id, secret }) => pair(id, secret))) };
  });
  return ({ authorization }) => {
    const { clients, match } = known();
    const position = Math.max(
      ...basicCredentials(String(authorization)).map(([id, secret]) => match(pair(id, secret))),
    );
    const client = clients[position];
    if (client) return { client, position };
    throw new Refusal('unauthenticated', 'HTTP Basic must have a known client id and its secret', undefined, {
      'www-authenticate': 'Basic realm="temporal-incode"',
    });
  };
}

/** Joins both without ambiguity, whatever characters they have. */
function pair(id: string, secret: string): string {
  return JSON.stringify([id, secret]);
}

/**
 * @returns the credentials as they are and form-decoded. OAuth2 requires form encoding before base64, but Incode does not mention it.
 */
function basicCredentials(authorization: string): [id: string, secret: string][] {
  const encoded = /^Basic +([A-Za-z0-9+/_=-]+)$/i.exec(authorization)?.[1];
  // Without credentials this decodes to a text without a colon, which no client has.
  const text = Buffer.from(String(encoded), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const plain: [string, string] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  try {
    return [plain, [formDecoded(plain[0]), formDecoded(plain[1])]];
  } catch {
    return [plain];
  }
}

/** @throws URIError for invalid encoding */
function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
