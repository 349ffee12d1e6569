import { activityInfo, Context, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { bearsOut, FAILURES } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import { emit } from './observe.js';
import type { ResolvedActivityOptions } from './options.js';
import type { ConfirmStatusInput } from './types.js';

/** The first pause, and so how many reads there are. */
const FIRST_PAUSE = 1 / 36;

/** Holds what webhooks said against Incode's own answer. */
export function confirmStatus(options: ResolvedActivityOptions) {
  return async (input: ConfirmStatusInput): Promise<{ onboardingStatus: string | null }> => {
    const { interviewId, hints } = input;
    const { observe, operatorRetryMs } = options;
    const onboardingStatus = await readStatus(options, input).catch((error) => {
      throw activityFailure(error, { interviewId, operatorRetryMs });
    });
    if (onboardingStatus === null) {
      emit(observe, { type: 'hint', result: 'unconfirmed' });
      return { onboardingStatus };
    }
    if (hints.some((hint) => bearsOut(onboardingStatus, hint))) {
      emit(observe, { type: 'hint', result: 'confirmed' });
      return { onboardingStatus };
    }
    const pause = nextPause(options);
    if (pause !== undefined) {
      throw notYet(FAILURES.milestoneNotReached, interviewId, 'Incode does not say what a webhook said', pause);
    }
    log.warn('A webhook contradicts Incode: the session goes by what Incode answers', {
      interviewId,
      webhook: hints,
      incode: onboardingStatus,
    });
    emit(observe, { type: 'hint', result: 'contradicted' });
    return { onboardingStatus };
  };
}

/** @returns `null` if there is no token that Incode accepts */
async function readStatus(options: ResolvedActivityOptions, input: ConfirmStatusInput): Promise<string | null> {
  const { incode, tokenSource } = options;
  const { interviewId } = input;
  const { cancellationSignal } = Context.current();
  const tokens = [async () => input.sessionToken, async () => tokenSource?.token(interviewId, cancellationSignal)];
  let failure: unknown;
  for (const token of tokens) {
    try {
      const sessionToken = await token();
      if (sessionToken === undefined) continue;
      const { onboardingStatus } = await callIncode((signal) =>
        incode.onboardingStatus({ interviewId, sessionToken }, { signal }),
      );
      return onboardingStatus;
    } catch (error) {
      if (error instanceof IncodeError && error.operation === 'onboardingStatus' && error.kind !== 'tokenRefused') {
        throw error;
      }
      // The next token may do; a token source that fails now may have one later.
      if (!isRefusal(error)) failure = error;
    }
  }
  const isOver = nextPause(options) === undefined;
  if (failure !== undefined && !isOver) throw failure;
  return null;
}

function isRefusal(error: unknown): boolean {
  if (error instanceof IncodeError) return error.kind === 'tokenRefused';
  return error instanceof ApplicationFailure && error.nonRetryable === true;
}

/** By the server's clock: each pause doubles what has passed. @returns `undefined` when the time is over */
function nextPause({ confirmWithinMs }: ResolvedActivityOptions): number | undefined {
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  const passed = currentAttemptScheduledTimestampMs - scheduledTimestampMs;
  const pause = passed + confirmWithinMs * FIRST_PAUSE;
  return passed + pause <= confirmWithinMs ? pause : undefined;
}
