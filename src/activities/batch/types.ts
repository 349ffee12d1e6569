import type { ResolvedBatchPlan } from '../../contract/batch.js';
import type { BatchSession, FinishAnswer, ScoreAnswer } from '../../contract/index.js';

/** A session of a batch and its progress. */
export interface BulkSession extends BatchSession {
  /** Position in the shard, from 0. */
  index: number;
  done?: BulkProgress;
}

/** Progress of a session. Empty parts are left out. */
export interface BulkProgress {
  finish?: FinishAnswer;
  onboardingStatus?: string;
  /** `false` if Incode refused. */
  closed?: boolean;
  /** A call to close the session failed and may have taken effect. */
  closeTried?: true;
  /** Deadline for the score, in ms since the epoch. */
  scoreBy?: number;
  /** A request to finish the session may have been sent, so its status is read first, even with `trust`. */
  verify?: true;
  /** Send time of the last request to finish that may have taken effect, by the server's clock, in ms since the epoch. */
  lastSentAt?: number;
  /** Incode answered a request to finish with 2xx, so none is sent again. */
  accepted?: true;
  /** A request to finish was sent during the activity. The next activity replaces this by its own scheduled time, which is later. */
  justSent?: true;
  /** The status by id confirmed the finish, or no read can confirm it. */
  confirmed?: true;
  /** Deadline for that confirmation, by the server's clock, in ms since the epoch. */
  confirmBy?: number;
  /** Incode refused the session's token, so the token source is asked for another. */
  renew?: true;
  /** Number of failed attempts in a row. */
  tries?: number;
}

/** The end of a session: Incode's answers, or why they are missing. */
export interface BulkEnd {
  /** `null` if the session expired. */
  finish: FinishAnswer | null;
  onboardingStatus?: string;
  /** Absent if the plan needs no score; `null` if it was not ready in time. */
  score?: ScoreAnswer | null;
  /** The plan asked to close the session, and Incode refused. */
  notClosed?: true;
  failure?: { type: string; message: string };
}

export interface CompleteManyInput {
  sessions: BulkSession[];
  plan: ResolvedBatchPlan;
  /** Finishes sessions without a status read if nothing was sent for them. @default false */
  trust?: boolean;
  /** Maximum size of a session's result as JSON, in bytes. Runs of earlier versions omit it. @default the least that a session of any shard has */
  bytesPerSession?: number;
}

export interface CompleteManyResult {
  ended: [index: number, end: BulkEnd][];
  /** Sessions to continue later, with their progress and the delay. A session in neither list was not begun. */
  open: [index: number, done: BulkProgress, dueInMs: number][];
  /** Set during an outage of Incode: how long no session should begin, and the reason as readable text. */
  hold?: { forMs: number; why: string };
  /** How many sessions the next call should get. */
  chunk: number;
  /** The rate limit allows more activities at the same time than the task queue has. */
  more?: true;
  /** Run id of the calling workflow, because a run after a reset also sees results of the run before. Workers of earlier versions omit it. */
  runId?: string;
}

/** The activity of the bulk task queue. */
export interface BulkActivities {
  /**
   * Completes many sessions and makes each call to Incode once. Leaves retries and waits to the workflow. Begins no session during an outage
   * of Incode or after ten seconds, and leaves the rest to the workflow.
   */
  completeMany(input: CompleteManyInput): Promise<CompleteManyResult>;
}
