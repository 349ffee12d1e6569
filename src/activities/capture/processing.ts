import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { HEARTBEAT_TIMEOUT_MS } from '../../contract/heartbeat.js';
import { FAILURES } from '../../contract/index.js';
import { laterStatus } from '../../contract/milestones.js';
import type { CallOptions } from '../../incode/caller.js';
import type { FaceMatchAnswer, GovernmentAnswer, IncodeOperation, WatchlistAnswer } from '../../incode/index.js';
import { IncodeError, mayHaveTakenEffect } from '../../incode/index.js';
import { callIncode, isFirstAttempt, passedMs } from '../call.js';
import { notYet } from '../failure.js';
import { Lease, sendWhileLeased } from '../lease.js';
import { readStatus } from '../read-by-id.js';
import { LeaseAfterStandstill } from '../standstill.js';
import type { SessionInput } from '../types.js';
import { captureFailure } from './failure.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { AwaitProcessedInput, ProcessIdInput, ProcessIdResult } from './types.js';

/** Incode's names for the milestones of processing. */
const ID_PROCESSED = 'ID_VALIDATION_FINISHED';
const GOVERNMENT_ASKED = 'GOVERNMENT_VALIDATION_FINISHED';

export function processId(options: ResolvedCaptureOptions) {
  return (input: ProcessIdInput): Promise<ProcessIdResult> =>
    attempt<ProcessIdResult>(options, input, {
      lease: () => new LeaseAfterStandstill('processId'),
      // After other images are uploaded, the status is still that of the earlier ones. Incode itself then refuses a second request.
      ...(input.again ? {} : { done: { milestone: ID_PROCESSED, result: { result: 'alreadyProcessed', code: null } } }),
      send: (callOptions) => options.capture.processId(input, callOptions),
      // In words that this package does not know, Incode probably refuses what an earlier attempt has started. The status shows it later.
      onRefusedRepeat: () => ({ result: 'alreadyProcessed', code: null, assumed: true }),
    });
}

export function processFace(options: ResolvedCaptureOptions) {
  return (input: SessionInput): Promise<FaceMatchAnswer> =>
    attempt(options, input, {
      lease: () => new LeaseAfterStandstill('processFace'),
      send: (callOptions) => options.capture.processFace(input, callOptions),
    });
}

export function governmentValidation(options: ResolvedCaptureOptions) {
  return (input: SessionInput): Promise<GovernmentAnswer> =>
    attempt(options, input, {
      ...billed('governmentValidation'),
      done: { milestone: GOVERNMENT_ASKED, result: { valid: null, statusCode: null } },
      send: (callOptions) => options.capture.governmentValidation(input, callOptions),
    });
}

/** It is unknown whether Incode accepts a second search. The search is retried, because a missing search would be worse than a second one. */
export function watchlist(options: ResolvedCaptureOptions) {
  return (input: SessionInput): Promise<WatchlistAnswer> =>
    attempt(options, input, {
      ...billed('watchlist'),
      send: (callOptions) => options.capture.watchlist(input, callOptions),
      // The answer to an earlier attempt was lost, and Incode refuses another search.
      onRefusedRepeat: () => ({ hits: null }),
    });
}

/**
 * Somebody may bill each request. So the server confirms each attempt that begins late, which costs a heartbeat, and a gateway's 408 or 503 counts
 * as ambiguous too. The calls about documents and faces begin late whenever they wait for the rate limit, and Incode refuses or ignores their repeats.
 */
function billed(operation: IncodeOperation): Pick<ProcessingCall<unknown>, 'lease' | 'isAmbiguous'> {
  return { lease: () => new Lease(operation), isAmbiguous: mayHaveTakenEffect };
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

interface ProcessingCall<T> {
  /** Called when the attempt begins. */
  lease: () => Pick<Lease, 'holds' | 'renew'> & { readonly operation: IncodeOperation };
  /** The status that shows that an earlier attempt took effect, and the result then. @default the status shows nothing */
  done?: { milestone: string; result: T };
  send: (options: CallOptions) => Promise<T>;
  /** The result if Incode refuses a repeat. @default the failure */
  onRefusedRepeat?: () => T;
  /** Whether Incode may still work on the request. @default by the kind of the error */
  isAmbiguous?: (error: unknown) => boolean;
}

/** What an attempt passes to the next one, as heartbeat details, which outlive the attempt. */
interface ProcessingRecord {
  /** The last attempt that ended and was followed by the settle time if it was ambiguous. 0 while an attempt runs. */
  endedAttempt: number;
}

/**
 * Makes one call of processing. After an ambiguous end, Incode may still work on it, so the next attempt waits for the settle time. An attempt that
 * was replaced, for example while its worker was frozen, sends nothing.
 */
async function attempt<T>(
  options: ResolvedCaptureOptions,
  session: SessionInput,
  { lease: beginLease, done, send, onRefusedRepeat, isAmbiguous = isAmbiguousKind }: ProcessingCall<T>,
): Promise<T> {
  const { interviewId } = session;
  const lease = beginLease();
  const number = activityInfo().attempt;
  const record = (endedAttempt: number) => heartbeat({ endedAttempt } satisfies ProcessingRecord);
  // Replaces the record of attempts before the reset, which would be mistaken for one of this attempt.
  if (number === 1 && !isFirstAttempt()) record(0);
  let settles = isSettled();
  try {
    return await callIncode(async (signal) => {
      if (done && !isFirstAttempt() && (await hasReached(options, session, done.milestone, signal))) return done.result;
      if (!settles) {
        settles = true;
        throw notYet(
          FAILURES.settling,
          interviewId,
          'an earlier request may still be running at Incode',
          options.settleTimeMs,
        );
      }
      const write = (mayStillSend: () => boolean) => send({ signal, mayStillSend });
      return sendWhileLeased(lease, () => undefined, lease.operation, write);
    });
  } catch (error) {
    // The settle time after an attempt that died is still due if the status could not be read.
    if (settles) record(number);
    if (onRefusedRepeat && isRefusedRepeat(error)) return onRefusedRepeat();
    throw captureFailure(error, options, { interviewId, leastDelayMs: isAmbiguous(error) ? options.settleTimeMs : 0 });
  }
}

/** An attempt that died left no record, so its request may have been sent until the server scheduled this attempt. */
function isSettled(): boolean {
  const { attempt: number, heartbeatDetails } = activityInfo();
  const { endedAttempt = 0 } = (heartbeatDetails ?? {}) as Partial<ProcessingRecord>;
  return isFirstAttempt() || (endedAttempt > 0 && endedAttempt === number - 1);
}

function isAmbiguousKind(error: unknown): boolean {
  return error instanceof IncodeError && ['resultUnknown', 'maybeRunning'].includes(error.kind);
}

function isRefusedRepeat(error: unknown): boolean {
  return !isFirstAttempt() && error instanceof IncodeError && error.kind === 'badRequest';
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
