import type { FinishAnswer, ScoreAnswer, VerifyFirst } from '../contract/index.js';

/** A session and the token that reaches it. */
export interface SessionInput {
  interviewId: string;
  sessionToken: string;
  /** Incode has issued the token for exactly this session, in answer to the worker: see `TokenSource`. */
  issuedByIncode?: true;
}

export interface FinishStatusInput extends SessionInput {
  flowId?: string;
  /**
   * What happens before the first request. Attempts after the first always read the status. Earlier versions had booleans, which both
   * mean `look`.
   *
   * @default "look"
   */
  verifyFirst?: VerifyFirst | boolean;
  /**
   * When an earlier request to finish this session may last have been sent, in milliseconds since the epoch; best by the
   * server's clock, as a workflow's own time is. An unfinished session is left alone until the settle time after it has passed.
   */
  lastSentAt?: number;
  /** Incode has answered an earlier request with 2xx: none is sent again. */
  accepted?: true;
}

export interface FinishStatusResult {
  /** `null` if Incode says that the session has expired. */
  finish: FinishAnswer | null;
  onboardingStatus: string | null;
  /** The status by id does not say yet that this session is finished: see `confirmFinish`. */
  toBeConfirmed?: true;
}

export interface ConfirmFinishInput {
  interviewId: string;
  /** For workers without an executive token. Callers of earlier versions leave it out. */
  sessionToken?: string;
  /** What is to be confirmed; `null`: that the session has expired. */
  finish: FinishAnswer | null;
}

export interface ScoreInput extends SessionInput {
  /** How long a score that is not ready is asked for again, in milliseconds since the activity was scheduled. */
  readyWithinMs: number;
}

export interface AwaitMilestoneInput extends SessionInput {
  /** `processed`: the session can be finished, is finished or has expired. `reviewed`: a person has decided. */
  milestone: 'processed' | 'reviewed';
}

export interface ConfirmStatusInput {
  interviewId: string;
  /** Left out if the workflow has none: the worker may have another token that reaches the session. */
  sessionToken?: string;
  /** Statuses that webhooks told. One that Incode bears out is enough. */
  hints: string[];
}

export interface ReissueTokenInput {
  interviewId: string;
}

/** The activities by the names under which a worker registers them. */
export interface IncodeActivities {
  /**
   * Finishes a session, and never asks Incode twice while its own answers can tell that once was enough: every attempt reads the
   * session's status before it finishes. Only a first one with `verifyFirst: "trust"` does not.
   */
  finishStatus(input: FinishStatusInput): Promise<FinishStatusResult>;
  /**
   * Reads the status by id, with the worker's executive token if it has one, until it bears out that this session is finished.
   *
   * @throws `IncodeNotConfirmed` after `statusLagMs`
   */
  confirmFinish(input: ConfirmFinishInput): Promise<void>;
  onboardingStatus(input: SessionInput): Promise<{ onboardingStatus: string | null }>;
  /** Polls slowly until the session has come that far; a deadline is the caller's affair. */
  awaitMilestone(input: AwaitMilestoneInput): Promise<{ onboardingStatus: string }>;
  /**
   * Asks Incode whether a webhook is true. Its status may lag behind, so it is read again for `statusLagMs`.
   *
   * @returns what Incode says; `null` if this worker has no token to ask with
   */
  confirmStatus(input: ConfirmStatusInput): Promise<{ onboardingStatus: string | null }>;
  /** `null` once `readyWithinMs` has passed without a score; until then a refusal counts as not ready. */
  score(input: ScoreInput): Promise<ScoreAnswer | null>;
  /** `sessionStatus` is `null` if the answer to an earlier attempt was lost, and a repeat was refused. */
  closeSession(input: SessionInput): Promise<{ sessionStatus: string | null }>;
  /** `null` if this worker has no token source. */
  reissueToken(input: ReissueTokenInput): Promise<{ sessionToken: string | null; issuedByIncode?: true }>;
}

/** What a failure of these activities carries in `details[0]`. Never a secret. */
export interface FailureDetails {
  /** Empty while a person has no session. */
  interviewId: string;
  /** The caller's id of the person, while there is no session. */
  reference?: string;
  operation: string;
  httpStatus?: number;
  /** Incode's own code, if its error body had one beside the HTTP status. */
  code?: string | number;
  /** Set if a request to finish may have reached Incode: when it may last have been sent, in ms since the epoch. */
  lastSentAt?: number;
  /** Set if Incode has answered such a request with 2xx. */
  accepted?: true;
}
