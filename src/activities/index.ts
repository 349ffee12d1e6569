import { awaitMilestone } from './await-milestone.js';
import { callIncode } from './call.js';
import { claimCheck } from './claim-check.js';
import { closeSession } from './close-session.js';
import { confirmFinish } from './confirm-finish.js';
import { confirmStatus } from './confirm-status.js';
import { activityFailure } from './failure.js';
import { finishStatus } from './finish-status.js';
import type { ActivityOptions } from './options.js';
import { readStatus } from './read-by-id.js';
import { resolveOptions } from './resolve-options.js';
import { score } from './score.js';
import type { IncodeActivities } from './types.js';

export { type BulkOptions, createBulkActivities } from './batch/index.js';
export { activitiesPerSecond } from './batch/rate-share.js';
export type * from './batch/types.js';
export { createCaptureActivities } from './capture/index.js';
export { CAPTURE_ACTIVITY_DEFAULTS, type CaptureActivityOptions } from './capture/options.js';
export type * from './capture/types.js';
export type { ActivityEvent, Observe } from './observe.js';
export { ACTIVITY_DEFAULTS, type ActivityOptions, type TokenSource } from './options.js';
export { type ReissueOptions, reissuingTokenSource } from './token-source.js';
export type * from './types.js';

/**
 * Creates the activities that call Incode for one session. Register them in your own worker.
 *
 * @example
 * ```ts
 * const incode = createIncodeClient({ baseUrl, apiKey });
 * const worker = await Worker.create({ taskQueue, workflowsPath, activities: createIncodeActivities({ incode }) });
 * ```
 */
export function createIncodeActivities(activityOptions: ActivityOptions): IncodeActivities {
  const options = resolveOptions(activityOptions);
  const { operatorRetryMs, observe, tokenSource } = options;

  /** For calls that are safe to repeat: reads, closing, and the token source. */
  async function repeatable<T>(interviewId: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await callIncode(call);
    } catch (error) {
      throw activityFailure(error, { interviewId, operatorRetryMs, observe });
    }
  }

  const checked = claimCheck(options);

  return {
    // Checks the token itself, because its failures have more details.
    finishStatus: finishStatus(options),
    awaitMilestone: checked(awaitMilestone(options)),
    score: checked(score(options)),
    onboardingStatus: checked((session) =>
      repeatable(session.interviewId, (signal) => readStatus(options, session, signal)),
    ),
    confirmFinish: confirmFinish(options),
    confirmStatus: confirmStatus(options),
    closeSession: checked(closeSession(options)),
    reissueToken: async ({ interviewId }) => {
      if (!tokenSource) return { sessionToken: null };
      const sessionToken = await repeatable(interviewId, (signal) => tokenSource.token(interviewId, signal));
      return { sessionToken, ...(tokenSource.issuedByIncode ? { issuedByIncode: true } : {}) };
    },
  };
}
