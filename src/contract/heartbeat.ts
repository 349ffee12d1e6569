/**
 * Time without a heartbeat after which the server considers a worker dead, in ms. It is short because the session waits that long.
 * Workers send a heartbeat every third of it, so shorter calls send none.
 *
 * It also limits how long a worker continues with an activity whose workflow was terminated or reset: the answer to its next
 * heartbeat tells it to stop.
 */
export const HEARTBEAT_TIMEOUT_MS = 10_000;
