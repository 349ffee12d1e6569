import type { Client } from '@temporalio/client';
import type { BatchPlan, BatchRow, Outcome, VerifyFirst } from '../../contract/index.js';

/** An `OnboardingClient`, or any object with a Temporal client. */
export interface BatchHost {
  /** The Temporal client that sends the requests. */
  readonly temporal: Client;
  /** Task queue of the workers' bulk activities. @default "incode-onboarding-bulk" */
  readonly bulkTaskQueue?: string;
}

export interface BatchOptions {
  /**
   * Name of the batch: 1 to 200 letters, digits or any of `_ . : @ -`. Choose an id that you can reproduce, because running the
   * batch again with the same id and list attaches to it.
   *
   * @default a new id, which the returned {@link Batch} holds
   */
  batchId?: string;
  /** What to do with each session. Use the same plan when you run the batch again. @default score, do not close */
  plan?: BatchPlan;
  /** Task queue of the workers' bulk activities. @default `bulkTaskQueue` of the client */
  taskQueue?: string;
  /**
   * `input` yields results in the order of the sessions. `asCompleted` yields each shard's results as soon as the shard is done, so
   * a slow shard does not delay the others.
   *
   * @default "input", because callers match results with their list
   */
  order?: 'input' | 'asCompleted';
  /** Retries the failed sessions of completed shards. Their status is read first. @default false */
  retryFailed?: boolean;
  /**
   * How each session of a new shard is checked before the first request to finish it. In earlier versions this was a boolean:
   * `true` means `settle`, `false` means `look`.
   *
   * @default "look"
   */
  verifyFirst?: VerifyFirst | boolean;
  /**
   * Number of shards that run on the server at the same time. Each costs this process about 1 MB and the workers a few MB. Raise it
   * for more than 8 workers, or if scores take minutes, because a shard lasts as long as its slowest session.
   *
   * @default 16, enough for 8 workers, because a shard keeps two activities busy and a worker runs four
   */
  window?: number;
  /**
   * Sessions per shard, 1 to 2,000. Use the same size when you run the batch again.
   *
   * @default 2000, because fewer shards cost fewer requests
   */
  shardSize?: number;
  /** Abort it to detach: iteration throws a {@link BatchDetachedError} and the batch continues on the server. @default none */
  signal?: AbortSignal;
  /**
   * The exact number of sessions. A batch that runs again with another number is refused.
   *
   * @default the length of an array; otherwise unknown until the end
   */
  total?: number;
  /** Called every `progressIntervalMs` and at the end. Costs at most one query per second. @default none */
  onProgress?: (progress: BatchRunProgress) => void;
  /** Time between two calls of `onProgress`, in milliseconds. @default 5000 */
  progressIntervalMs?: number;
}

/** A batch that runs while you iterate over it. Iterate only once. */
export interface Batch extends AsyncIterable<BatchItem> {
  /** Your id, or a new one. Keep it to attach to the batch, stop it or read its progress. */
  readonly batchId: string;
}

/** The result of one session. */
export interface BatchItem extends BatchRow {
  /** Position in the input, from 0. */
  index: number;
  /** Incode's id of the session. */
  interviewId: string;
}

/** Progress of a batch that this process iterates over. An item is a session or a person. */
export interface BatchRunProgress {
  batchId: string;
  /** Number of sessions or people; `null` until it is known. */
  total: number | null;
  /** Items that the server has accepted. The server completes them even if this process ends. */
  handedOver: number;
  /** Items of them that the server already had before this run. */
  attached: number;
  /** Items with an outcome. Running shards are queried in turn, so `done`, `failed` and `waiting` may lag behind. */
  done: number;
  /** Items that failed for good. */
  failed: number;
  /** Items that have no outcome because somebody stopped the batch. */
  stopped: number;
  /** Sessions that wait for a retry or for their score, or people who have begun. */
  waiting: number;
  /** Items that ended per second, over the last minute of this run. */
  perSecond: number;
  /**
   * Estimated time left, in milliseconds, without people who wait for an image, a token or a reviewer. `null` if there is no estimate yet, or
   * only such people are left.
   */
  timeLeftMs: number | null;
  paused: boolean;
  /** What delays a shard or some of its items, or whom people wait for, as readable text; `null` if nothing does. */
  heldUpBy: string | null;
}

/** State of a batch on the server. An item is a session or a person. */
export interface BatchStatus {
  batchId: string;
  /** Sessions or people that the server has accepted. */
  total: number;
  /** Items with an outcome. */
  done: number;
  /** Items that failed for good. */
  failed: number;
  /** Items that have no outcome because somebody stopped the batch. */
  stopped: number;
  /** Sessions that wait for a retry or for their score, or people who have begun. */
  waiting: number;
  /** Items in shards that did not answer, because no worker runs. */
  unknown: number;
  /** Their number for each outcome. */
  outcomes: Partial<Record<Outcome, number>>;
  /** `ended` shards were cancelled or terminated or have failed, without results. Run the batch again to complete them. */
  shards: { running: number; completed: number; ended: number };
  paused: boolean;
  /** What delays a shard or some of its items, or whom people wait for, as readable text; `null` if nothing does. */
  heldUpBy: string | null;
}
