import type { IncodeErrorKind } from './errors.js';
import type { Exchange } from './exchange.js';

/**
 * Maps the end of a request to an error kind. Anything unknown becomes `maybeRunning`, the kind that is handled most carefully.
 *
 * @returns `undefined` for an answer that may be a success; its body decides
 */
export function classify(outcome: Exchange): IncodeErrorKind | undefined {
  if (outcome.ended === 'answered') return byStatus(outcome.status);
  const { phase, proxyStatus, status } = outcome;
  // The proxy wants credentials or forbids the host. Only an operator can fix that.
  if (proxyStatus === 407 || proxyStatus === 403) return 'misconfigured';
  // DNS, connection, TLS or a full pool failed: Incode never saw the request.
  if (phase === 'unsent') return 'notTaken';
  // The status line is enough, except for a success without its body. Incode has begun to answer, so the request is over.
  return byStatus(status ?? NO_ANSWER) ?? 'resultUnknown';
}

/** Not an HTTP status, so it is treated as unknown. */
const NO_ANSWER = 0;

function byStatus(status: number): IncodeErrorKind | undefined {
  switch (status) {
    // No content, although every call needs its answer.
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
    // The proxy wants credentials.
    case 407:
      return 'misconfigured';
    // The server timed out waiting for the request, so it has not started on it.
    case 408:
    // Too early: refused because it might be replayed.
    case 425:
    // Rate limit: refused before any work.
    case 429:
    // Overloaded or in maintenance: refused before any work.
    case 503:
      return 'notTaken';
    // Incode failed and stopped. How far it got is unknown.
    case 500:
      return 'resultUnknown';
  }
  const family = Math.floor(status / 100);
  if (family === 2) return undefined;
  // Redirects are never followed: they would send the token and the API key to another host.
  if (family === 3) return 'misconfigured';
  if (family === 4) return 'badRequest';
  // 502 and 504, for example: the gateway lost Incode or timed out. Incode may still be working.
  return 'maybeRunning';
}
