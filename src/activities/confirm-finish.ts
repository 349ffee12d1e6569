import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, isFinished, isKnownStatus, milestoneOf } from '../contract/index.js';
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

/** Whether something can be found out about a result that is not known yet. `unconfirmed` claims nothing. */
export function isConfirmable({ executive }: Options, { result, isConfirmed, isUnproven }: FinishedAttempt): boolean {
  if (isConfirmed || result.finish?.confirmedBy === 'unconfirmed') return false;
  return executive !== undefined || isUnproven === true;
}

/**
 * Whether the status by id does not contradict the result. Incode's finish-status takes no id, so the token of another session would have
 * finished that one.
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
    // A session that Incode does not know is not finished.
    if (isRefusedForGood(error)) return null;
    throw error;
  });
  return finish === null ? milestoneOf(onboardingStatus) === 'expired' : isFinished(onboardingStatus);
}

/**
 * Whether the session's own token finds this id unfinished. It does if Incode lets any token read any id. If Incode refuses the read for
 * good, nothing can be found out.
 *
 * @throws IncodeError for a failure that may pass
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

/** Reads the status again until it confirms the finish, or the time is over. */
export function confirmFinish(options: ResolvedActivityOptions) {
  return async (input: ConfirmFinishInput): Promise<void> => {
    const { interviewId } = input;
    const { operatorRetryMs, observe } = options;
    const confirmed = await callIncode((signal) => isConfirmed(options, input, signal)).catch((error) => {
      throw activityFailure(error, { interviewId, operatorRetryMs, observe });
    });
    if (confirmed) return;
    const pause = nextPause(options, activityInfo());
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
  return `Session ${interviewId}: Incode answered to its token that it is finished, but its status by id says unfinished. The token probably belongs to another session, which is finished now. Look both up at Incode before anything else is sent.`;
}

export function reportNotConfirmed({ observe }: Options, interviewId: string): void {
  // Whatever was answered was not about this session.
  forget(interviewId);
  log.error(
    'A session was answered as finished and is not: its token probably belongs to another session. The answer is not used.',
    { interviewId },
  );
  emit(observe, { type: 'notConfirmed' });
}
