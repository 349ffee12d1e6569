import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../contract/index.js';
import { IncodeError } from '../incode/index.js';
import { callIncode, isFirstAttempt } from './call.js';
import { activityFailure } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import { isProven, statusById } from './token-fit.js';
import type { SessionInput } from './types.js';

/** Closes a session. May be repeated, but what Incode says to a session that is closed already is not documented. */
export function closeSession(options: ResolvedActivityOptions) {
  const { incode, operatorRetryMs, observe } = options;
  return async (session: SessionInput): Promise<{ sessionStatus: string | null }> => {
    const { interviewId } = session;
    try {
      return await callIncode(async (signal) => {
        if (await mayClose(options, session, signal)) return incode.closeSession(session, { signal });
        throw ApplicationFailure.nonRetryable(
          `Session ${interviewId}: it is not closed, because its token is not proven to be its own`,
          FAILURES.tokenUnproven,
          { interviewId, operation: 'closeSession' },
        );
      });
    } catch (error) {
      // The answer to an earlier attempt was lost: a refusal then says that it is closed, or that it cannot be.
      const isRepeat = !isFirstAttempt() && error instanceof IncodeError && error.kind === 'badRequest';
      if (isRepeat) return { sessionStatus: null };
      throw activityFailure(error, { interviewId, operatorRetryMs, observe });
    }
  };
}

/**
 * With an executive token a session may be found finished whose own token was never used, or belongs to another session. That one must
 * not be closed before it is finished.
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
