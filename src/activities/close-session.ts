import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { callIncode, isFirstAttempt } from './call.js';
import { activityFailure } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import { isProven, statusById } from './token-fit.js';
import type { SessionInput } from './types.js';

/** Closes a session. Incode does not document its answer for a session that is already closed. */
export function closeSession(options: ResolvedActivityOptions) {
  const { incode, operatorRetryMs, observe } = options;
  return async (session: SessionInput): Promise<{ sessionStatus: string | null }> => {
    const { interviewId } = session;
    try {
      return await callIncode(async (signal) => {
        if (await mayClose(options, session, signal)) return incode.closeSession(session, { signal });
        throw ApplicationFailure.nonRetryable(
          `Session ${interviewId}: not closed, because its token is not proven to belong to it`,
          FAILURES.tokenUnproven,
          { interviewId, operation: 'closeSession' },
        );
      });
    } catch (error) {
      // An earlier attempt may have closed the session, and its answer was lost. A refusal then means that it is closed, or can never be closed.
      const isRepeat = !isFirstAttempt() && error instanceof IncodeError && error.kind === 'badRequest';
      if (isRepeat) return { sessionStatus: null };
      throw activityFailure(error, { interviewId, operatorRetryMs, observe });
    }
  };
}

/**
 * An executive token may find a session finished whose own token was never used, and may belong to another session. Closing with that
 * token would close the other session before it is finished.
 */
export async function mayClose(
  options: Pick<ResolvedActivityOptions, 'incode' | 'executive' | 'refusesForeignIds'>,
  session: SessionInput,
  signal: AbortSignal,
): Promise<boolean> {
  if (!options.executive || isProven(options, session, false)) return true;
  if (!options.refusesForeignIds) return false;
  await statusById(options.incode, session, signal);
  return true;
}
