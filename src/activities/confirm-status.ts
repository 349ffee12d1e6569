import { activityInfo, Context, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../contract/index.js';
import { bearsOut } from '../contract/milestones.js';
import { IncodeError, statusByExecutive } from '../incode/index.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import { emit } from './observe.js';
import type { ResolvedActivityOptions } from './options.js';
import { nextPause } from './pauses.js';
import { isRefusedForGood } from './score.js';
import { checkClaim, statusById, TokenMismatchError } from './token-fit.js';
import type { ConfirmStatusInput } from './types.js';

/** Compares the statuses of webhooks with Incode's own answer. */
export function confirmStatus(options: ResolvedActivityOptions) {
  return async (input: ConfirmStatusInput): Promise<{ onboardingStatus: string | null }> => {
    const { interviewId, hints } = input;
    const { observe, operatorRetryMs } = options;
    const onboardingStatus = await readStatus(options, input).catch((error) => {
      if (isRefusedForGood(error)) reportContradiction(options, input, (error as IncodeError).message);
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
    const pause = nextPause(options);
    if (pause !== undefined) {
      throw notYet(FAILURES.milestoneNotReached, interviewId, 'Incode does not say what a webhook said', pause);
    }
    reportContradiction(options, input, onboardingStatus);
    return { onboardingStatus };
  };
}

function reportContradiction({ observe }: ResolvedActivityOptions, input: ConfirmStatusInput, answer: string): void {
  log.warn('A webhook contradicts Incode: the session goes by what Incode answers', {
    interviewId: input.interviewId,
    webhook: input.hints,
    incode: answer,
  });
  emit(observe, { type: 'hint', result: 'contradicted' });
}

/**
 * With an executive token, uses only that. The session's own token may belong to another session, whose status would confirm a forged
 * webhook.
 *
 * @returns `null` if there is no token that Incode accepts
 */
async function readStatus(options: ResolvedActivityOptions, input: ConfirmStatusInput): Promise<string | null> {
  const { incode, executive, tokenSource } = options;
  const { interviewId } = input;
  const { cancellationSignal: signal } = Context.current();
  if (executive) return callIncode(() => statusByExecutive(incode, executive, interviewId, signal));
  const byToken = async (sessionToken: string | undefined) => {
    if (sessionToken === undefined) return undefined;
    checkClaim({ interviewId, sessionToken });
    return (await statusById(incode, { interviewId, sessionToken }, signal)).onboardingStatus;
  };
  const ways = [() => byToken(input.sessionToken), async () => byToken(await tokenSource?.token(interviewId, signal))];
  let refusal: unknown;
  let failure: unknown;
  let mismatch: TokenMismatchError | undefined;
  for (const way of ways) {
    try {
      const onboardingStatus = await callIncode(way);
      if (onboardingStatus !== undefined) return onboardingStatus;
    } catch (error) {
      if (error instanceof IncodeError && error.operation === 'onboardingStatus' && error.kind !== 'tokenRefused') {
        throw error;
      }
      // Incode may accept the next token.
      if (error instanceof TokenMismatchError) mismatch = error;
      else if (isRefusal(error)) refusal = error;
      else failure = error;
    }
  }
  // While the token source fails, nobody knows whether there is a token that Incode accepts.
  if (failure !== undefined) throw failure;
  // Incode accepts this token, so the webhook does not count without its confirmation.
  if (mismatch) throw mismatch;
  // Incode may refuse a token for a moment, so only a repeated refusal means that there is no token.
  const pause = activityInfo().attempt === 1 ? nextPause(options) : undefined;
  if (refusal === undefined || pause === undefined) return null;
  throw notYet(FAILURES.milestoneNotReached, interviewId, 'Incode refused the token that confirms a webhook', pause);
}

function isRefusal(error: unknown): boolean {
  if (error instanceof IncodeError) return error.kind === 'tokenRefused';
  return error instanceof ApplicationFailure && error.nonRetryable === true;
}
