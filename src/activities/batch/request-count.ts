import { isProven } from '../token-fit.js';
import type { BulkSessionOptions } from './complete-session.js';
import type { BulkSession, CompleteManyInput } from './types.js';

type Options = Pick<BulkSessionOptions, 'executive' | 'refusesForeignIds' | 'tokenSource'>;
type Input = Pick<CompleteManyInput, 'plan' | 'trust'>;

/** How many requests a session needs until it ends, without retries. */
export function requestsOf(session: BulkSession, options: Options, { plan, trust = false }: Input): number {
  const { sessionToken, done = {} } = session;
  const { executive, tokenSource } = options;
  const isToBeIssued = tokenSource !== undefined && (!sessionToken || done.renew === true);
  const isToBeRead = !done.finish && (!trust || done.verify === true);
  const isToBeConfirmed = !done.confirmed && (executive !== undefined || !isProvenBy(options, session, isToBeRead));
  const isToBeClosed = plan.close && done.closed === undefined;
  const reads = isToBeRead ? readsBefore(options) : 0;
  return reads + [isToBeIssued, !done.finish, isToBeConfirmed, isToBeClosed, plan.score].filter(Boolean).length;
}

/** How many sessions the next activity should get. Under a rate limit, as many as its requests suffice for. */
export function sessionsPerActivity(
  { share, chunk }: { share: { requests: number } | undefined; chunk: number },
  options: Options,
  { plan, trust = false }: Input,
): number {
  if (share === undefined) return chunk;
  const reads = trust ? 0 : readsBefore(options);
  const requests = [true, options.executive !== undefined, plan.close, plan.score].filter(Boolean).length;
  return Math.min(chunk, Math.max(1, Math.floor(share.requests / (reads + requests))));
}

/** With an executive token, the session's own token reads the status too. */
function readsBefore({ executive }: Options): number {
  return executive ? 2 : 1;
}

function isProvenBy(options: Options, { interviewId, sessionToken }: BulkSession, isLookedAt: boolean): boolean {
  if (!sessionToken) return options.tokenSource?.issuedByIncode === true;
  return isProven(options, { interviewId, sessionToken }, isLookedAt);
}
