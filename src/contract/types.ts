/** What `onboardingSession` is started with: plain JSON that any SDK can send. */
export interface OnboardingInput {
  /** Incode's id of the session. Also names the workflow. */
  interviewId: string;
  /**
   * The session's token, a JWT that Incode issues for 90 days. Without it the worker asks its token source; a worker
   * that has none waits in `needsToken` for `renewToken`.
   */
  sessionToken?: string;
  /** Incode's flow, sent along with finish-status. */
  flowId?: string;
  plan?: Plan;
  /**
   * Whether the session's status is read before the first attempt to finish it too:
   * - left out: yes, because nobody else may have kept it from being started twice;
   * - `false`: no. For callers who know that no workflow was ever started for it, as `OnboardingClient` does when its start
   *   would have been refused otherwise;
   * - `true`: yes, and a request may have been sent until just now: unless it is finished, it is left alone for the settle
   *   time. For a session that is started again after its workflow was terminated.
   */
  verifyFirst?: boolean;
}

/** What to do with the session. Durations are strings such as `"15 minutes"`, `"7 days"` or `"36h"`. */
export interface Plan {
  /**
   * When to finish the session:
   * - `now`: at once;
   * - `processed`: when Incode's post-processing is done, which its webhook or a slow poll tells;
   * - `asked`: when the update `finish` comes. Nothing is polled meanwhile.
   *
   * The update `finish` and a session that is finished already end each of these waits.
   *
   * @default "now"
   */
  finishWhen?: 'now' | 'processed' | 'asked';
  /**
   * How long to wait for that, from the start of the workflow; then the outcome is `expired`. The update `extendDeadline`
   * moves it.
   *
   * @default "7 days": who has not shown a document after a week will hardly come back.
   */
  captureDeadline?: string;
  /**
   * Close the session at Incode after finishing: later uploads are refused and the score is frozen.
   *
   * @default false
   */
  close?: boolean;
  /**
   * Read the score, which then decides the outcome. Without it the rule engine's `action` does.
   *
   * @default true
   */
  score?: boolean;
  /**
   * How long a score that is not ready is asked for; then the outcome is `undecided`. An outage is waited out, and the score
   * asked for once more after it.
   *
   * @default "15 minutes": post-processing takes seconds, so a score missing for longer will not come by itself.
   */
  scoreDeadline?: string;
  /**
   * What to do with a session that a person has to look at: `report` it as `needsReview`, or `wait` for the verdict, which
   * Incode's webhook or a slow poll tells.
   *
   * @default "report"
   */
  review?: 'report' | 'wait';
  /**
   * How long to wait for the verdict; then the outcome is what it was without one. The update `extendDeadline` moves it.
   *
   * @default "30 days"
   */
  reviewDeadline?: string;
}

/** Where a session stands. `done` is the last one. */
export const STAGES = ['waiting', 'finishing', 'needsToken', 'closing', 'scoring', 'inReview', 'done'] as const;
export type Stage = (typeof STAGES)[number];

/** How the onboarding ended. A business result is a value, never an exception. */
export const OUTCOMES = ['approved', 'rejected', 'needsReview', 'undecided', 'expired'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The answer to "finish this session". */
export interface FinishAnswer {
  /**
   * Incode's rule engine: `approved`, `rejected`, `none` (no automatic decision), or a value that is new to us. `null`
   * when the answer did not reach us and completion was confirmed by the session's status.
   */
  action: string | null;
  /** Where Incode wants the user sent; `null` if it named nothing. */
  redirectionUrl: string | null;
  /** Whether Incode's answer arrived, or the session's status had to confirm completion. */
  confirmedBy: 'response' | 'status';
}

export interface ScoreAnswer {
  /** Incode's overall status: OK, WARN, FAIL, MANUAL…, or a value that is new to us. */
  status: string;
  /** Incode's overall value, a string such as `"94.6"`; `null` if missing. Decide on the status, not on this. */
  value: string | null;
}

/** What `onboardingSession` returns. */
export interface OnboardingResult {
  interviewId: string;
  outcome: Outcome;
  /** `null` if the session expired, or its capture deadline passed, before it could be finished. */
  finish: FinishAnswer | null;
  /** `null` if the plan did not ask for it, or it was not ready by `scoreDeadline`. */
  score: ScoreAnswer | null;
  /** Whether the session was closed; `null` if the plan did not ask for it, `false` if Incode refused. */
  closed: boolean | null;
  /** The last onboarding status known from Incode, or `null`. */
  onboardingStatus: string | null;
  /** One sentence for people: what the outcome rests on. */
  reason: string;
}

/** The workflow `onboardingSession`, for typed handles. */
export type OnboardingWorkflow = (input: OnboardingInput) => Promise<OnboardingResult>;

/** Answer of the `state` query. */
export interface OnboardingState {
  interviewId: string;
  stage: Stage;
  /** What the session waits for that somebody has to do; `null` if nobody has to do anything. */
  waitingFor: string | null;
  /** When the present wait ends by itself, in ISO 8601; `null` if it does not. */
  deadline: string | null;
  finish: FinishAnswer | null;
  score: ScoreAnswer | null;
  onboardingStatus: string | null;
  /** `null` until the stage is `done`. */
  outcome: Outcome | null;
  /** What happened when, oldest first: the start, and the last 50 events. Empty for a session whose history is not read. */
  timeline: TimelineEntry[];
}

export interface TimelineEntry {
  /** ISO 8601. */
  at: string;
  /** For people; its wording may change. */
  event: string;
}

/** Argument of the `extendDeadline` update. */
export interface ExtendDeadlineInput {
  /** How much longer the stage in which the session is may last: a duration such as `"7 days"`, added to its deadline. */
  by: string;
}

/** Answer of the `extendDeadline` update. */
export interface ExtendedDeadline {
  /** ISO 8601. */
  deadline: string;
}

/** Argument of the `statusChanged` signal: what Incode's status webhook says. */
export interface StatusChangedInput {
  interviewId: string;
  onboardingStatus: string;
}

/** Argument of the `renewToken` update. */
export interface RenewTokenInput {
  sessionToken: string;
}
