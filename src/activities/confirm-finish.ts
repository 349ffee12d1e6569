import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, isFinished } from '../contract/index.js';
import { isKnownStatus, milestoneOf } from '../contract/milestones.js';
import { IncodeError, statusByExecutive } from '../incode/index.js';
import { callIncode } from './call.js';
import { activityFailure, isFinal, notYet } from './failure.js';
import type { FinishedAttempt } from './finish-once.js';
import { emit } from './observe.js';
import type { ResolvedActivityOptions } from './options.js';
import { nextPause } from './pauses.js';
import { forget } from './recent-requests.js';
import { isRefusedForGood } from './score.js';
import { statusById, TokenMismatchError } from './token-fit.js';
import type { ConfirmFinishInput } from './types.js';

type Options = Pick<ResolvedActivityOptions, 'incode' | 'executive' | 'observe'>;

/** Whether a read can confirm or deny the result. `unconfirmed` claims nothing, so there is nothing to confirm. */
export function isConfirmable({ executive }: Options, { result, isConfirmed, isUnproven }: FinishedAttempt): boolean {
  if (isConfirmed || result.finish?.confirmedBy === 'unconfirmed') return false;
  return executive !== undefined || isUnproven === true;
}

/**
 * Whether the status by id agrees with the result, or nothing contradicts it. Incode's finish-status takes no id, so the token of another
 * session would have finished that other session.
 *
 * @throws IncodeError
 */
export async function isConfirmed(
  options: Options,
  { interviewId, sessionToken, finish }: ConfirmFinishInput,
  signal: AbortSignal,
): Promise<boolean> {
  const { incode, executive } = options;
  if (!executive) return sessionToken === undefined || !(await isDenied(options, interviewId, sessionToken, signal));
  const onboardingStatus = await statusByExecutive(incode, executive, interviewId, signal).catch((error) => {
    // Incode does not know the session, so it is not finished.
    if (isRefusedForGood(error)) return null;
    throw error;
  });
  if (finish === null) return milestoneOf(onboardingStatus) === 'expired';
  if (isFinished(onboardingStatus)) return true;
  // An unknown status never counts as unfinished. So it does not deny the answer to a token that is proven to be the session's own.
  return finish.confirmedBy === 'response' && onboardingStatus !== null && !isKnownStatus(onboardingStatus);
}

/**
 * Whether the session's own token reads an unfinished status for this id. This detects another session's token if Incode lets any token read
 * any id. If Incode refuses the read permanently, nothing denies the result.
 *
 * @throws IncodeError for a failure that a retry may overcome
 */
async function isDenied({ incode }: Options, interviewId: string, sessionToken: string, signal: AbortSignal) {
  try {
    const { onboardingStatus } = await statusById(incode, { interviewId, sessionToken }, signal);
    return isKnownStatus(onboardingStatus) && ['open', 'processed'].includes(milestoneOf(onboardingStatus));
  } catch (error) {
    if (error instanceof TokenMismatchError) return true;
    if (error instanceof IncodeError && isFinal(error.kind)) return false;
    throw error;
  }
}

/** Reads the status again until it confirms the finish or the time is over. */
export function confirmFinish(options: ResolvedActivityOptions) {
  return async (input: ConfirmFinishInput): Promise<void> => {
    const { interviewId } = input;
    const { operatorRetryMs, observe } = options;
    const confirmed = await callIncode((signal) => isConfirmed(options, input, signal)).catch((error) => {
      throw activityFailure(error, { interviewId, operatorRetryMs, observe });
    });
    if (confirmed) return;
    const pause = nextPause(options);
    if (pause !== undefined)
      throw notYet(FAILURES.unconfirmed, interviewId, 'its status does not yet say that it is finished', pause);
    reportNotConfirmed(options, interviewId);
    throw ApplicationFailure.nonRetryable(notConfirmed(interviewId), FAILURES.notConfirmed, {
      interviewId,
      operation: 'onboardingStatus',
    });
  };
}

export function notConfirmed(interviewId: string): string {
  return `Session ${interviewId}: Incode answered to its token that it is finished, but its status by id does not say so. The token probably belongs to another session, which is finished now. Look both up at Incode before anything else is sent.`;
}

export function reportNotConfirmed({ observe }: Options, interviewId: string): void {
  // Incode's answer was about another session.
  forget(interviewId);
  log.error(
    'A session was answered as finished and is not: its token probably belongs to another session. The answer is not used.',
    { interviewId },
  );
  emit(observe, { type: 'notConfirmed' });
}
