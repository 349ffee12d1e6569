import type { ActivityOptions } from '@temporalio/workflow';

/** Options with which the onboarding workflow calls each activity. */
export const ACTIVITY_OPTIONS = {
  // Longest attempt that configuration allows: a read (30 s) and a finish (45 s), and room for a slow machine.
  startToCloseTimeout: '90 seconds',
  // A dead worker is noticed after this; short, because the session stands still until then. Beats come every third of
  // it, and calls that end before the first record none.
  heartbeatTimeout: '10 seconds',
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
