import { sleep } from '@temporalio/activity';
import { HEARTBEAT_TIMEOUT_MS } from '../../contract/heartbeat.js';
import { FAILURES } from '../../contract/index.js';
import { laterStatus } from '../../contract/milestones.js';
import type { FaceMatchAnswer, GovernmentAnswer, WatchlistAnswer } from '../../incode/index.js';
import { IncodeError } from '../../incode/index.js';
import { callIncode, isFirstAttempt, passedMs } from '../call.js';
import { notYet } from '../failure.js';
import { readStatus } from '../read-by-id.js';
import type { SessionInput } from '../types.js';
import { captureFailure } from './failure.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { AwaitProcessedInput, ProcessIdInput, ProcessIdResult } from './types.js';

/** Incode's names for the milestones of processing. */
const ID_PROCESSED = 'ID_VALIDATION_FINISHED';
const GOVERNMENT_ASKED = 'GOVERNMENT_VALIDATION_FINISHED';

export function processId(options: ResolvedCaptureOptions) {
  return (input: ProcessIdInput): Promise<ProcessIdResult> =>
    attempt(options, input, async (signal): Promise<ProcessIdResult> => {
      // After other images are uploaded, the status is still that of the earlier ones. Incode itself then refuses a second request.
      if (!input.again && (await mayBeDone(options, input, ID_PROCESSED, signal))) {
        return { result: 'alreadyProcessed', code: null };
      }
      try {
        return await options.capture.processId(input, { signal });
      } catch (error) {
        // In words that this package does not know, Incode probably refuses what an earlier attempt has started. The status shows it later.
        if (isRefusedRepeat(error)) return { result: 'alreadyProcessed', code: null, assumed: true };
        throw error;
      }
    });
}

export function governmentValidation(options: ResolvedCaptureOptions) {
  return (input: SessionInput): Promise<GovernmentAnswer> =>
    attempt(options, input, async (signal) => {
      if (await mayBeDone(options, input, GOVERNMENT_ASKED, signal)) return { valid: null, statusCode: null };
      return options.capture.governmentValidation(input, { signal });
    });
}

export function processFace(options: ResolvedCaptureOptions) {
  return (input: SessionInput): Promise<FaceMatchAnswer> =>
    attempt(options, input, (signal) => options.capture.processFace(input, { signal }));
}

/** It is unknown whether Incode accepts a second search. The search is retried, because a missing search would be worse than a second one. */
export function watchlist(options: ResolvedCaptureOptions) {
  return (input: SessionInput): Promise<WatchlistAnswer> =>
    attempt(options, input, async (signal) => {
      try {
        return await options.capture.watchlist(input, { signal });
      } catch (error) {
        // The answer to an earlier attempt was lost, and Incode refuses another search.
        if (isRefusedRepeat(error)) return { hits: null };
        throw error;
      }
    });
}

/**
 * Asks for some seconds, because Temporal bills each attempt. It then fails the attempt with a fixed delay, because such a poll adds nothing to
 * the workflow's history.
 */
export function awaitProcessed(options: ResolvedCaptureOptions) {
  const { processIdPollMs } = options;
  return async (input: AwaitProcessedInput): Promise<{ finished: boolean }> => {
    const { interviewId } = input;
    const isFinished = async (signal: AbortSignal) => {
      const { finished } = await options.capture.isFinished(input, { signal });
      return finished && (!input.confirm || (await hasReached(options, input, ID_PROCESSED, signal)));
    };
    const begunAt = performance.now();
    for (;;) {
      try {
        if (await callIncode(isFinished)) return { finished: true };
        const askedForMs = performance.now() - begunAt;
        const wait = Math.min(processIdPollMs, input.processedWithinMs - passedMs() - askedForMs);
        if (wait <= 0) return { finished: false };
        if (askedForMs + wait > ASK_FOR_MS) {
          throw notYet(FAILURES.notProcessed, interviewId, 'Incode is still processing the ID', wait);
        }
        await sleep(wait);
      } catch (error) {
        // A failed poll waits as long as any other.
        throw captureFailure(error, options, { interviewId, leastDelayMs: processIdPollMs });
      }
    }
  };
}

/** Between two questions no heartbeat is sent, because each is billed. So the last answer has to come before the heartbeat timeout. */
const ASK_FOR_MS = 0.6 * HEARTBEAT_TIMEOUT_MS;

/** Makes one call of processing. After an ambiguous end, Incode may still work on it, so the next attempt waits for the settle time. */
async function attempt<T>(
  options: ResolvedCaptureOptions,
  { interviewId }: SessionInput,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await callIncode(call);
  } catch (error) {
    const isAmbiguous = error instanceof IncodeError && ['resultUnknown', 'maybeRunning'].includes(error.kind);
    throw captureFailure(error, options, { interviewId, leastDelayMs: isAmbiguous ? options.settleTimeMs : 0 });
  }
}

function isRefusedRepeat(error: unknown): boolean {
  return !isFirstAttempt() && error instanceof IncodeError && error.kind === 'badRequest';
}

/** Whether an earlier attempt took effect. */
async function mayBeDone(
  options: ResolvedCaptureOptions,
  session: SessionInput,
  milestone: string,
  signal: AbortSignal,
): Promise<boolean> {
  return !isFirstAttempt() && hasReached(options, session, milestone, signal);
}

async function hasReached(
  options: ResolvedCaptureOptions,
  session: SessionInput,
  milestone: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { onboardingStatus } = await readStatus(options, session, signal);
  return laterStatus(milestone, onboardingStatus) === onboardingStatus;
}
