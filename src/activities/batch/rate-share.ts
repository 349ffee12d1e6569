/** The part of a rate limit that one activity of the bulk task queue uses. */
export interface RateShare {
  /** How many requests the activity may send. */
  requests: number;
  /** Time between the starts of two activities on the same partition. */
  intervalMs: number;
  /** Requests per second of the activity. @default the whole limit, because no other activity runs at the same time */
  perSecond?: number;
}

/**
 * How long an activity makes requests if the task queue has one partition. Long enough that activities cost little, and short enough that
 * the server spreads the requests evenly.
 */
const SECONDS_PER_ACTIVITY = 2;

/**
 * The server gives each partition an equal part of a task queue's limit and lets the partitions start activities without regard to each
 * other. So each activity uses the part of its partition only, until its next one starts. An activity may begin sessions for one second more,
 * which is enough for their last requests.
 */
const SECONDS_PER_PARTITION = 9;

/** After a pause, a partition starts its second activity too early by this much: the burst of the server's rate limiter. */
const SERVER_BURST_MS = 1_000;

/** A task that no rate limit delays reaches a worker sooner than this. Clocks differ by less. */
const PROMPT_MS = 200;

/** A task that waited for fewer activities of its partition was in a short queue. With four partitions, 16 activities use 0.9 of the limit. */
const SHORT_QUEUE = 3;

/** The rate of activities that the server must enforce on the bulk task queue: `maxTaskQueueActivitiesPerSecond`. */
export function activitiesPerSecond(requestsPerSecond: number, partitions = 1): number {
  return requestsPerSecond / requestsPerActivity(requestsPerSecond, partitions);
}

export function shareOf(requestsPerSecond: number, partitions: number): RateShare {
  const requests = requestsPerActivity(requestsPerSecond, partitions);
  const intervalMs = ((partitions * requests) / requestsPerSecond) * 1_000;
  if (partitions === 1) return { requests, intervalMs };
  return { requests, intervalMs, perSecond: requestsPerSecond / partitions };
}

/**
 * Keeps to the rate limit although the server allows bursts: after a pause, it starts the first two activities of a partition too close
 * together.
 *
 * @param waitedMs how long the activity waited for its start
 * @param isAfterPause whether the worker had no activity before this interval. Its tasks may have waited for the worker only
 * @returns how long it has to wait, and how many of its requests it must not send
 */
export function correction({ requests, intervalMs, perSecond }: RateShare, waitedMs: number, isAfterPause = false) {
  if (perSecond !== undefined) {
    // The partition may have been free, and then starts its next activity early.
    const mayBeFirst = isAfterPause || waitedMs < SERVER_BURST_MS;
    return { waitMs: 0, omit: mayBeFirst ? (SERVER_BURST_MS / intervalMs) * requests : 0 };
  }
  const isPrompt = waitedMs <= PROMPT_MS;
  // The previous activity is still sending.
  const waitMs = isPrompt ? 0 : Math.max(0, intervalMs - waitedMs);
  return { waitMs, omit: (waitMs / intervalMs) * requests };
}

/** Knows since when a worker has had activities without a pause. */
export class BusyTime {
  private since = Number.NEGATIVE_INFINITY;
  private lastStart = Number.NEGATIVE_INFINITY;

  /** Call it at the start of each activity. @returns whether the worker had none before this interval */
  isAfterPause({ intervalMs }: RateShare, now = performance.now()): boolean {
    if (now - this.lastStart > 2 * intervalMs) this.since = now;
    this.lastStart = now;
    return now - this.since < intervalMs;
  }
}

/** @returns whether the partitions need more activities to use the whole limit; @param waitedMs how long this one waited for its start */
export function needsMore({ perSecond, intervalMs }: RateShare, waitedMs: number): boolean {
  return perSecond !== undefined && waitedMs < SHORT_QUEUE * intervalMs;
}

function requestsPerActivity(requestsPerSecond: number, partitions: number): number {
  const seconds = partitions === 1 ? SECONDS_PER_ACTIVITY : SECONDS_PER_PARTITION / partitions;
  return Math.max(1, Math.round(requestsPerSecond * seconds));
}
