import type { Client } from '@temporalio/client';
import type { BatchPlan, BatchRow, Outcome, VerifyFirst } from '../../contract/index.js';

/** An `OnboardingClient`, or anything else that has a Temporal client. */
export interface BatchHost {
  /** The Temporal client that carries the requests. */
  readonly temporal: Client;
}

export interface BatchOptions {
  /**
   * Name of the batch: 1 to 200 letters, digits or any of `_ . : @ -`. Running the batch again with the same list attaches to it,
   * so choose an id that you can reproduce.
   *
   * @default a new id, which stands in the returned {@link Batch}
   */
  batchId?: string;
  /** What to do with each session. It must be the same whenever the batch is run again. @default score, do not close */
  plan?: BatchPlan;
  /** Task queue of the workers' bulk activities. @default "incode-onboarding-bulk" */
  taskQueue?: string;
  /**
   * `input`: results in the order of the sessions. `asCompleted`: shard by shard, as each is done. Choose it if the order does not
   * matter, because one slow shard then delays no others.
   *
   * @default "input", because callers match results with their list
   */
  order?: 'input' | 'asCompleted';
  /** Runs only the failed sessions of completed shards again; their status is read first. @default false */
  retryFailed?: boolean;
  /**
   * What happens before the first request to finish each session of a shard that the server does not know. `true` of earlier versions
   * means `settle`, `false` means `look`.
   *
   * @default "look"
   */
  verifyFirst?: VerifyFirst | boolean;
  /**
   * Shards at the server at a time. Each costs this process about 1 MB, and the workers a few MB. Raise it for more than 8
   * workers, and if scores take minutes, because a shard lasts as long as its slowest session.
   *
   * @default 16, enough for 8 workers, because a shard keeps two activities busy and a worker has four
   */
  window?: number;
  /**
   * Sessions of a shard, 1 to 2,000. It must be the same whenever the batch is run again.
   *
   * @default 2000, because fewer shards cost fewer requests
   */
  shardSize?: number;
  /** When aborted, iteration throws a {@link BatchDetachedError}, and the batch goes on at the server. @default none */
  signal?: AbortSignal;
  /**
   * How many sessions there are: exactly, because a batch that is run again with another number is refused.
   *
   * @default the length of a list; else not known until the end
   */
  total?: number;
  /** Called every `progressIntervalMs`, and at the end. Costs at most one query a second. @default none */
  onProgress?: (progress: BatchRunProgress) => void;
  /** Time between two calls of `onProgress`, in milliseconds. @default 5000 */
  progressIntervalMs?: number;
}

/** A batch that runs while it is iterated, which can be done once. */
export interface Batch extends AsyncIterable<BatchItem> {
  /** The given id, or the new one: keep it to attach to the batch, stop it or look at it. */
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
