/**
 * After this long without a heartbeat the server takes a worker for dead, in ms. Short, because the session stands still until
 * then. Beats come every third of it, and calls that end before the first record none.
 *
 * It is also how long a worker may go on, unaware, with an activity of a workflow that was ended or reset from outside: a
 * heartbeat's answer tells it.
 */
export const HEARTBEAT_TIMEOUT_MS = 10_000;
