import { milestoneOf } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { tell } from './observe.js';
import type { ResolvedActivityOptions } from './options.js';
import type { FinishStatusResult, SessionInput } from './types.js';

/** What is known of earlier requests to finish a session. */
export interface EarlierRequests {
  /** There may have been one. */
  verify: boolean;
  /** When one that may still be running was last sent, by the server's clock, in ms since the epoch. */
  lastSentAt: number | undefined;
}

/**
 * When a request that may still be running was last sent: a moment, by the server's clock, or in the course of this attempt.
 * Workers' clocks are not compared: two that differ by more than the settle time would finish a session twice.
 */
export type LastSent = number | 'inThisAttempt' | undefined;

/** What one attempt came to. In all but the first case `lastSentAt` is what the next one has to know. */
export type FinishAttempt =
  | { result: FinishStatusResult }
  /** Nothing was sent: an earlier request may still be running at Incode for so long. */
  | { settlesInMs: number; lastSentAt: LastSent }
  | { error: unknown; lastSentAt: LastSent };

type Options = Pick<ResolvedActivityOptions, 'incode' | 'settleTimeMs' | 'observe'>;

/**
 * finish-status has side effects and no idempotency key. So:
 * 1. one HTTP attempt per call of this;
 * 2. any attempt that may not be the first reads the status before, and finishes only an unfinished session;
 * 3. "unfinished" counts only when no earlier request can still be running; "finished" counts at once.
 */
export async function finishOnce(
  { incode, settleTimeMs, observe }: Options,
  session: SessionInput & { flowId?: string },
  { verify, lastSentAt: earlier, now }: EarlierRequests & { now: () => number },
  signal: AbortSignal,
): Promise<FinishAttempt> {
  let lastSentAt: LastSent = earlier;
  try {
    if (verify || earlier !== undefined) {
      const known = await readStatus(incode, session, signal);
      tell(observe, { type: 'verification', result: known ? (known.finish ? 'finished' : 'expired') : 'open' });
      if (known) return { result: known };
      const settlesInMs = (earlier ?? Number.NEGATIVE_INFINITY) + settleTimeMs - now();
      if (settlesInMs > 0) return { settlesInMs, lastSentAt: earlier };
    }
    lastSentAt = 'inThisAttempt';
    return { result: await finish(incode, session, signal) };
  } catch (error) {
    // A request that Incode refused or ended runs no longer, and nothing earlier does, or it would not have been sent.
    const ofFinish = error instanceof IncodeError && error.operation === 'finishStatus' ? error.kind : undefined;
    if (ofFinish === 'maybeRunning' || ofFinish === 'resultUnknown') {
      tell(observe, { type: 'ambiguousFinish', kind: ofFinish });
    }
    const isOver = ofFinish !== undefined && ofFinish !== 'maybeRunning';
    return { error, lastSentAt: isOver ? undefined : lastSentAt };
  }
}

type Incode = ResolvedActivityOptions['incode'];

async function finish(
  incode: Incode,
  session: SessionInput & { flowId?: string },
  signal: AbortSignal,
): Promise<FinishStatusResult> {
  try {
    const { action, redirectionUrl } = await incode.finishStatus(session, { signal });
    return { finish: { action, redirectionUrl, confirmedBy: 'response' }, onboardingStatus: 'ONBOARDING_FINISHED' };
  } catch (error) {
    if (!(error instanceof IncodeError) || error.kind !== 'badRequest') throw error;
    // What Incode says to a session that has expired, or was finished before, is not documented. If it says 400, the status
    // tells that the session is over, which is a result and no failure.
    const known = await readStatus(incode, session, signal);
    if (known) return known;
    throw error;
  }
}

/** @returns `undefined` if the session is not finished, as far as Incode says. */
async function readStatus(
  incode: Incode,
  session: SessionInput,
  signal: AbortSignal,
): Promise<FinishStatusResult | undefined> {
  const { onboardingStatus } = await incode.onboardingStatus(session, { signal });
  const milestone = milestoneOf(onboardingStatus);
  if (milestone === 'expired') return { finish: null, onboardingStatus };
  if (milestone !== 'finished' && milestone !== 'reviewed') return undefined;
  return { finish: { action: null, redirectionUrl: null, confirmedBy: 'status' }, onboardingStatus };
}
