import type { IncomingMessage } from 'node:http';
import type { AuthenticateClient } from './authentication.js';
import { checkAnnouncedBody, readText } from './body.js';
import type { Settings } from './options.js';
import { Refusal, type RequestResult } from './results.js';
import type { BearerTokens } from './tokens.js';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** No cache may keep a token. */
const NO_STORE = { 'cache-control': 'no-store' };

/**
 * Answers requests for OAuth2's client credentials grant. Incode sends a form. JSON is also accepted.
 *
 * @throws Refusal
 */
export function tokenGranter(settings: Settings, authenticate: AuthenticateClient, tokens: BearerTokens) {
  return async (request: IncomingMessage): Promise<RequestResult> => {
    checkAnnouncedBody(request.headers, [FORM, JSON_TYPE], settings);
    const { client, position } = authenticate(request.headers);
    const facts = { credential: `oauth.clients[${position}]` };
    const isForm = !request.headers['content-type']?.toLowerCase().startsWith(JSON_TYPE);
    const grantType = readGrantType(await readText(request, settings), isForm);
    if (grantType !== 'client_credentials') {
      throw new Refusal('malformed', 'grant_type must be client_credentials', 'grant_type');
    }
    return { result: 'tokenIssued', body: { ...(await tokens.issue(client)) }, headers: NO_STORE, facts };
  };
}

/** An error in OAuth2's format, with our message as its description. */
export function tokenErrorBody({ result, field, message }: Refusal): Record<string, unknown> {
  const isGrant = field === 'grant_type';
  const error =
    result === 'unauthenticated' ? 'invalid_client' : isGrant ? 'unsupported_grant_type' : 'invalid_request';
  return { error, error_description: message };
}

function readGrantType(text: string, isForm: boolean): unknown {
  if (isForm) return new URLSearchParams(text).get('grant_type');
  try {
    return JSON.parse(text)?.grant_type;
  } catch {
    throw new Refusal('malformed', 'body must be JSON', 'body');
  }
}
