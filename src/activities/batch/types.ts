import type { BatchPlan, BatchSession, FinishAnswer, ScoreAnswer } from '../../contract/index.js';

/** A session of a batch, and how far it has come. */
export interface BulkSession extends BatchSession {
  /** Its place in the shard. */
  index: number;
  done?: BulkProgress;
}

/** How far a session has come. Parts that say nothing are left out. */
export interface BulkProgress {
  finish?: FinishAnswer;
  onboardingStatus?: string;
  /** `false` if Incode refused. */
  closed?: boolean;
  /** A call to close it has failed, and may have taken effect. */
  closeTried?: true;
  /** Until when a score that is not ready is asked for, in ms since the epoch. */
  scoreBy?: number;
  /** A request to finish it may have been sent before, so its status is read first, also under `trust`. */
  verify?: true;
  /** When one that may have taken effect was last sent, by the server's clock, in ms since the epoch. */
  lastSentAt?: number;
  /** Incode has answered one with 2xx, so none is sent again. */
  accepted?: true;
  /** One was sent in the course of an activity. The next one, which was scheduled after its end, knows until when. */
  justSent?: true;
  /** The status by id has borne the finish out, or nothing can. */
  confirmed?: true;
  /** It has not yet, and may until then, by the server's clock, in ms since the epoch. */
  confirmBy?: number;
  /** Its own token was refused, so the token source is asked for another. */
  renew?: true;
  /** Calls in a row that have to be repeated. */
  tries?: number;
}

/** The end of a session: what Incode said of it, or why that is all. */
export interface BulkEnd {
  /** `null` if it has expired. */
  finish: FinishAnswer | null;
  onboardingStatus?: string;
  /** Left out if nobody asked for it; `null` if it was not ready in time. */
  score?: ScoreAnswer | null;
  /** It was to be closed, and Incode refused. */
  notClosed?: true;
  failure?: { type: string; message: string };
}

export interface CompleteManyInput {
  sessions: BulkSession[];
  plan: Required<Pick<BatchPlan, 'close' | 'score'>> & { scoreDeadlineMs: number };
  /** Whether sessions that nothing was sent for are finished without reading their status. @default false */
  trust?: boolean;
  /** How much may be kept of each session, as JSON. Runs of earlier versions do not say. @default what a session of any shard has */
  bytesPerSession?: number;
}

export interface CompleteManyResult {
  ended: [index: number, end: BulkEnd][];
  /** What has to go on later: how far it has come, and in how many ms. Sessions that are in neither list were not begun. */
  open: [index: number, done: BulkProgress, dueInMs: number][];
  /** Nothing is to be begun for so long, because Incode is in trouble; with the reason, for people. */
  hold?: { forMs: number; why: string };
  /** How many sessions the next call should have. */
  chunk: number;
  /** Of the workflow that asked: a run that was reset has results of the one before too. Older workers do not say. */
  runId?: string;
}

/** The activity of the bulk task queue. */
export interface BulkActivities {
  /**
   * Completes many sessions, each call to Incode once. Whatever has to be repeated or waited for is left to the workflow, and
   * so is what it does not get to: it begins no session when Incode is in trouble, or after ten seconds.
   */
  completeMany(input: CompleteManyInput): Promise<CompleteManyResult>;
}
