import type { IncomingHttpHeaders } from 'node:http';
import { GATEWAY_SCOPES, type GatewayScope, type GatewayToken } from '../contract/gateway-settings.js';
import { isLoopback } from '../network/loopback.js';
import { memoizedBy, secretMatcher } from '../secrets/matcher.js';
import { sha256 } from './new-token.js';
import { GatewayProblem } from './problems.js';

/** Who sent a request. */
export interface Caller {
  /** The token's name, for the audit log. */
  name: string;
  scopes: readonly GatewayScope[];
}

/** Without tokens, anybody on this machine may do everything. */
const ANYBODY: Caller = { name: 'anybody', scopes: GATEWAY_SCOPES };

/** @returns the caller; `undefined` without a valid token. @throws GatewayProblem */
export type Authenticate = (headers: IncomingHttpHeaders) => Caller | undefined;

/** @param tokens the current tokens; `null`: no token is needed, because only this machine reaches the gateway */
export function authentication(tokens: (() => readonly GatewayToken[]) | null): Authenticate {
  if (tokens === null) {
    return (headers) => {
      checkLocal(headers);
      return ANYBODY;
    };
  }
  const known = memoizedBy(tokens, (list) => ({ list, match: secretMatcher(list.map((token) => token.sha256)) }));
  return ({ authorization = '' }) => {
    const sent = /^Bearer +([\w-]{1,200})$/i.exec(authorization)?.[1];
    if (sent === undefined) return undefined;
    const { list, match } = known();
    return list[match(sha256(sent))];
  };
}

/**
 * A web page that a person on this machine visits can send requests to it. Browsers name the page's origin, and a page that changes what
 * its own name resolves to is recognized by the host that it asks for.
 */
function checkLocal({ host = '', origin }: IncomingHttpHeaders): void {
  if (!isLoopback(host)) {
    throw new GatewayProblem(
      'MisdirectedRequest',
      'Without tokens, the gateway answers only to localhost and 127.0.0.1',
    );
  }
  if (origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host)) {
    throw new GatewayProblem('Forbidden', 'Without tokens, the gateway answers only its own pages');
  }
}

/** @throws GatewayProblem */
export function checkScope(caller: Caller | undefined, allowed: readonly GatewayScope[]): Caller {
  if (!caller) {
    throw new GatewayProblem('Unauthorized', 'Send the header Authorization: Bearer with a token of this gateway', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
  if (allowed.some((scope) => caller.scopes.includes(scope))) return caller;
  throw new GatewayProblem('Forbidden', `The token ${caller.name} needs the scope ${allowed.join(' or ')}`);
}
