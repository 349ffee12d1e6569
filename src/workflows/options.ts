import type { ActivityOptions } from '@temporalio/workflow';
import type { IncodeActivities } from '../activities/types.js';
import { BACKOFF_COEFFICIENT, MAX_BACKOFF_MS, MIN_BACKOFF_MS } from '../contract/backoff.js';
import { HEARTBEAT_TIMEOUT_MS } from '../contract/heartbeat.js';

/** A call whose result the session needs to continue. */
export const CALL = {
  // The longest attempt that configuration allows: a log-in and a read with the executive token, twice; three reads with a token whose id
  // is refused; a finish; and a read that confirms it. That is eight reads of 30 s and a finish of 45 s, and room for a slow machine.
  startToCloseTimeout: '6 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  // A cancelled session must not leave a call in flight that could still complete it.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  // No maximumAttempts and no schedule-to-close timeout: a fault that somebody can fix is retried until it is fixed.
  retry: {
    // Most faults of an HTTP service are over within a second.
    initialInterval: MIN_BACKOFF_MS,
    backoffCoefficient: BACKOFF_COEFFICIENT,
    // During an outage each session makes 30 attempts an hour. It continues within two minutes of the outage's end.
    maximumInterval: MAX_BACKOFF_MS,
  },
} as const satisfies ActivityOptions;

/** A poll that runs for days. */
const POLL = {
  ...CALL,
  // The activity sets the delay after its own failures. This interval applies after a worker died.
  retry: { initialInterval: '1 minute', backoffCoefficient: 1 },
} as const satisfies ActivityOptions;

/** The last read before a deadline counts. It only counts if it succeeds in time, so it cannot delay the deadline for long. */
const LAST_READ = {
  ...CALL,
  scheduleToCloseTimeout: '2 minutes',
} as const satisfies ActivityOptions;

/** A bulk activity. It begins no session after ten seconds and leaves retries to the workflow. */
export const BULK_OPTIONS = {
  ...CALL,
  // Ten seconds of beginning sessions, and the longest that one takes: what a single call takes, and token source, close and score.
  startToCloseTimeout: '9 minutes',
  summary: 'Complete sessions at Incode',
} as const satisfies ActivityOptions;

/**
 * Options for calling each activity from a workflow. They differ, so make one proxy for each activity. The activities run on the
 * workflow's own task queue unless you add `taskQueue`. The Web UI shows the summaries.
 *
 * @example
 * ```ts
 * const { finishStatus } = proxyActivities<IncodeActivities>({
 *   ...ACTIVITY_OPTIONS.finishStatus,
 *   taskQueue: 'incode-onboarding',
 * });
 * ```
 */
export const ACTIVITY_OPTIONS: Record<keyof IncodeActivities, ActivityOptions> = {
  finishStatus: { ...CALL, summary: 'Finish the session at Incode' },
  closeSession: { ...CALL, summary: 'Close the session at Incode' },
  score: { ...CALL, summary: 'Read the score, until it is ready' },
  reissueToken: { ...CALL, summary: 'Get a fresh session token' },
  awaitMilestone: { ...POLL, summary: "Poll the session's status, in case a webhook is lost" },
  confirmFinish: { ...CALL, summary: 'Confirm that this session is finished' },
  confirmStatus: { ...CALL, summary: 'Ask Incode whether a webhook is true' },
  onboardingStatus: { ...LAST_READ, summary: "Read the session's status before its deadline counts" },
};

/** The wait for the answer of another workflow. */
export const ANSWER_OPTIONS = {
  // Each attempt waits for a minute.
  startToCloseTimeout: '75 seconds',
  // An attempt without an answer is repeated at once. The backoff is for errors of the Temporal server.
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  summary: "Wait for Incode's answer",
} as const satisfies ActivityOptions;
