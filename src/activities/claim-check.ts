import { activityFailure } from './failure.js';
import type { ResolvedActivityOptions } from './options.js';
import { checkClaim } from './token-fit.js';
import type { SessionInput } from './types.js';

/** @returns a wrapper for activities, which refuses a token that names another session before any call */
export function claimCheck({ operatorRetryMs, observe }: Pick<ResolvedActivityOptions, 'operatorRetryMs' | 'observe'>) {
  return <Input extends SessionInput, Result>(activity: (input: Input) => Promise<Result>) =>
    async (input: Input): Promise<Result> => {
      try {
        checkClaim(input);
      } catch (error) {
        throw activityFailure(error, { interviewId: input.interviewId, operatorRetryMs, observe });
      }
      return activity(input);
    };
}
