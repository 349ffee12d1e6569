import type { ActivityOptions } from '@temporalio/workflow';
import type { IncodeActivities } from '../activities/types.js';
import { HEARTBEAT_TIMEOUT_MS } from '../contract/heartbeat.js';

/** Calls that the session stands still for. */
const CALL = {
  // The longest attempt that configuration allows: a log-in and a read with the executive token, twice; three reads with a token whose id
  // is refused; a finish; and a read that confirms it. That is eight reads of 30 s and a finish of 45 s, and room for a slow machine.
  startToCloseTimeout: '6 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  // A session that is cancelled must leave no call behind that could still complete it.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: {
    // Most faults of an HTTP service are over within a second.
    initialInterval: '1 second',
    backoffCoefficient: 2,
    // An outage of hours costs 30 attempts an hour and session, and is over for each within two minutes of its end.
    maximumInterval: '2 minutes',
    // No maximumAttempts and no schedule-to-close timeout: what can be mended is waited for, however long it takes.
  },
} as const satisfies ActivityOptions;

/** Looks that are repeated for days. */
const POLL = {
  ...CALL,
  // The activity names the delay of every failure of its own; this is for a worker that died.
  retry: { initialInterval: '1 minute', backoffCoefficient: 1 },
} as const satisfies ActivityOptions;

/** A last look before a deadline is taken at its word. It decides only if it succeeds, so it does not hold the end up. */
const LAST_LOOK = {
  ...CALL,
  scheduleToCloseTimeout: '2 minutes',
} as const satisfies ActivityOptions;

/** Bulk activities: they begin nothing after ten seconds, and leave what has to be repeated to the workflow. */
export const BULK_OPTIONS = {
  ...CALL,
  // Ten seconds of beginning sessions, and the longest that one takes: what a single call takes, and token source, close and score.
  startToCloseTimeout: '9 minutes',
  summary: 'Complete sessions at Incode',
} as const satisfies ActivityOptions;

/**
 * How a workflow calls each activity: `proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS.finishStatus)`, one proxy an activity,
 * because they differ. Without a task queue: that of the workflow. The summaries are what the Web UI shows.
 */
export const ACTIVITY_OPTIONS: Record<keyof IncodeActivities, ActivityOptions> = {
  finishStatus: { ...CALL, summary: 'Finish the session at Incode' },
  closeSession: { ...CALL, summary: 'Close the session at Incode' },
  score: { ...CALL, summary: 'Read the score, until it is ready' },
  reissueToken: { ...CALL, summary: 'Get a fresh session token' },
  awaitMilestone: { ...POLL, summary: "Poll the session's status, in case a webhook is lost" },
  confirmFinish: { ...CALL, summary: 'Confirm that this session is finished' },
  confirmStatus: { ...CALL, summary: 'Ask Incode whether a webhook is true' },
  onboardingStatus: { ...LAST_LOOK, summary: "Look at the session's status before its deadline counts" },
};

/** Waiting for the answer of another workflow. */
export const ANSWER_OPTIONS = {
  // An attempt waits a minute.
  startToCloseTimeout: '75 seconds',
  // The wait goes on at once; troubles of Temporal's own are asked about less and less often.
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  summary: "Wait for Incode's answer",
} as const satisfies ActivityOptions;
