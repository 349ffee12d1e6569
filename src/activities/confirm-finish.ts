import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type FinishAnswer, isFinished, milestoneOf } from '../contract/index.js';
import { statusByExecutive } from '../incode/index.js';
import { callIncode } from './call.js';
import { activityFailure, notYet } from './failure.js';
import { emit } from './observe.js';
import type { ResolvedActivityOptions } from './options.js';
import { nextPause } from './pauses.js';
import { isRefusedForGood } from './score.js';
import type { ConfirmFinishInput, FinishStatusResult } from './types.js';

type Options = Pick<ResolvedActivityOptions, 'incode' | 'executive' | 'observe'>;

/**
 * Whether this id has come to what the session's token told. Incode's finish-status takes no id, so the token of another session
 * would have finished that one.
 *
 * @returns `undefined` if there is no executive token to ask with
 * @throws IncodeError
 */
export async function isConfirmed(
  { incode, executive }: Options,
  interviewId: string,
  finish: FinishAnswer | null,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  // `unconfirmed` claims nothing.
  if (!executive || finish?.confirmedBy === 'unconfirmed') return undefined;
  const onboardingStatus = await statusByExecutive(incode, executive, interviewId, signal).catch((error) => {
    // A session that Incode does not know is not finished.
    if (isRefusedForGood(error)) return null;
    throw error;
  });
  return finish === null ? milestoneOf(onboardingStatus) === 'expired' : isFinished(onboardingStatus);
}

/** A first read, at once. What it cannot tell the workflow finds out by {@link confirmFinish}: the answer is in the history by then. */
export async function firstConfirmation(
  options: Options,
  interviewId: string,
  result: FinishStatusResult,
  signal: AbortSignal,
): Promise<FinishStatusResult> {
  const confirmed = await isConfirmed(options, interviewId, result.finish, signal).catch(() => false);
  return confirmed === false ? { ...result, toBeConfirmed: true } : result;
}

/** Reads the status again until it bears the finish out, or the time is over. */
export function confirmFinish(options: ResolvedActivityOptions) {
  return async ({ interviewId, finish }: ConfirmFinishInput): Promise<void> => {
    const { operatorRetryMs, observe } = options;
    const confirmed = await callIncode((signal) => isConfirmed(options, interviewId, finish, signal)).catch((error) => {
      throw activityFailure(error, { interviewId, operatorRetryMs, observe });
    });
    if (confirmed !== false) return;
    const pause = nextPause(options, activityInfo());
    if (pause !== undefined)
      throw notYet(FAILURES.unconfirmed, interviewId, 'its status does not bear out yet that it is finished', pause);
    reportNotConfirmed(options, interviewId);
    throw ApplicationFailure.nonRetryable(notConfirmed(interviewId), FAILURES.notConfirmed, {
      interviewId,
      operation: 'onboardingStatus',
    });
  };
}

export function notConfirmed(interviewId: string): string {
  return `Session ${interviewId}: Incode has answered the request to finish, but this session is not finished. The token probably belongs to another session, which is finished now. Look both up at Incode before anything else is sent.`;
}

export function reportNotConfirmed({ observe }: Options, interviewId: string): void {
  log.error(
    'A session was answered as finished and is not: its token probably belongs to another session. The answer is not used.',
    { interviewId },
  );
  emit(observe, { type: 'notConfirmed' });
}
