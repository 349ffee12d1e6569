import type { FinishAnswer, ScoreAnswer, VerifyFirst } from '../contract/index.js';

/** A session and its token. */
export interface SessionInput {
  interviewId: string;
  sessionToken: string;
  /** Incode issued the token to the worker for exactly this session: see `TokenSource`. */
  issuedByIncode?: true;
}

export interface FinishStatusInput extends SessionInput {
  flowId?: string;
  /**
   * What happens before the first request. Later attempts always read the status. Callers of earlier versions pass booleans, which both mean
   * `look`.
   *
   * @default "look"
   */
  verifyFirst?: VerifyFirst | boolean;
  /**
   * When the last earlier request to finish this session may have been sent, in milliseconds since the epoch. Use the server's clock, such as
   * the time of a workflow. The activity leaves an unfinished session alone until the settle time has passed since then.
   */
  lastSentAt?: number;
  /** Incode answered an earlier request with 2xx, so the activity sends none again. */
  accepted?: true;
}

export interface FinishStatusResult {
  /** `null` if Incode says that the session has expired. */
  finish: FinishAnswer | null;
  onboardingStatus: string | null;
  /** The status by id does not yet say that this session is finished: call `confirmFinish`. */
  toBeConfirmed?: true;
}

export interface ConfirmFinishInput {
  interviewId: string;
  /** For workers without an executive token. Callers of earlier versions omit it. */
  sessionToken?: string;
  /** The answer to confirm; `null` to confirm that the session expired. */
  finish: FinishAnswer | null;
}

export interface ScoreInput extends SessionInput {
  /** How long to wait for the score, in milliseconds since the activity was scheduled. */
  readyWithinMs: number;
}

export interface AwaitMilestoneInput extends SessionInput {
  /** `processed`: the session can be finished, is finished or has expired. `reviewed`: a person has decided. */
  milestone: 'processed' | 'reviewed';
}

export interface ConfirmStatusInput {
  interviewId: string;
  /** Absent if the workflow has none. The worker may have another token for the session. */
  sessionToken?: string;
  /** Statuses from webhooks. It is enough if Incode confirms one of them. */
  hints: string[];
}

export interface ReissueTokenInput {
  interviewId: string;
}

/** The activities by the names under which a worker registers them. */
export interface IncodeActivities {
  /**
   * Finishes a session, and not a second time if Incode's own answers show that it is finished: every attempt first reads the session's
   * status, except a first attempt with `verifyFirst: "trust"`.
   */
  finishStatus(input: FinishStatusInput): Promise<FinishStatusResult>;
  /**
   * Reads the status by id until it confirms that this session is finished. Uses the worker's executive token if it has one.
   *
   * @throws `IncodeNotConfirmed` after `statusLagMs`
   */
  confirmFinish(input: ConfirmFinishInput): Promise<void>;
  /** Reads the session's status. */
  onboardingStatus(input: SessionInput): Promise<{ onboardingStatus: string | null }>;
  /** Polls slowly until the session reaches the milestone. It has no deadline: the caller sets one. */
  awaitMilestone(input: AwaitMilestoneInput): Promise<{ onboardingStatus: string }>;
  /**
   * Asks Incode whether a webhook is true. Reads the status again for `statusLagMs`, because it may lag.
   *
   * @returns Incode's status; `null` if this worker has no token to ask with
   */
  confirmStatus(input: ConfirmStatusInput): Promise<{ onboardingStatus: string | null }>;
  /** Waits for the score. Returns `null` if there is none within `readyWithinMs`. Until then, a refusal counts as not ready. */
  score(input: ScoreInput): Promise<ScoreAnswer | null>;
  /** Closes the session. `sessionStatus` is `null` if the answer to an earlier attempt was lost and Incode refused the retry. */
  closeSession(input: SessionInput): Promise<{ sessionStatus: string | null }>;
  /** Gets a fresh token from the worker's token source. `sessionToken` is `null` if the worker has none. */
  reissueToken(input: ReissueTokenInput): Promise<{ sessionToken: string | null; issuedByIncode?: true }>;
}

/** `details[0]` of a failure of these activities. It contains no secret. */
export interface FailureDetails {
  /** Empty while a person has no session. */
  interviewId: string;
  /** The caller's id of the person, while there is no session. */
  reference?: string;
  operation: string;
  httpStatus?: number;
  /** Incode's own code, if its error body had one besides the HTTP status. */
  code?: string | number;
  /** When the last request to finish that may have reached Incode may have been sent, in ms since the epoch. Absent if there was none. */
  lastSentAt?: number;
  /** Incode answered such a request with 2xx. */
  accepted?: true;
}
