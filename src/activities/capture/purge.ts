import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../../contract/index.js';
import { withExecutiveToken } from '../../incode/executive.js';
import { callIncode, isFirstAttempt } from '../call.js';
import { captureFailure } from './failure.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { PurgeInput } from './types.js';

/** Deletes at Incode what a session has. Safe to repeat: Incode's 404 counts as deleted if an earlier attempt may have deleted it. */
export function purge(options: ResolvedCaptureOptions) {
  const { capture, executive } = options;
  return async ({ interviewId, what }: PurgeInput): Promise<void> => {
    if (!executive) {
      throw ApplicationFailure.nonRetryable(
        `Session ${interviewId}: nothing was deleted at Incode, because the worker has no executive token`,
        FAILURES.purgeImpossible,
        { interviewId, operation: 'purge' },
      );
    }
    const remove = what === 'images' ? capture.deleteImages : capture.deleteSession;
    const { existed } = await callIncode((signal) =>
      withExecutiveToken(executive, signal, (executiveToken) => remove({ interviewId, executiveToken }, { signal })),
    ).catch((error: unknown) => {
      throw captureFailure(error, options, { interviewId });
    });
    if (existed || !isFirstAttempt()) return;
    throw ApplicationFailure.nonRetryable(
      `Session ${interviewId}: Incode answered 404 and deleted nothing. It does not know the session, or the base URL is wrong`,
      FAILURES.purgeImpossible,
      { interviewId, operation: 'purge' },
    );
  };
}
