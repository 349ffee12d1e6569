import { FAILURES, type ScoreAnswer } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { callIncode, passedMs } from './call.js';
import { activityFailure, isFinal, notYet } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import { readScore } from './read-by-id.js';
import type { ScoreInput } from './types.js';

/**
 * Reads the score until Incode has one. Each early read fails the attempt with a fixed delay, because such a poll adds nothing to the
 * workflow's history.
 */
export function score(options: ResolvedActivityOptions) {
  return async (input: ScoreInput): Promise<ScoreAnswer | null> => {
    const { status, value } = await scoreOf(options, input);
    if (status !== null && status !== 'UNKNOWN') return { status, value };
    const wait = Math.min(options.scorePollMs, input.readyWithinMs - passedMs());
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
 * Whether Incode refused a call permanently. For the score of a finished session, callers treat this as "not ready": the session exists,
 * Incode does not document its answer before the score is ready, and a refusal must not cost the session its outcome.
 */
export function isRefusedForGood(error: unknown): boolean {
  return error instanceof IncodeError && error.kind !== 'tokenRefused' && isFinal(error.kind);
}
