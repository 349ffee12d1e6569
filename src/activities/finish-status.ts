import { activityInfo, heartbeat } from '@temporalio/activity';
import { FAILURES } from '../contract/index.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import { finishOnce } from './finish-once.js';
import type { ResolvedActivityOptions } from './options.js';
import type { FinishStatusInput, FinishStatusResult } from './types.js';

/** Finishes a session with Temporal's retries: each attempt of the activity is one of {@link finishOnce}. */
export function finishStatus(options: ResolvedActivityOptions) {
  return async (input: FinishStatusInput): Promise<FinishStatusResult> => {
    const { interviewId, verifyFirst = false } = input;
    const verify = activityInfo().attempt > 1 || verifyFirst;
    const earlier = { verify, lastSentAt: earlierRequest(input) };
    const attempt = await callIncode((signal) => finishOnce(options, input, earlier, signal));
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
      ...(lastSentAt === undefined ? {} : { lastSentAt }),
    });
  };
}

/** What an attempt that ended by itself tells the next one, as heartbeat details: they outlive the attempt. */
interface Trace {
  attempt: number;
  lastSentAt: number | null;
}

function leaveTrace(lastSentAt: number | undefined): void {
  heartbeat({ attempt: activityInfo().attempt, lastSentAt: lastSentAt ?? null } satisfies Trace);
}

/**
 * @returns when a request that may still be running was last sent, in ms since the epoch. An attempt that died left no
 * trace: its request may have been sent until just now.
 */
function earlierRequest(input: FinishStatusInput): number | undefined {
  const { attempt, heartbeatDetails } = activityInfo();
  // A caller's clock that is ahead must not hold the session up for longer than the settle time.
  if (attempt === 1) return input.lastSentAt === undefined ? undefined : Math.min(input.lastSentAt, Date.now());
  const trace = heartbeatDetails as Trace | undefined;
  return trace?.attempt === attempt - 1 ? (trace.lastSentAt ?? undefined) : Date.now();
}
