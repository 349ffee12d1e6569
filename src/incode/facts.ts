import type { Exchange, Interrupted } from './exchange.js';
import { errorCode } from './responses.js';
import { parseRetryAfter } from './retry-after.js';

/** The facts that an error reports about how a call ended. */
export function factsOf(outcome: Exchange, now: number) {
  const { status: httpStatus, retryAfter } = outcome;
  const retryAfterMs = parseRetryAfter(retryAfter, now);
  if (outcome.ended === 'interrupted') return { what: interruption(outcome), httpStatus, retryAfterMs };
  const code = errorCode(outcome.body, outcome.status);
  const at = Date.parse(outcome.date ?? '');
  const answeredAt = Number.isNaN(at) ? undefined : new Date(at);
  return { what: `answered ${httpStatus}`, httpStatus, code, retryAfterMs, answeredAt };
}

function interruption({ phase, reason, code, proxyStatus, status }: Interrupted): string {
  if (proxyStatus !== undefined) return `could not be reached: the proxy answered ${proxyStatus}`;
  const cause = code ? ` (${code})` : '';
  switch (reason) {
    case 'withheld':
      return 'was not asked: the request was withheld';
    case 'tooLarge':
      return `answered ${status} with more than 1 MiB`;
    case 'timeout':
      if (phase === 'unsent') return 'could not be reached in time';
      return phase === 'sent' ? 'did not answer in time' : `answered ${status}, but not to the end in time`;
    case 'cancelled':
      if (phase === 'unsent') return 'was not asked: the call was cancelled';
      return 'had not answered to the end when the call was cancelled';
    case 'connection':
      if (phase === 'unsent') return `could not be reached${cause}`;
      return phase === 'sent'
        ? `closed the connection without an answer${cause}`
        : `answered ${status}, but closed the connection before the end${cause}`;
  }
}
