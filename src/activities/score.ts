import { activityInfo } from '@temporalio/activity';
import { FAILURES, type ScoreAnswer } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { callIncode } from './call.js';
import { activityFailure, isFinal, notYet } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import { readScore } from './read-by-id.js';
import type { ScoreInput } from './types.js';

/**
 * Reads the score until Incode has one. Each "not ready" is a failed attempt with a fixed delay: such a poll adds nothing
 * to the workflow's history.
 */
export function score(options: ResolvedActivityOptions) {
  return async (input: ScoreInput): Promise<ScoreAnswer | null> => {
    const { status, value } = await scoreOf(options, input);
    if (status !== null && status !== 'UNKNOWN') return { status, value };
    const wait = Math.min(options.scorePollMs, timeLeft(input));
    if (wait <= 0) return null;
    throw notYet(FAILURES.scoreNotReady, input.interviewId, 'Incode has no score yet', wait);
  };
}

async function scoreOf(options: ResolvedActivityOptions, input: ScoreInput) {
  try {
    return await callIncode((signal) => readScore(options, input, signal));
  } catch (error) {
    if (isRefusedForGood(error)) return { status: null, value: null };
    const { operatorRetryMs, observe } = options;
    throw activityFailure(error, { interviewId: input.interviewId, operatorRetryMs, observe });
  }
}

/**
 * A session whose finishing was answered exists, so a score that is refused is one that is not there yet: what Incode says then is
 * not documented, and the outcome of a finished session must not be lost over it.
 */
export function isRefusedForGood(error: unknown): boolean {
  return error instanceof IncodeError && error.kind !== 'tokenRefused' && isFinal(error.kind);
}

/** By the server's clock alone, so that a worker whose clock is off neither gives up early nor asks for ever. */
function timeLeft(input: ScoreInput): number {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  return scheduledTimestampMs + input.readyWithinMs - currentAttemptScheduledTimestampMs;
}
