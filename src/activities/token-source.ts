import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../contract/index.js';
import type { IncodeClient } from '../incode/index.js';
import type { TokenSource } from './options.js';

export interface ReissueOptions {
  /** Incode's configuration (flow) id, which `POST /omni/start` demands even for a session that exists. */
  configurationId: string;
}

/** The built-in token source: Incode gives a session that exists a fresh token through `POST /omni/start`. */
export function reissuingTokenSource(incode: IncodeClient, { configurationId }: ReissueOptions): TokenSource {
  return {
    async token(interviewId, signal) {
      const session = await incode.start({ configurationId, interviewId }, { signal });
      if (session.interviewId !== interviewId) {
        // Without this check a session that Incode has forgotten would be replaced by a new, empty one.
        throw ApplicationFailure.nonRetryable(
          `Session ${interviewId}: Incode answered with the token of another session. Check that it exists there, and hand in its token.`,
          FAILURES.wrongSession,
        );
      }
      return session.token;
    },
  };
}
