import type { IncodeErrorKind } from './errors.js';
import type { Exchange } from './exchange.js';

/**
 * What a call's end says about the request. Everything that is not understood counts as `maybeRunning`, because that is the
 * kind whose handling harms least.
 *
 * @returns `undefined` for an answer that may be a success; whether it is one, its body tells
 */
export function classify(outcome: Exchange): IncodeErrorKind | undefined {
  if (outcome.ended === 'answered') return byStatus(outcome.status);
  const { phase, proxyStatus, status } = outcome;
  // The proxy wants credentials, or forbids the host: nobody but the operator can change that.
  if (proxyStatus === 407 || proxyStatus === 403) return 'misconfigured';
  // DNS, connection, TLS, a full pool: Incode never saw it.
  if (phase === 'unsent') return 'notTaken';
  // The head of the answer says enough, except for a success without its body. Incode has begun to answer, so it is over.
  return byStatus(status ?? NO_ANSWER) ?? 'resultUnknown';
}

/** No status of HTTP, so nothing that is understood. */
const NO_ANSWER = 0;

function byStatus(status: number): IncodeErrorKind | undefined {
  switch (status) {
    // No content: each of the calls has an answer that matters.
    case 204:
    case 205:
      return 'resultUnknown';
    case 400:
      return 'badRequest';
    case 401:
      return 'tokenRefused';
    case 403:
      return 'apiKeyRefused';
    case 404:
      return 'unknownSession';
    case 405:
      return 'methodNotAllowed';
    case 406:
      return 'notAcceptable';
    // From a proxy, about itself.
    case 407:
      return 'misconfigured';
    // The server gave up waiting for the request, so it has not begun with it.
    case 408:
    // Too early: refused because it might be replayed.
    case 425:
    // Rate limit: refused before any work.
    case 429:
    // Overloaded or in maintenance: refused before any work.
    case 503:
      return 'notTaken';
    // Incode's own code ran into an error, so it no longer runs; how far it came is not known.
    case 500:
      return 'resultUnknown';
  }
  const hundreds = Math.floor(status / 100);
  if (hundreds === 2) return undefined;
  // Redirects are never followed: they would carry the token and the key to wherever they point.
  if (hundreds === 3) return 'misconfigured';
  if (hundreds === 4) return 'badRequest';
  // 502 and 504 among others: a gateway lost its connection to Incode, or its patience. What is behind it may go on.
  return 'maybeRunning';
}
