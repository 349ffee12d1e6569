import { activityInfo, Context, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { bearsOut, FAILURES } from '../contract/index.js';
import { IncodeError, statusByExecutive } from '../incode/index.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import { emit } from './observe.js';
import type { ResolvedActivityOptions } from './options.js';
import { nextPause } from './pauses.js';
import { checkClaim, TokenMismatchError } from './token-fit.js';
import type { ConfirmStatusInput } from './types.js';

/** Holds what webhooks said against Incode's own answer. */
export function confirmStatus(options: ResolvedActivityOptions) {
  return async (input: ConfirmStatusInput): Promise<{ onboardingStatus: string | null }> => {
    const { interviewId, hints } = input;
    const { observe, operatorRetryMs } = options;
    const onboardingStatus = await readStatus(options, input).catch((error) => {
      throw activityFailure(error, { interviewId, operatorRetryMs, observe });
    });
    if (onboardingStatus === null) {
      emit(observe, { type: 'hint', result: 'unconfirmed' });
      return { onboardingStatus };
    }
    if (hints.some((hint) => bearsOut(onboardingStatus, hint))) {
      emit(observe, { type: 'hint', result: 'confirmed' });
      return { onboardingStatus };
    }
    const pause = nextPause(options, activityInfo());
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
  const { incode, executive, tokenSource } = options;
  const { interviewId } = input;
  const { cancellationSignal: signal } = Context.current();
  const byToken = async (sessionToken: string | undefined) => {
    if (sessionToken === undefined) return undefined;
    checkClaim({ interviewId, sessionToken });
    return (await incode.onboardingStatus({ interviewId, sessionToken }, { signal })).onboardingStatus;
  };
  // The executive token first: it cannot belong to another session.
  const ways = [
    async () => executive && statusByExecutive(incode, executive, interviewId, signal),
    () => byToken(input.sessionToken),
    async () => byToken(await tokenSource?.token(interviewId, signal)),
  ];
  let failure: unknown;
  for (const way of ways) {
    try {
      const onboardingStatus = await callIncode(way);
      if (onboardingStatus !== undefined) return onboardingStatus;
    } catch (error) {
      if (error instanceof IncodeError && error.operation === 'onboardingStatus' && error.kind !== 'tokenRefused') {
        throw error;
      }
      // The next token may do. A token source, or a log-in, that fails now may work later.
      if (!isRefusal(error)) failure = error;
    }
  }
  const isOver = nextPause(options, activityInfo()) === undefined;
  if (failure !== undefined && !isOver) throw failure;
  return null;
}

function isRefusal(error: unknown): boolean {
  if (error instanceof TokenMismatchError) return true;
  if (error instanceof IncodeError) return error.kind === 'tokenRefused';
  return error instanceof ApplicationFailure && error.nonRetryable === true;
}
