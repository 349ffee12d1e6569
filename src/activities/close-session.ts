import { IncodeError } from '../incode/index.js';
import { callIncode, isFirstAttempt } from './call.js';
import { activityFailure } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import type { SessionInput } from './types.js';

/** Closes a session. May be repeated, but what Incode says to a session that is closed already is not documented. */
export function closeSession({ incode, operatorRetryMs, observe }: ResolvedActivityOptions) {
  return async (session: SessionInput): Promise<{ sessionStatus: string | null }> => {
    try {
      return await callIncode((signal) => incode.closeSession(session, { signal }));
    } catch (error) {
      // The answer to an earlier attempt was lost: a refusal then says that it is closed, or that it cannot be.
      const isRepeat = !isFirstAttempt() && error instanceof IncodeError && error.kind === 'badRequest';
      if (isRepeat) return { sessionStatus: null };
      throw activityFailure(error, { interviewId: session.interviewId, operatorRetryMs, observe });
    }
  };
}
