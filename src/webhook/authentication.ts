import type { IncomingHttpHeaders } from 'node:http';
import { memoizedBy, secretMatcher } from '../secrets/matcher.js';
import type { OAuthClient, Settings } from './options.js';
import { Refusal } from './results.js';
import type { Tokens } from './tokens.js';

/** @returns the option that let the request in; `undefined` if none is asked for. @throws Refusal */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<string | undefined>;

/** A delivery comes in by a header's secret or by a bearer token; if both are configured, either will do. */
export function deliveryAuthentication(
  { header, oauth, allowUnauthenticated }: Settings,
  tokens: Tokens,
): Authenticate {
  const matchHeader = secretMatcher(header?.secrets ?? []);
  return async (headers) => {
    if (allowUnauthenticated) return undefined;
    const sent = header && headers[header.name];
    if (typeof sent === 'string') {
      const secret = matchHeader(sent);
      if (secret >= 0) return `header.secrets[${secret}]`;
    }
    const token = oauth && /^Bearer +([\w.-]+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token) {
      const client = await tokens.verify(token);
      if (client >= 0) return `oauth.clients[${client}]`;
    }
    throw new Refusal(
      'unauthenticated',
      'A delivery must carry a valid credential',
      undefined,
      oauth ? { 'www-authenticate': 'Bearer' } : {},
    );
  };
}

/** The client of a token request, by HTTP Basic. @throws Refusal */
export type AuthenticateClient = (headers: IncomingHttpHeaders) => { client: OAuthClient; position: number };

export function clientAuthentication({ oauth }: Settings): AuthenticateClient {
  const known = memoizedBy(oauth?.clients ?? [], (clients) => {
    return { clients, match: secretMatcher(clients.map(({ id, secret }) => pair(id, secret))) };
  });
  return ({ authorization = '' }) => {
    const { clients, match } = known();
    const position = Math.max(...basicCredentials(authorization).map(([id, secret]) => match(pair(id, secret))));
    const client = clients[position];
    if (client) return { client, position };
    throw new Refusal('unauthenticated', 'HTTP Basic must carry a known client and its secret', undefined, {
      'www-authenticate': 'Basic realm="temporal-incode"',
    });
  };
}

/** Unambiguous, also if an id ended where a secret begins. */
function pair(id: string, secret: string): string {
  return JSON.stringify([id, secret]);
}

/** As they came, and decoded: OAuth2 wants both parts form-encoded before base64, Incode does not mention it. */
function basicCredentials(authorization: string): [id: string, secret: string][] {
  const encoded = /^Basic +([A-Za-z0-9+/_=-]+)$/i.exec(authorization)?.[1] ?? '';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const plain: [string, string] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  try {
    return [plain, [formDecoded(plain[0]), formDecoded(plain[1])]];
  } catch {
    return [plain];
  }
}

/** @throws URIError for what is not encoded properly */
function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
