import { activityInfo, heartbeat } from '@temporalio/activity';
import { FAILURES } from '../contract/index.js';
import { callIncode, isFirstAttempt, serverClock } from './call.js';
import { activityFailure, notYet } from './failure.js';
import { finishOnce, type LastSent } from './finish-once.js';
import { Lease, leased } from './lease.js';
import type { ResolvedActivityOptions } from './options.js';
import type { FinishStatusInput, FinishStatusResult } from './types.js';

/** Finishes a session with Temporal's retries: each attempt of the activity is one of {@link finishOnce}. */
export function finishStatus(options: ResolvedActivityOptions) {
  return async (input: FinishStatusInput): Promise<FinishStatusResult> => {
    const { interviewId, verifyFirst = false } = input;
    const verify = !isFirstAttempt() || verifyFirst;
    const earlier = { verify, lastSentAt: earlierRequest(input), now: serverClock() };
    // What attempts before a reset have left must not be taken for this one's.
    if (activityInfo().attempt === 1 && !isFirstAttempt()) heartbeat({ attempt: 0, lastSentAt: null } satisfies Trace);
    const incode = leased(options.incode, new Lease(), () => undefined);
    const attempt = await callIncode((signal) => finishOnce({ ...options, incode }, input, earlier, signal));
    if ('result' in attempt) return attempt.result;

    const { lastSentAt } = attempt;
    leaveTrace(lastSentAt);
    if ('settlesInMs' in attempt) {
      const what = 'an earlier request may still be running at Incode';
      throw notYet(FAILURES.settling, interviewId, what, attempt.settlesInMs);
    }
    throw activityFailure(attempt.error, {
      interviewId,
      mendIntervalMs: options.mendIntervalMs,
      ...(lastSentAt === undefined ? {} : { lastSentAt: lastSentAt === 'inThisAttempt' ? Date.now() : lastSentAt }),
    });
  };
}

/** What an attempt that ended by itself tells the next one, as heartbeat details: they outlive the attempt. */
interface Trace {
  attempt: number;
  lastSentAt: number | 'inThisAttempt' | null;
}

function leaveTrace(lastSentAt: LastSent): void {
  heartbeat({ attempt: activityInfo().attempt, lastSentAt: lastSentAt ?? null } satisfies Trace);
}

/** @returns when a request that may still be running was last sent, by the server's clock, in ms since the epoch */
function earlierRequest({ lastSentAt }: FinishStatusInput): number | undefined {
  const { attempt, heartbeatDetails, currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
  // A caller's clock that is ahead must not hold the session up for longer than the settle time.
  if (isFirstAttempt()) return lastSentAt === undefined ? undefined : Math.min(lastSentAt, scheduledAt);
  const trace = heartbeatDetails as Trace | undefined;
  const last = trace?.attempt === attempt - 1 ? trace.lastSentAt : 'inThisAttempt';
  // One that died left no trace. Whatever the attempt before this one sent, it sent before the server scheduled this one.
  return last === 'inThisAttempt' ? scheduledAt : (last ?? undefined);
}
