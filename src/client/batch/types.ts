import type { Client } from '@temporalio/client';
import type { BatchPlan, BatchRow, Outcome, VerifyFirst } from '../../contract/index.js';

/** An `OnboardingClient`, or anything else that has a Temporal client. */
export interface BatchHost {
  readonly temporal: Client;
}

export interface BatchOptions {
  /**
   * Names the batch. Running it again with the same list attaches to it, so choose one that you can tell again.
   *
   * @default a new one, which the returned {@link Batch} tells
   */
  batchId?: string;
  /** What to do with each session. It must be the same whenever the batch is run again. */
  plan?: BatchPlan;
  /** Task queue of the workers' bulk activities. @default "incode-onboarding-bulk" */
  taskQueue?: string;
  /**
   * `input`: results in the order of the sessions. `asCompleted`: shard by shard, whichever is done first; choose it where the
   * order does not matter, because one slow shard then holds nothing up.
   *
   * @default "input"
   */
  order?: 'input' | 'asCompleted';
  /** Runs the failed sessions of completed shards again, their status read first, and those alone. @default false */
  retryFailed?: boolean;
  /**
   * What happens before the first request to finish each session of a shard that the server does not know. `true` of earlier versions
   * means `settle`, `false` means `look`.
   *
   * @default "look"
   */
  verifyFirst?: VerifyFirst | boolean;
  /**
   * Shards at the server at a time. Each costs this process about 1 MB, and the workers a few. Raise it for more than 8
   * workers, and where scores take minutes, because a shard lasts as long as its slowest session.
   *
   * @default 16: enough for 8 workers, because a shard keeps two activities busy and a worker has four
   */
  window?: number;
  /** Sessions of a shard, 1 to 2,000. It must be the same whenever the batch is run again. @default 2000 */
  shardSize?: number;
  /** Detaches when aborted: iteration throws a {@link BatchDetachedError}, and the batch goes on at the server. */
  signal?: AbortSignal;
  /**
   * How many sessions there are: exactly, because a batch that is run again with another number is refused.
   *
   * @default the length of a list; else not known until the end
   */
  total?: number;
  /** Told every `progressIntervalMs`, and at the end. Costs one query a second at most. */
  onProgress?: (progress: BatchRunProgress) => void;
  /** In milliseconds. @default 5000 */
  progressIntervalMs?: number;
}

/** A batch that runs while it is iterated, which can be done once. */
export interface Batch extends AsyncIterable<BatchItem> {
  readonly batchId: string;
}

/** What became of one session. */
export interface BatchItem extends BatchRow {
  /** Its place in the input, from 0. */
  index: number;
  interviewId: string;
}

export interface BatchRunProgress {
  batchId: string;
  /** `null` until it is known. */
  total: number | null;
  /** Sessions that the server has, so that they are completed whatever becomes of this process. */
  handedOver: number;
  /** Those of them that it had before this run. */
  attached: number;
  /** With an outcome. This and the next two are asked of running shards in turn, so they may lag behind. */
  done: number;
  failed: number;
  /** Not done because a call has to be repeated, or a score is not ready. */
  waiting: number;
  /** Done or failed, over the last minute of this run. */
  perSecond: number;
  /** `null` while it cannot be told. */
  timeLeftMs: number | null;
  paused: boolean;
  /** What holds a shard up, for people; `null` if nothing does. */
  heldUpBy: string | null;
}

/** Where a batch stands, as the server knows it. */
export interface BatchStatus {
  batchId: string;
  /** Sessions that were handed over. */
  total: number;
  done: number;
  failed: number;
  waiting: number;
  /** Of shards that did not answer: no worker runs. */
  unknown: number;
  outcomes: Partial<Record<Outcome, number>>;
  /** `ended`: cancelled, terminated or failed, without results. Run the batch again to complete them. */
  shards: { running: number; completed: number; ended: number };
  paused: boolean;
  heldUpBy: string | null;
}
