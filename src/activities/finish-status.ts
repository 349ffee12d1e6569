import { activityInfo, heartbeat } from '@temporalio/activity';
import { FAILURES, milestoneOf } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import type { FinishStatusInput, FinishStatusResult } from './types.js';

/**
 * finish-status has side effects and no idempotency key. So:
 * 1. one HTTP attempt per activity attempt;
 * 2. any attempt that may not be the first reads the status before, and finishes only an unfinished session;
 * 3. "unfinished" counts only when no earlier request can still be running; "finished" counts at once.
 */
export function finishStatus(options: ResolvedActivityOptions) {
  return async (input: FinishStatusInput): Promise<FinishStatusResult> => {
    let lastSentAt = earlierRequest(input);
    try {
      if (activityInfo().attempt > 1 || input.verifyFirst || lastSentAt !== undefined) {
        const known = await readStatus(options, input);
        if (known) return known;
        const wait = lastSentAt === undefined ? 0 : lastSentAt + options.settleTimeMs - Date.now();
        if (wait > 0) {
          throw notYet(FAILURES.settling, input.interviewId, 'an earlier request may still be running at Incode', wait);
        }
      }
      lastSentAt = Date.now();
      return await finish(options, input);
    } catch (error) {
      // A request that Incode refused or ended runs no longer, and nothing earlier does, or it would not have been sent.
      if (error instanceof IncodeError && error.operation === 'finishStatus' && error.kind !== 'maybeRunning') {
        lastSentAt = undefined;
      }
      leaveTrace(lastSentAt);
      throw activityFailure(error, {
        interviewId: input.interviewId,
        mendIntervalMs: options.mendIntervalMs,
        ...(lastSentAt === undefined ? {} : { lastSentAt }),
      });
    }
  };
}

async function finish(options: ResolvedActivityOptions, input: FinishStatusInput): Promise<FinishStatusResult> {
  try {
    const { action, redirectionUrl } = await callIncode((signal) => options.incode.finishStatus(input, { signal }));
    return { finish: { action, redirectionUrl, confirmedBy: 'response' }, onboardingStatus: 'ONBOARDING_FINISHED' };
  } catch (error) {
    if (!(error instanceof IncodeError) || error.kind !== 'badRequest') throw error;
    // What Incode says to a session that has expired, or was finished before, is not documented. If it says 400, the status
    // tells that the session is over, which is a result and no failure.
    const known = await readStatus(options, input);
    if (known) return known;
    throw error;
  }
}

/** @returns `undefined` if the session is not finished, as far as Incode says. */
async function readStatus(
  { incode }: ResolvedActivityOptions,
  input: FinishStatusInput,
): Promise<FinishStatusResult | undefined> {
  const { onboardingStatus } = await callIncode((signal) => incode.onboardingStatus(input, { signal }));
  switch (milestoneOf(onboardingStatus)) {
    case 'finished':
    case 'reviewed':
      return { finish: { action: null, redirectionUrl: null, confirmedBy: 'status' }, onboardingStatus };
    case 'expired':
      return { finish: null, onboardingStatus };
    case 'open':
    case 'processed':
      return undefined;
  }
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
